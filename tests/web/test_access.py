import os
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from fleetpulse.secrets import Redactor, SecretUnreadableError
from fleetpulse.web.access import Access, Token
from web.house import BEARER, READ_TOKEN, TOKEN, House, made_access, serving, source

READER = {"Authorization": f"Bearer {READ_TOKEN}"}
READS = ("/", "/metrics", "/-/sources", "/api/v1/sources", "/api/v1/devices")
PROBES = ("/-/healthy", "/-/ready")


def house() -> House:
    made = House()
    made.known_sources = [source()]
    return made


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nearly-the-token",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN} and more",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {'x' * 7000}",
        "Bearer t\xf6k\xe9n",
        f"Bearer {READ_TOKEN}",
    ],
)
async def test_a_change_without_its_token_is_refused(client: aiohttp.ClientSession, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    async with (
        serving(house(), access=made_access(read=True)) as url,
        client.post(f"{url}/api/v1/sources/edge/retry", headers=headers) as answer,
    ):
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "bearer token" in (await answer.json())["error"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_token_opens_changes_however_its_scheme_is_spelled(
    client: aiohttp.ClientSession, scheme: str
) -> None:
    async with (
        serving(house()) as url,
        client.post(f"{url}/api/v1/sources/edge/retry", headers={"Authorization": f"{scheme} {TOKEN}"}) as answer,
    ):
        assert answer.status == 200


@pytest.mark.parametrize("path", READS)
async def test_reading_is_free_without_a_read_token(client: aiohttp.ClientSession, path: str) -> None:
    async with serving(house()) as url, client.get(f"{url}{path}") as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", READS)
async def test_a_read_token_closes_reading(client: aiohttp.ClientSession, path: str) -> None:
    statuses = []

    async with serving(house(), access=made_access(read=True)) as url:
        for headers in ({}, {"Authorization": "Bearer another-token"}, READER, BEARER):
            async with client.get(f"{url}{path}", headers=headers) as answer:
                statuses.append(answer.status)
            async with client.head(f"{url}{path}", headers=headers) as answer:
                assert answer.status == statuses[-1]

    assert statuses == [401, 401, 200, 200]


@pytest.mark.parametrize("path", PROBES)
async def test_probes_need_no_token_ever(client: aiohttp.ClientSession, path: str) -> None:
    async with serving(house(), access=made_access(read=True)) as url, client.get(f"{url}{path}") as answer:
        assert answer.status == 200


async def test_a_token_counts_as_soon_as_its_file_says_so_and_the_old_one_no_more(
    client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    access = Access(write=Token(file, redactor=Redactor()))
    statuses = []

    async with serving(house(), access=access) as url:
        (tmp_path / "next").write_text("the-rotated-token")
        (tmp_path / "next").replace(file)
        for token in (TOKEN, "the-rotated-token"):
            headers = {"Authorization": f"Bearer {token}"}
            async with client.post(f"{url}/api/v1/sources/edge/retry", headers=headers) as answer:
                statuses.append(answer.status)

    assert statuses == [401, 200]


def test_a_file_that_is_gone_for_a_moment_leaves_the_token_in_force(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    token = Token(file, redactor=Redactor())

    file.unlink()

    assert token.fits(TOKEN)


def test_a_file_that_becomes_readable_is_read_though_nothing_tells_of_it(tmp_path: Path) -> None:
    """As where somebody replaces it and then gives the service the right to read it: time and size stay."""
    file, rotated = tmp_path / "token", b"the-rotated-token"
    file.write_text(TOKEN)
    token = Token(file, redactor=Redactor())

    with capture_logs() as told:
        file.write_bytes(b"\xff" * len(rotated))
        written_at = file.stat().st_mtime_ns
        unreadable = [token.fits(TOKEN) for _ in range(3)]
        file.write_bytes(rotated)
        os.utime(file, ns=(written_at, written_at))

    assert unreadable == [True, True, True]
    assert [line["log_level"] for line in told] == ["warning"]
    assert token.fits("the-rotated-token")
    assert not token.fits(TOKEN)


def test_a_swap_of_a_whole_folder_is_seen(tmp_path: Path) -> None:
    for name, content in (("old", TOKEN), ("new", "the-rotated-token")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(content)
    (tmp_path / "..data").symlink_to("old")
    token = Token(tmp_path / "..data" / "token", redactor=Redactor())

    (tmp_path / "..next").symlink_to("new")
    (tmp_path / "..next").replace(tmp_path / "..data")

    assert token.fits("the-rotated-token")
    assert not token.fits(TOKEN)


def test_tokens_are_blanked_in_every_text(tmp_path: Path) -> None:
    file, redactor = tmp_path / "token", Redactor()
    file.write_text(TOKEN)
    token = Token(file, redactor=redactor)

    file.write_text("the-rotated-token-1")
    token.fits("anything")

    assert redactor.redact(f"{TOKEN} the-rotated-token-1") == "*** ***"


def test_a_token_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SecretUnreadableError, match="cannot read"):
        Token(tmp_path / "nowhere", redactor=Redactor())
