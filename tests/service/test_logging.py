"""Promises of log lines."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from fleetpulse.secrets import Redactor
from fleetpulse.service.logging import LONGEST_LINE_BYTES, configure
from fleetpulse.service.settings import LogSettings

SECRET = "hush-7261-hush"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave the process' logging as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    yield

    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def refuse() -> None:
    """Raise what a careless library would: the secret in the text of an error and of its cause."""
    try:
        {"a": ""}.pop(SECRET)
    except KeyError as error:
        raise RuntimeError(f"token {SECRET} refused") from error


def test_logfmt_begins_with_time_level_and_event() -> None:
    stream = io.StringIO()
    configure(LogSettings(), Redactor(), stream=stream)

    structlog.get_logger().info("sweep ended", source="edge-prod", devices=430)

    (line,) = lines(stream)
    time, rest = line.split(" ", 1)
    assert time.startswith("ts=20")
    assert time.endswith("Z")
    assert rest == 'level=info event="sweep ended" source=edge-prod devices=430'


def test_json_holds_the_same_fields() -> None:
    stream = io.StringIO()
    configure(LogSettings(format="json"), Redactor(), stream=stream)

    structlog.get_logger().warning("sweep failed", source="edge-prod", pages=3, late=True)

    row = json.loads(stream.getvalue())
    assert list(row)[:3] == ["ts", "level", "event"]
    assert {**row, "ts": ""} == {
        "ts": "",
        "level": "warning",
        "event": "sweep failed",
        "source": "edge-prod",
        "pages": 3,
        "late": True,
    }


def test_the_level_holds_for_ours_and_for_libraries() -> None:
    stream = io.StringIO()
    configure(LogSettings(level="warning"), Redactor(), stream=stream)

    structlog.get_logger().info("quiet")
    logging.getLogger("aiohttp.access").info("quiet")
    structlog.get_logger().error("loud")

    assert [line.partition(" ")[2] for line in lines(stream)] == ["level=error event=loud"]


def test_a_librarys_line_has_the_same_form_and_names_the_library() -> None:
    stream = io.StringIO()
    configure(LogSettings(), Redactor([SECRET]), stream=stream)

    logging.getLogger("aiohttp.client").warning("cannot reach %s", f"https://host/{SECRET}")

    (line,) = lines(stream)
    assert line.endswith('level=warning event="cannot reach https://host/***" logger=aiohttp.client')


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_no_secret_passes_wherever_it_stands(form: str) -> None:
    class Odd:
        def __repr__(self) -> str:
            return f"Odd({SECRET})"

    stream = io.StringIO()
    configure(LogSettings.model_validate({"format": form}), Redactor([SECRET]), stream=stream)

    structlog.get_logger().info(
        f"event {SECRET}", url=f"https://u:{SECRET}@h", odd=Odd(), nested={"a": [SECRET], SECRET: (SECRET,)}
    )

    assert "***" in stream.getvalue()
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("logger", ["ours", "library"])
def test_no_secret_passes_in_a_traceback(logger: str) -> None:
    stream = io.StringIO()
    configure(LogSettings(), Redactor([SECRET]), stream=stream)

    try:
        refuse()
    except RuntimeError:
        if logger == "ours":
            structlog.get_logger().exception("poller crashed")
        else:
            logging.getLogger("asyncio").exception("Task exception was never retrieved")

    (line,) = lines(stream)
    assert "RuntimeError: token *** refused" in line
    assert "KeyError: '***'" in line
    assert SECRET not in line


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_a_long_line_is_cut_and_keeps_both_ends(form: str) -> None:
    stream = io.StringIO()
    configure(LogSettings.model_validate({"format": form}), Redactor(), stream=stream)

    structlog.get_logger().error("odd answer", body="begin" + 'é"\n' * 50_000 + "end", page=7)

    (line,) = lines(stream)
    assert 1000 < len(line.encode()) + 1 <= LONGEST_LINE_BYTES
    assert "begin" in line
    assert "end" in line
    assert "page" in line


def test_a_secret_is_blanked_before_the_line_is_cut() -> None:
    stream = io.StringIO()
    configure(LogSettings(), Redactor([SECRET]), stream=stream)

    structlog.get_logger().error("odd answer", body=SECRET * 5_000)

    assert "hush" not in stream.getvalue()


def test_a_line_of_countless_fields_keeps_what_happened() -> None:
    stream = io.StringIO()
    configure(LogSettings(), Redactor(), stream=stream)

    structlog.get_logger().error("odd answer", **{f"field_{number}": number for number in range(2_000)})

    (line,) = lines(stream)
    assert line.endswith('level=error event="odd answer" cut=true')


def test_control_characters_cannot_make_a_second_line_nor_paint_the_terminal() -> None:
    stream = io.StringIO()
    configure(LogSettings(), Redactor(), stream=stream)

    structlog.get_logger().info("named", name="a\r\nlevel=error event=forged\x1b[2J")

    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_a_line_that_cannot_be_written_tells_no_secret() -> None:
    class Unprintable:
        def __str__(self) -> str:
            raise ValueError(SECRET)

    stream = io.StringIO()
    configure(LogSettings(), Redactor([SECRET]), stream=stream)

    logging.getLogger("library").warning("value %s", Unprintable())

    assert "log line lost" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_configuring_again_replaces_what_was_before() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure(LogSettings(), Redactor(), stream=first)
    configure(LogSettings(level="debug"), Redactor(), stream=second)

    structlog.get_logger().debug("started")

    assert not first.getvalue()
    assert len(lines(second)) == 1
