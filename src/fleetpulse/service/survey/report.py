"""What a survey came to, for people and as JSON. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from fleetpulse.durations import format_duration
from fleetpulse.service.survey.lines import ON_DEMAND, End, Failure, Finding, Line, Progress
from fleetpulse.vendors.contract import Kind

_MANY: Final[Mapping[str, tuple[str, str]]] = {
    Kind.DEVICES: ("device", "devices"),
    Kind.DEPLOYMENTS: ("deployment", "deployments"),
    Kind.JOBS: ("job", "jobs"),
    Kind.TUNNELS: ("tunnel", "tunnels"),
    Kind.FLOWS: ("update flow", "update flows"),
    Kind.GROUPS: ("group", "groups"),
}


class Report(msgspec.Struct):
    """Gathers the lines of one source's survey. `broken` is why it did not come to its end, in words."""

    source: str
    vendor: str
    findings: list[Finding] = []
    progress: Progress | None = None
    end: End | None = None
    broken: str = ""

    def take(self, line: Line) -> None:
        """Take in one line."""
        match line:
            case Progress():
                self.progress = line
            case Finding():
                self.findings.append(line)
            case End():
                self.end = line

    @property
    def failed(self) -> bool:
        """Whether anything could not be read that should be."""
        return bool(self.broken) or self.end is None or any(True for _ in self.failures())

    def failures(self) -> Iterator[str]:
        """What could not be read, a sentence each."""
        if self.broken:
            yield self.broken
        if self.end is not None and self.end.failure is not None:
            yield _told(self.end.failure)
        for finding in self.findings:
            if finding.failure is not None:
                yield f"{finding.resource}: {_told(finding.failure)}"

    def oddities(self) -> Iterator[str]:
        """What was odd, and what could not be seen, a sentence each."""
        for finding in self.findings:
            yield from (f"{finding.resource}: {text}" for text in finding.odd)
            if finding.unavailable:
                yield f"{finding.resource}: not for this key: {finding.unavailable}"
            if finding.skipped:
                yield f"{finding.resource}: not looked at: {finding.skipped}"

    def samples(self) -> Iterator[str]:
        """What was asked of one device alone, a sentence each."""
        for finding in self.findings:
            if finding.sampled and finding.kind != ON_DEMAND and finding.failure is None and not finding.unavailable:
                yield f"{finding.resource}: of {finding.sampled} alone, for each device takes a request of its own"

    def number(self, kind: Kind) -> str:
        """How many there are: `2,961`, `at least 5,000`; empty where none of its resources is of that kind."""
        found = [each for each in self._of(kind) if each.failure is None and not each.unavailable]
        if not found:
            return "?" if self._of(kind) else ""
        whole = max(found, key=_rows)  # resources of a kind tell of the same things
        return ("at least " if _open(whole) else "") + f"{_rows(whole):,}"

    def statuses(self, kind: Kind) -> str:
        """`417 online, 13 offline`; empty where no status was told."""
        counts: Counter[str] = Counter()
        for finding in self._of(kind):
            if sum(finding.counts.values()) > counts.total():
                counts = Counter(finding.counts)
        told = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in told if number)

    def sentence(self) -> str:
        """What the key sees: `2,961 devices in 4 groups (2,900 online, ...), 14 deployments since 30d`."""
        parts = [self._part(kind) for kind in Kind if kind in _MANY and self.number(kind)]
        seen = ", ".join(parts) or "nothing"
        account = self.end.account if self.end is not None else ""
        return f"{seen}; the account: {account}" if account else seen

    @property
    def devices(self) -> int | None:
        """How many devices there are at least, None where nobody knows."""
        found = [_rows(each) for each in self._of(Kind.DEVICES) if each.failure is None]
        return max(found, default=None)

    def document(self) -> dict[str, Any]:
        """As JSON values; seconds and requests are those of the whole."""
        return {
            "source": self.source,
            "vendor": self.vendor,
            "failed": self.failed,
            "failures": list(self.failures()),
            "odd": list(self.oddities()),
            "account": self.end.account if self.end else "",
            "requests": self.end.requests if self.end else None,
            "seconds": round(self.end.seconds, 3) if self.end else None,
            "findings": [
                msgspec.to_builtins(msgspec.structs.replace(finding, seconds=round(finding.seconds, 3)))
                for finding in self.findings
            ],
        }

    def _part(self, kind: Kind) -> str:
        number = self.number(kind)
        one, many = _MANY[kind]
        text = f"{number} {one if number == '1' else many}"
        if kind is Kind.DEVICES:
            groups = max((each.groups or 0 for each in self._of(kind)), default=0)
            text += f" in {counted(groups, Kind.GROUPS)}" if groups else ""
        if kind is Kind.DEPLOYMENTS and self.end is not None:
            text += f" since {format_duration(timedelta(seconds=self.end.since_s))}"
        statuses = self.statuses(kind)
        return f"{text} ({statuses})" if statuses else text

    def _of(self, kind: Kind) -> list[Finding]:
        return [finding for finding in self.findings if finding.kind == kind.value and finding.kind != ON_DEMAND]


def counted(number: int, kind: str) -> str:
    """`1 device`, `2,961 rows` of what has no name of its own."""
    one, many = _MANY.get(kind, ("row", "rows"))
    return f"{number:,} {one if number == 1 else many}"


def _rows(finding: Finding) -> int:
    return max(finding.rows, finding.total or 0) if finding.at_least else finding.rows


def _open(finding: Finding) -> bool:
    """Whether there may be more than is told: the walk was ended, and the vendor announces no total."""
    return finding.at_least and finding.total is None


def _told(failure: Failure) -> str:
    return f"{failure.reason.replace('_', ' ')}: {failure.text}"
