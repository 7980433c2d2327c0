"""One walk over a source's census: what it has seen, and whether its end may tell who is absent."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from fleetpulse.fleet.device import Sighting


class Walk:
    """Collects what a walk has seen, page after page; says at its end how much it proves.

    `baseline`: no complete walk came before it, so nothing it sees is news. `late`: nobody looked for a while before
    it, so what changed is marked late.
    """

    def __init__(self, *, started_at: datetime, baseline: bool = False, late: bool = False) -> None:
        self.started_at = started_at
        self.baseline = baseline
        self.late = late
        self.seen: set[str] = set()
        self.rows = 0
        self.odd = 0
        self.repeats = 0
        self.resumed = False
        self._total: int | None = None
        self._guard = ""

    def first_sightings(self, page: Sequence[Sighting]) -> Sequence[Sighting]:
        """The page without devices that the walk, or the page, listed before; to be asked before it is noted.

        A device is told once in a walk: two rows that contradict each other would make it come and go at each sweep.
        """
        ids = {sighting.device.id for sighting in page}
        if len(ids) == len(page) and self.seen.isdisjoint(ids):  # as is usual
            return page
        first: dict[str, Sighting] = {}
        for sighting in page:
            if sighting.device.id not in self.seen:
                first.setdefault(sighting.device.id, sighting)
        self.repeats += len(page) - len(first)
        return list(first.values())

    def note(self, ids: Iterable[str], *, odd: int = 0, total: int | None = None, guard: str = "") -> None:
        """Take in one page: the ids on it, rows nobody could read, the vendor's own total, a paging guard's word."""
        before = len(self.seen)
        ids = list(ids)
        self.seen.update(ids)
        self.rows += len(ids) + odd
        self.odd += odd
        self._total = total if total is not None else self._total
        self._guard = guard or self._guard
        if ids and len(self.seen) == before:
            self._guard = self._guard or "a page held only devices seen before"

    def break_off(self) -> None:
        """A failure came in between: what follows resumes the walk, which then tells statuses, never absences."""
        self.resumed = True

    def shortfall(self) -> str:
        """Why this ended walk is not complete; empty when it is.

        Complete: unbroken from its first page, ended as the vendor's paging says, with at least `total` devices, odd
        rows counted: a row that comes twice may stand in the place of one that was passed over.
        """
        if self.resumed:
            return "the walk was resumed after a failure"
        if self._guard:
            return self._guard
        if self._total is not None and len(self.seen) + self.odd < self._total:
            twice = self.rows - self.odd - len(self.seen)
            came = f"{len(self.seen)} devices came of {self._total} announced"
            return f"{came}, {twice} {'row' if twice == 1 else 'rows'} came twice" if twice else came
        return ""

    @property
    def complete(self) -> bool:
        """Whether nothing is missing from it."""
        return not self.shortfall()

    @property
    def tells_absence(self) -> bool:
        """A row that could not be read may be the very device that seems absent, so odd rows forbid it."""
        return self.complete and not self.odd
