"""Update flows: the recipes that deployments follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fleetpulse.simulator.jfrog_connect import dates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random


@dataclass(frozen=True, slots=True)
class Flow:
    """One update flow; `yaml` is None for a flow made in the vendor's web page."""

    serial: int
    uuid: str
    name: str
    created_at: float
    severity: str | None
    yaml: str | None

    def row(self) -> dict[str, Any]:
        """Word this as the list does."""
        return {
            "name": self.name,
            "uuid": self.uuid,
            "update_parameters": ["channel"],
            "created_time": dates.naive(self.created_at),
            "cve_severity": self.severity,
        }


class Flows:
    """All update flows of a project."""

    def __init__(self, rng: Random) -> None:
        """Start without any; `rng` gives them their ids."""
        self._rng = rng
        self._flows: dict[str, Flow] = {}

    @property
    def rows(self) -> Sequence[Flow]:
        """All flows, the oldest first."""
        return list(self._flows.values())

    def with_uuid(self, uuid: str) -> Flow | None:
        """Find a flow by its uuid."""
        return next((flow for flow in self._flows.values() if flow.uuid == uuid), None)

    def add(self, name: str, *, now_s: float, severity: str | None = None, from_yaml: bool = True) -> Flow:
        """Add a flow, or find the one of this name.

        The vendor shows two forms of a flow's uuid; flows from YAML get the short one, the others the long one.
        """
        flow = self._flows.get(name)
        if flow is None:
            digits = f"{self._rng.getrandbits(32):08x}"
            short, long = f"f-{digits[:4]}-{digits[4:]}", str(UUID(int=self._rng.getrandbits(128), version=4))
            flow = Flow(
                serial=len(self._flows) + 1,
                uuid=short if from_yaml else long,
                name=name,
                created_at=now_s,
                severity=severity,
                yaml=f"flows:\n  {name}:\n    steps:\n      - name: install\n        run: ./install.sh\n"
                if from_yaml
                else None,
            )
            self._flows[name] = flow
        return flow

    def set_severity(self, name: str, severity: str | None) -> None:
        """Give a flow another worst severity; LookupError when there is none of this name."""
        if name not in self._flows:
            message = f"no update flow {name!r}"
            raise LookupError(message)
        self._flows[name] = replace(self._flows[name], severity=severity)
