"""Promises of secrets and of the redactor."""

import base64
import json
import string
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from fleetpulse.secrets import (
    REDACTED,
    Redactor,
    Secret,
    SecretUnreadableError,
    expires_at,
    looks_random,
    names_a_secret,
)

SECRET = "hush-7261-hush"


def test_a_learned_secret_is_blanked_everywhere() -> None:
    redactor = Redactor([SECRET])

    assert redactor.redact(f"a {SECRET} b{SECRET}") == f"a {REDACTED} b{REDACTED}"
    assert redactor.redact("nothing here") == "nothing here"


@given(st.text(min_size=4, max_size=30).filter(lambda text: len(text.strip()) >= 4))
def test_a_secret_is_blanked_in_the_forms_it_travels_in(secret: str) -> None:
    redactor = Redactor([secret])

    forms = [
        secret,
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    ]

    assert [form for form in forms if redactor.redact(form) != REDACTED] == []


@pytest.mark.parametrize("spelled", ["a%2Fb!c%3Cd%2B=", "a%2fb!c%3cd%2b=", "a%2fb%21c%3cd%2b%3d"])
def test_a_secret_in_a_path_is_blanked_as_clients_and_servers_spell_it(spelled: str) -> None:
    redactor = Redactor(["a/b!c<d+="])

    assert redactor.redact(f"GET /user/u/{spelled}/devices") == f"GET /user/u/{REDACTED}/devices"


def test_a_short_value_does_not_blank_half_of_every_text() -> None:
    assert Redactor(["a", "", "abc"]).redact("an abc") == "an abc"


def test_a_secret_within_a_secret_leaves_no_piece_of_the_longer_one() -> None:
    redactor = Redactor(["hush", "hush-7261"])

    assert redactor.redact("key=hush-7261") == f"key={REDACTED}"


def test_a_text_of_half_characters_is_learned_too() -> None:
    assert Redactor(["half\ud800character"]).redact("half\ud800character") == REDACTED


WORDS = st.from_regex(r"[A-Z]?[a-z]{1,12}[0-9]{0,2}", fullmatch=True) | st.from_regex(r"[0-9]{1,4}", fullmatch=True)
TOKENS = st.one_of(
    st.uuids(version=4).map(str),
    st.binary(min_size=16, max_size=32).map(bytes.hex),
    st.text(string.ascii_letters + string.digits, min_size=24, max_size=64),
    st.from_regex(r"[TB][0-9][A-Z0-9]{7,9}[A-Z]", fullmatch=True),  # as Slack names workspaces and webhooks
    st.from_regex(r"(sk|xoxb|ghp)[_-][a-z]{3}[0-9][A-Za-z0-9]{12,40}", fullmatch=True),
    st.from_regex(r"[0-9]{5,20}", fullmatch=True).filter(lambda text: len(text) >= 8),
)


@given(st.lists(WORDS, min_size=1, max_size=6), st.sampled_from(["-", "_", ".", " ", "/"]))
def test_words_that_people_write_do_not_look_random(words: list[str], between: str) -> None:
    assert not looks_random(between.join(words))


@given(TOKENS)
def test_tokens_look_random(token: str) -> None:
    assert looks_random(token)


@given(st.lists(WORDS, min_size=1, max_size=3).map("-".join), TOKENS)
def test_a_token_among_words_looks_random(words: str, token: str) -> None:
    assert looks_random(f"{words}-{token}")


@pytest.mark.parametrize("text", ["T0/B0", "", "x1Y2z3"])
def test_what_is_short_is_no_secret(text: str) -> None:
    assert not looks_random(text)


@pytest.mark.parametrize(
    ("name", "secret"),
    [("Proxy-Authorization", True), ("sig", True), ("PASSWORD", True), ("X-Team", False), ("design", False)],
)
def test_some_names_are_those_of_secrets(name: str, *, secret: bool) -> None:
    assert names_a_secret(name) is secret


def test_an_inline_secret_is_learned_and_revealed() -> None:
    redactor = Redactor()
    secret = Secret(value=SecretStr(SECRET), redactor=redactor)

    assert secret.reveal() == SECRET
    assert secret
    assert redactor.redact(SECRET) == REDACTED
    assert not secret.refresh()
    assert SECRET not in repr(secret)


