"""What jobs, deployments and tunnels have alike: they are followed by their ids, in the journal and on the pages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from fleetpulse.fleet.events import Event, SourceEvent
from fleetpulse.fleet.source import SourceRecord
from fleetpulse.sweeping.standing import Entry


class FollowedChanges(Protocol):
    """What a list or a look would change of followed things; one mapped to None is forgotten."""

    @property
    def events(self) -> Sequence[Event]:
        """What happened, in order."""
        ...

    @property
    def followed(self) -> Mapping[str, Any]:
        """What is kept of each from now on, by id."""
        ...


Changes = TypeVar("Changes", bound=FollowedChanges)


class Following(Generic[Changes]):
    """The things of one kind that are followed of one source.

    `kind` is the word under which the journal keeps them; `accept` takes committed changes over, `show` renders.
    `confirmed` names those that were seen again as something that may last for too long.
    """

    def __init__(
        self,
        kind: str,
        *,
        accept: Callable[[Changes], None],
        show: Callable[[], None],
        confirmed: Callable[[Changes], tuple[str, ...]] = lambda _: (),
    ) -> None:
        self._kind = kind
        self._accept = accept
        self._show = show
        self._confirmed = confirmed

    def rows(self, changes: Changes) -> Mapping[tuple[str, str], msgspec.Struct | None]:
        """What the journal is to keep of the changes."""
        return {(self._kind, id_): followed for id_, followed in changes.followed.items()}

    def take_over(self, changes: Changes, *, ended: bool) -> None:
        """Take over what was committed, and show it; where a sweep ended, what is too old to be shown goes as well."""
        self._accept(changes)
        if changes.followed or ended:
            self._show()

    def entry(self, changes: Changes, *, record: SourceRecord | None = None, more: Sequence[SourceEvent] = ()) -> Entry:
        """What is to be written of the changes, at a sweep's end beside what becomes of the source's record."""
        return Entry(
            events=(*changes.events, *more),
            followed=self.rows(changes),
            record=record,
            accept=lambda: self.take_over(changes, ended=record is not None),
            observed=self._confirmed(changes),
        )
