"""What all simulated fleets share: devices in order of creation, found by their ids."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from random import Random


class Listed(Protocol):
    """A device of any vendor."""

    @property
    def uuid(self) -> str:
        """The id by which stories know it."""


Device = TypeVar("Device", bound=Listed)


class Fleet(ABC, Generic[Device]):
    """The devices of one account."""

    def __init__(self, rng: Random) -> None:
        """Start without devices; `rng` invents them."""
        self._rng = rng
        self._rows: list[Device] = []
        self._index: dict[str, Device] = {}
        self._serial = 0

    def __len__(self) -> int:
        """Tell how many devices there are."""
        return len(self._rows)

    def __contains__(self, uuid: object) -> bool:
        """Tell whether there is a device with this id."""
        return uuid in self._index

    def __getitem__(self, uuid: int | str) -> Device:
        """Find a device; LookupError when there is none."""
        try:
            return self._index[str(uuid)]
        except KeyError:
            message = f"no device {uuid!r}"
            raise LookupError(message) from None

    @property
    def rows(self) -> Sequence[Device]:
        """All devices, the oldest first."""
        return self._rows

    @abstractmethod
    def touch(self, device: Device) -> None:
        """Say that a device has changed."""

    def remove(self, uuids: Iterable[int | str]) -> Sequence[Device]:
        """Take devices out of the account, as if they had been deleted in the vendor's web page; gives them."""
        gone = {device.uuid: device for device in map(self.__getitem__, uuids)}
        if gone:
            leaving = set(map(id, gone.values()))
            self._rows = [device for device in self._rows if id(device) not in leaving]
            for uuid in gone:
                del self._index[uuid]
        return list(gone.values())

    def _add(self, device: Device) -> None:
        self._rows.append(device)
        self._index[device.uuid] = device

    def _free_id(self, wanted: str | None, invent: Callable[[], str]) -> str:
        """Give the wanted id, or an invented one that nobody has; ValueError when the wanted one is taken."""
        if wanted and wanted in self._index:
            message = f"there is a device {wanted!r} already"
            raise ValueError(message)
        uuid = wanted or invent()
        while uuid in self._index:
            uuid = invent()
        return uuid