def test_no_secret_is_empty_and_false() -> None:
    secret = Secret(redactor=Redactor())

    assert not secret
    assert not secret.reveal()


def test_a_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\r\n")

    assert Secret(file=file, redactor=Redactor()).reveal() == SECRET


def test_a_changed_file_is_told_and_the_old_value_stays_blanked(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)
    redactor = Redactor()
    secret = Secret(file=file, redactor=redactor)
    unchanged = secret.refresh()
    file.write_text("other-8821")

    changed = secret.refresh()

    assert (unchanged, changed) == (False, True)
    assert secret.reveal() == "other-8821"
    assert redactor.redact(f"{SECRET} other-8821") == f"{REDACTED} {REDACTED}"


def test_a_symlink_swap_as_kubernetes_does_it_is_followed(tmp_path: Path) -> None:
    for version, value in (("v1", SECRET), ("v2", "other-8821")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "token").write_text(value)
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "token").symlink_to("..data/token")
    secret = Secret(file=tmp_path / "token", redactor=Redactor())
    (tmp_path / "..new").symlink_to("v2")
    (tmp_path / "..new").rename(tmp_path / "..data")

    assert secret.refresh()
    assert secret.reveal() == "other-8821"


def test_a_file_that_went_away_keeps_the_last_value(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)
    secret = Secret(file=file, redactor=Redactor())
    file.unlink()

    with pytest.raises(SecretUnreadableError, match="No such file"):
        secret.refresh()

    assert secret.reveal() == SECRET


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe" + SECRET.encode(), "not text"),
        (b"x" * 70_000, "larger than 64"),
        (b"one\ntwo", "more than one line"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused_without_its_content(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)

    with pytest.raises(SecretUnreadableError, match=why) as caught:
        Secret(file=file, redactor=Redactor())

    assert SECRET not in str(caught.value)


def test_a_directory_and_a_name_with_a_null_are_unreadable(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "a\0b"):
        with pytest.raises(SecretUnreadableError):
            Secret(file=place, redactor=Redactor())


def test_what_was_read_elsewhere_counts_once_it_is_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("key-one")
    redactor = Redactor()
    secret = Secret(file=file, redactor=redactor)

    file.write_text("key-two")
    fresh = secret.read()
    before = secret.reveal()
    changed = [secret.take(fresh), secret.take(fresh)]

    assert (before, secret.reveal(), changed) == ("key-one", "key-two", [True, False])
    assert redactor.redact("key-one key-two") == f"{REDACTED} {REDACTED}"


def test_what_was_read_before_a_newer_value_was_taken_over_does_not_put_the_old_one_back(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("key-one")
    secret = Secret(file=file, redactor=Redactor())
    file.write_text("key-two")
    slow = secret.read()
    file.write_text("key-three")
    secret.refresh()

    changed = secret.take(slow)

    assert (secret.reveal(), changed) == ("key-three", False)


def jwt(claims: bytes) -> str:
    return f"eyJ.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.invented"


@pytest.mark.parametrize("exp", [b"1767225600", b"1767225600.5"])
def test_a_jwt_says_itself_when_it_ends(exp: bytes) -> None:
    at = expires_at(jwt(b'{"sub": "fleetpulse", "exp": ' + exp + b"}"))

    assert at is not None
    assert at.replace(microsecond=0) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "claims",
    [
        b"{}",
        b'{"exp": null}',
        b'{"exp": "1767225600"}',
        b'{"exp": true}',
        b'{"exp": NaN}',
        b'{"exp": 1e400}',
        b'{"exp": -1e18}',
        b'{"exp": 0}',
        b'{"exp": -62135596800}',
        b'{"exp": 99999999999999999999999999999}',
        b"[" * 50_000,
        b'{"a":' * 10_000,
        b"\xff\xfe",
        b"",
    ],
)
def test_a_jwt_that_says_nothing_sensible_says_nothing(claims: bytes) -> None:
    assert expires_at(jwt(claims)) is None


@given(st.text())
def test_any_other_secret_says_nothing_of_its_end(secret: str) -> None:
    assert expires_at(secret) is None


@given(st.binary())
def test_any_middle_part_is_read_or_passed_over(claims: bytes) -> None:
    expires_at(jwt(claims))
