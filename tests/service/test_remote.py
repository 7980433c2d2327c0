"""Where a service is looked for, who gets its token, and what its answers mean."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from answering import http_server
from fleetpulse.outbound import Outbound
from fleetpulse.secrets import Redactor
from fleetpulse.service.failures import DoneBadlyError, UsageError
from fleetpulse.service.remote import NobodyAnswersError, Place, Remote, connected, find_place
from fleetpulse.web.access import ALIVE

__all__ = ["http_server"]

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
ANYWHERE = "https://fleetpulse.example.com"


def found(home: Path, *, url: str | None = None, token_file: Path | None = None, **environ: str) -> Place:
    return find_place(url=url, token_file_given=token_file, config=None, environ=environ, cwd=home)


def configured(home: Path, text: str) -> None:
    (home / "config.toml").write_text(text)


def test_a_place_is_the_url_before_the_environment_before_the_config_before_the_default(tmp_path: Path) -> None:
    default = found(tmp_path)
    configured(tmp_path, '[http]\nlisten = "127.0.0.1:9999"\n')

    assert default.url == "http://127.0.0.1:9720"
    assert found(tmp_path).url == "http://127.0.0.1:9999"
    assert found(tmp_path, FLEETPULSE_URL="http://a:1/").url == "http://a:1"
    assert found(tmp_path, url="http://b:2", FLEETPULSE_URL="http://a:1").url == "http://b:2"
    assert found(tmp_path, FLEETPULSE_HTTP__LISTEN="[::1]:8").url == "http://[::1]:8"


def test_it_is_known_whether_somebody_named_the_place(tmp_path: Path) -> None:
    configured(tmp_path, '[http]\nlisten = "127.0.0.1:9999"\n')

    assert not found(tmp_path).named
    assert found(tmp_path, FLEETPULSE_URL="http://a:1").named
    assert found(tmp_path, url="http://b:2").named
    assert found(tmp_path, url="http://b:2", token_file=tmp_path / "token").named


@pytest.mark.parametrize("listen", [":9999", "[::]:9999", "0.0.0.0:9999"])
def test_every_address_means_this_machine(tmp_path: Path, listen: str) -> None:
    configured(tmp_path, f'[http]\nlisten = "{listen}"\n')

    assert found(tmp_path).url == "http://127.0.0.1:9999"


def test_a_port_that_only_the_service_knows_is_asked_for(tmp_path: Path) -> None:
    configured(tmp_path, '[http]\nlisten = "127.0.0.1:0"\n')

    with pytest.raises(UsageError, match="give --url"):
        found(tmp_path)


@pytest.mark.parametrize("url", ["", "9720", "ftp://a", "http://", "http://u:p@a", "http://a:b", "http://a?b"])
def test_what_is_no_url_is_told(tmp_path: Path, url: str) -> None:
    if not url:
        assert found(tmp_path, url=url).url == "http://127.0.0.1:9720"
        return
    with pytest.raises(UsageError, match="--url"):
        found(tmp_path, url=url)


def test_the_token_beside_the_journal_goes_nowhere_else(tmp_path: Path) -> None:
    configured(tmp_path, '[journal]\nurl = "sqlite:///own.db"\n')
    beside = tmp_path / "own.db.token"

    assert found(tmp_path).token_file == beside
    assert found(tmp_path, url="http://localhost:1").token_file == beside
    assert found(tmp_path, url="http://[::1]:1").token_file == beside
    assert found(tmp_path, url=ANYWHERE).token_file is None
    assert found(tmp_path, url="http://127.0.0.1.example.com").token_file is None
    assert found(tmp_path, url=ANYWHERE, token_file=beside).token_file == beside


async def asked(url: str, *, token: Path | None = None, post: bool = False) -> object:
    async with connected(Place(url=url, token_file=token, token_wanted=post)) as remote:
        return await (remote.post("sources", "edge", "retry") if post else remote.get("sources"))


def answering(status: int, body: bytes, **headers: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=headers)

    return answer


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (400, b'{"error": "limit must be less"}', UsageError, "limit must be less"),
        (404, b'{"error": "no such source"}', DoneBadlyError, "no such source"),
        (409, b'{"error": "one at a time"}', DoneBadlyError, "one at a time"),
        (401, b"", DoneBadlyError, "wants its token: name the token's file with --token-file"),
        (500, b"<html>", DoneBadlyError, "is no fleetpulse"),
        (404, b'{"error": 3}', DoneBadlyError, "is no fleetpulse"),
        (404, b"[]", DoneBadlyError, "is no fleetpulse"),
        (200, b"<html>", DoneBadlyError, "is no fleetpulse"),
        (200, b"[" * 100_000, DoneBadlyError, "is no fleetpulse"),
        (200, b"\xff", DoneBadlyError, "is no fleetpulse"),
        (302, b"", DoneBadlyError, "is no fleetpulse"),
    ],
)
async def test_answers_are_told_in_words_for_people(
    http_server: Http, status: int, body: bytes, error: type[Exception], words: str
) -> None:
    url = await http_server(answering(status, body))

    with pytest.raises(error, match=words):
        await asked(url)


async def test_reading_does_without_a_token_that_is_not_there_and_changing_does_not(
    http_server: Http, tmp_path: Path
) -> None:
    url = await http_server(answering(200, b'{"sources": []}'))

    read = await asked(url, token=tmp_path / "absent")

    assert read == {"sources": []}
    with pytest.raises(DoneBadlyError, match="run this as the service's user, or name a file with --token-file"):
        await asked(url, token=tmp_path / "absent", post=True)


async def test_a_token_is_sent_and_never_told(http_server: Http, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("invented-token-1234")

    async def echo(request: web.Request) -> web.Response:
        return web.json_response({"error": f"you sent {request.headers['Authorization']}"}, status=404)

    url = await http_server(echo)

    with pytest.raises(DoneBadlyError, match=r"you sent Bearer \*\*\*"):
        await asked(url, token=file, post=True)


async def test_nobody_there_is_an_error_of_its_own() -> None:
    with pytest.raises(NobodyAnswersError, match="is the service running there"):
        await asked("http://127.0.0.1:9")


async def test_only_a_fleetpulse_counts_as_a_service(http_server: Http) -> None:
    ours = await http_server(answering(200, ALIVE.encode(), Server="a proxy between us"))
    other = await http_server(answering(200, b"ok\n", Server="fleetpulse"))

    async with Outbound(version="0", redactor=Redactor()) as outbound:
        assert await Remote(Place(url=ours), outbound=outbound).answers()
        assert not await Remote(Place(url="http://127.0.0.1:9"), outbound=outbound).answers()
        with pytest.raises(DoneBadlyError, match="is no fleetpulse, or one of another age"):
            await Remote(Place(url=other), outbound=outbound).answers()


async def test_only_a_refused_connection_means_that_nobody_is_there(http_server: Http) -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    deaf = await http_server(hang_up)

    async with connected(Place(url=deaf)) as remote:
        with pytest.raises(DoneBadlyError, match="whether a service runs there cannot be known"):
            await remote.answers()


async def test_what_waits_for_a_vendor_answers_at_last(http_server: Http) -> None:
    url = await http_server(answering(200, b'\n\n{"id": "d-1"}\n'))

    async with connected(Place(url=url)) as remote:
        assert await remote.ask("devices", "edge", "d-1", "ask") == {"id": "d-1"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "broke off, or is a fleetpulse of another age"),
        (b'{"id": "d-1"}', "broke off, or is a fleetpulse of another age"),
        (b"<html>\n", "broke off, or is a fleetpulse of another age"),
        (b'\n{"error": "the vendor gave no answer"}\n', "^the vendor gave no answer$"),
    ],
)
async def test_what_never_comes_or_fails_later_on_is_told(http_server: Http, body: bytes, words: str) -> None:
    url = await http_server(answering(200, body))

    async with connected(Place(url=url)) as remote:
        with pytest.raises(DoneBadlyError, match=words):
            await remote.ask("devices", "edge", "d-1", "ask")
