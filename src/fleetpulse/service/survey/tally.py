"""What one walk of a survey adds up to. Pure."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from fleetpulse.fleet.deployment import Deployment, RolloutStatus, overall
from fleetpulse.fleet.device import Aspect, Sighting
from fleetpulse.vendors.contract import NO_WORD, Page

MOST_ROWS: Final = 200_000  # as many devices as a source may have; a list without end must not fill the memory
MOST_ROLLOUTS: Final = 10_000  # deployments that devices tell of


class Tally:
    """Adds up pages, and says at the end what was odd about them."""

    def __init__(self, *, now: datetime, since: timedelta) -> None:
        self.rows = 0
        self.total: int | None = None
        self.pages = 0
        self.at_least = False
        self.counts: Counter[str] = Counter()
        self.groups: set[str] | None = None
        self.recent: list[Deployment] = []
        """Deployments that are no older than `since`."""
        self.rollouts: dict[str, set[RolloutStatus]] = {}
        """What devices tell of those deployments, where the vendor has no list of them."""
        self.extra: list[str] = []
        """Further oddities, in words."""
        self._oldest_at = now - since
        self._ids: set[str] = set()
        self._repeats = 0
        self._odd = 0
        self._oddity = ""
        self._unknown_word = ""
        self._guard = ""
        self._unmatched = ""

    @property
    def too_many(self) -> bool:
        """Whether it goes on beyond what any source may have."""
        return self.rows > MOST_ROWS

    def note(self, page: Page[Any]) -> None:
        """Take in what every page tells."""
        self.pages += 1
        self._odd += page.odd
        self._oddity = self._oddity or page.oddity
        self._unknown_word = self._unknown_word or page.unknown_word
        self._guard = self._guard or page.guarded
        self._unmatched = page.unmatched or self._unmatched
        self.total = page.total if page.total is not None else self.total

    def devices(self, page: Page[Sighting]) -> None:
        """Devices, once each."""
        for sighting in page.items:
            if self._first(sighting.device.id):
                if Aspect.STATUS in page.aspects:
                    self.counts[sighting.status.value] += 1
                if Aspect.ATTRIBUTES in page.aspects and sighting.device.group:
                    self.groups = self.groups or set()
                    self.groups.add(sighting.device.group)
        for told in page.rollouts:
            known = self.rollouts.get(told.deployment.id)
            if known is not None:
                known.add(told.status)
            elif self._is_recent(told.deployment) and len(self.rollouts) < MOST_ROLLOUTS:
                self.rollouts[told.deployment.id] = {told.status}

    def deployments(self, page: Page[Deployment]) -> None:
        """Deployments; the older ones are passed over."""
        self.recent += [one for one in page.items if self._is_recent(one) and self._first(one.id)]

    def things(self, page: Page[Any]) -> None:
        """Whatever has an id, and perhaps a status."""
        for thing in page.items:
            if self._first(thing.id) and (status := getattr(thing, "status", None)) is not None:
                self.counts[status.value] += 1

    def rollout_counts(self) -> dict[str, int]:
        """The deployments that devices tell of, by their status."""
        return dict(Counter(overall({word: word for word in words}).value for words in self.rollouts.values()))

    def odd(self, *, whole: bool) -> Iterator[str]:
        """What was odd, a sentence each; `whole`: the walk came to its end."""
        if self._odd:
            rows = "a row" if self._odd == 1 else f"{self._odd:,} rows"
            yield f"{rows} could not be read" + (f": {self._oddity}" if self._oddity else "")
        elif self._oddity:
            yield self._oddity
        if self._unknown_word:
            wordless = self._unknown_word == NO_WORD
            yield "some rows have no status" if wordless else f"unknown status {self._unknown_word!r}"
        if self._guard:
            yield self._guard
        elif whole and self.total is not None and self.rows + self._repeats + self._odd < self.total:
            yield f"{self.rows:,} rows came of {self.total:,} announced"
        if self._repeats:
            yield f"{self._repeats:,} rows came twice"
        if self._unmatched:
            yield self._unmatched
        yield from self.extra

    def _first(self, id_: str) -> bool:
        if id_ in self._ids:
            self._repeats += 1
            return False
        self._ids.add(id_)
        self.rows += 1
        return True

    def _is_recent(self, deployment: Deployment) -> bool:
        return deployment.created_at is None or deployment.created_at >= self._oldest_at
