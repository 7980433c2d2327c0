"""Log lines: one event each, logfmt or JSON, on standard error, without secrets; our own and the libraries' alike."""

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from fleetpulse import clock
from fleetpulse.secrets import Redactor
from fleetpulse.service.settings import LogSettings

LONGEST_LINE_BYTES: Final = 8 * 1024  # rsyslog's default; Docker and journald split longer ones in the middle
_FIRST: Final = ("ts", "level", "event")
_SHORTEST_CUT: Final = 64
_CONTROL: Final = {code: "?" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}

Render = Callable[[Mapping[str, Any]], str]


def configure(settings: LogSettings, redactor: Redactor, *, stream: TextIO | None = None) -> None:
    """Send every log line of this process through one formatter; a later call replaces an earlier one.

    `stream` is standard error where none is given.
    """
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    prepare: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _add_time,
        structlog.processors.format_exc_info,
    ]
    handler = _Lines(stream or sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *prepare],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                Redaction(redactor),
                Line(_RENDERERS[settings.format]),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    structlog.configure(
        processors=[*prepare, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a reload may change the level
    )


class Redaction:
    """Makes every value plain (a number, a truth value, or text without secrets) before it is rendered.

    It stands last before rendering, so that tracebacks and what other processors added go through it.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Structlog's processor."""
        return {str(self._plain(key)): self._plain(value) for key, value in event.items()}

    def _plain(self, value: object) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {str(self._plain(key)): self._plain(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._plain(inner) for inner in value]
        # Vendor text may hold escape codes that would repaint the terminal of whoever reads the log.
        return self._redactor.redact(str(value)).translate(_CONTROL)


class Line:
    """Renders an event, time, level and name first.

    A line stays within `LONGEST_LINE_BYTES`: the longest texts lose their middle.
    """

    def __init__(self, render: Render) -> None:
        self._render = render

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> str:
        """Structlog's last processor."""
        fields: dict[str, Any] = {key: event[key] for key in _FIRST if key in event} | dict(event)
        line = self._render(fields)
        while _too_long(line) and (longest := _longest(fields)):
            text = fields[longest] if isinstance(fields[longest], str) else str(fields[longest])
            fields[longest] = _cut(text)
            line = self._render(fields)
        if _too_long(line):  # hundreds of short fields: what happened, and when, is what may stay
            line = self._render({key: fields[key] for key in _FIRST if key in fields} | {"cut": True})
        return line


class _Lines(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Say that a line was lost; the standard library would print its arguments, secrets among them."""
        try:
            self.stream.write(f'level=error event="log line lost" logger={record.name} line={record.lineno}\n')
        except (OSError, ValueError):  # nobody reads any more: the service goes on
            return


def _add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["ts"] = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _too_long(line: str) -> bool:
    return len(line.encode(errors="replace")) >= LONGEST_LINE_BYTES  # the line end counts too


def _longest(fields: Mapping[str, Any]) -> str | None:
    """The field that fills the most of the line, where one is worth cutting."""
    sizes = {key: len(str(value)) for key, value in fields.items() if isinstance(value, str | list | dict)}
    key = max(sizes, key=sizes.__getitem__, default=None)
    return key if key is not None and sizes[key] > _SHORTEST_CUT else None


def _cut(text: str) -> str:
    """About half of the text: a traceback begins with where and ends with what."""
    keep = (len(text) - 5) // 4
    return f"{text[:keep]} ... {text[-keep:]}"


def _logfmt(fields: Mapping[str, Any]) -> str:
    render = structlog.processors.LogfmtRenderer(bool_as_flag=False)
    return render(None, "", dict(fields))


def _json(fields: Mapping[str, Any]) -> str:
    return str(structlog.processors.JSONRenderer(ensure_ascii=False)(None, "", dict(fields)))


_RENDERERS: Final[Mapping[str, Render]] = {"logfmt": _logfmt, "json": _json}
