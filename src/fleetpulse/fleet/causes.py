"""Why a deployment failed: outputs that differ only in what differs everywhere are one cause. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from fleetpulse.fleet.deployment import FailedStep

_LINE_CHARACTERS: Final = 500  # of a line that is longer, the beginning tells the cause

_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TELLING: Final = re.compile(r"[^\W_]")  # no ruler, no lone bracket, no caret below the line that matters
_DAY: Final = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE: Final = (
    rf"(?:{_DAY},?\s+)?(?:\d{{1,4}}[-/\s]\d\d?[-/\s]\d{{1,4}}|\d\d?[\s-]{_MONTH}(?:[\s-]\d{{4}})?|{_MONTH}\s+\d\d?)"
)
_CLOCK: Final = r"\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?(?:[ap]m|z|utc|gmt|[+-]\d\d:?\d\d)\b)?"
_TIME: Final = re.compile(rf"\b(?:(?:{_DATE}[,t\s]+)?{_CLOCK}|{_DATE}\b)")
_SLASHED: Final = re.compile(r"(?:\b[a-z]++:(?=[\\/]))?[^\s\"'`()<>\[\]{},;:=|\\/]*+[\\/][^\s\"'`()<>\[\]{},;:=|]*+")
_ID: Final = re.compile(
    r"\b(?:0x[0-9a-f]+|[0-9a-f]{8,}|(?=[a-f-]*[0-9])[0-9a-f]+(?:-[0-9a-f]+)+|(?=[a-f]*[0-9])[0-9a-f]{4,})\b"
)
_SLASH: Final = re.compile(r"[\\/]")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_BLANKS: Final = re.compile(r"\s+")


def causes(steps: Iterable[FailedStep]) -> list[tuple[str, int]]:
    """What the steps failed of and on how many devices, the most frequent first.

    A step is told by the last line of its output that tells anything, else by its name; one that has neither is left
    out. Steps are of one cause when their lines are the same but for digits, hexadecimal ids, paths and times; the
    line of the first of them stands for all.
    """
    told: dict[str, str] = {}
    devices: dict[str, set[str]] = {}
    for step in steps:
        line = _telling_line(step.output) or step.name
        if line:
            cause = _blanked(line)
            told.setdefault(cause, line)
            devices.setdefault(cause, set()).add(step.device)
    counted = [(line, len(devices[cause])) for cause, line in told.items()]
    return sorted(counted, key=lambda each: -each[1])


def _telling_line(output: str) -> str:
    for line in reversed(_COLOUR.sub("", output).splitlines()):
        if _TELLING.search(line):
            return line.strip()[:_LINE_CHARACTERS]
    return ""


def _blanked(line: str) -> str:
    text = line[:_LINE_CHARACTERS].casefold()
    for pattern in (_TIME, _SLASHED, _ID, _NUMBER):
        text = pattern.sub(_blank, text)
    return _BLANKS.sub(" ", text)


def _blank(found: re.Match[str]) -> str:
    """A blank for what was found, but for words with a slash between them that lead nowhere: `i/o`, `and/or`."""
    text = found[0]
    led = found.re is not _SLASHED or text[0] in "/\\.~" or ":" in text or len(_SLASH.findall(text)) > 1
    return "#" if led else text
