"""What a running service must tell for the command line to show it. More may be told; one of another age tells less."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, NotRequired, TypedDict

import msgspec

from fleetpulse.service.failures import DoneBadlyError
from fleetpulse.service.tables import plain

Row = Mapping[str, Any]

_STRANGER: Final = "so it is no fleetpulse, or one of another age: use the fleetpulse that the service runs"

_Time = Annotated[datetime, msgspec.Meta(tz=True)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Counts = dict[str, int]


class _Progress(TypedDict):
    rows: int
    total: int | None


class _Resource(TypedDict):
    last_success: _Time | None
    interval_s: _Seconds
    asked_interval_s: _Seconds
    switched_off: bool
    progress: _Progress | None


class _Problem(TypedDict):
    resource: str
    problem: str
    since: _Time
    detail: str


class _Source(TypedDict):
    name: str
    vendor: str
    status: str
    fresh: bool
    stale_after_s: _Seconds
    paused: bool
    paused_until: _Time | None
    credentials: str
    credentials_expire: _Time | None
    credentials_unreadable: NotRequired[str | None]
    problems: list[_Problem]
    resources: dict[str, _Resource]
    devices: _Counts
    vendors_summary: dict[str, int | None] | None


class _Thing(TypedDict):
    source: str
    vendor: str
    id: str


class _AnyDevice(_Thing):
    name: str
    group: str
    tags: list[str]
    model: str
    version: str
    address: str
    sim: str | None
    status: str
    last_seen: _Time | None


class _Device(_AnyDevice):
    since: _Time
    stale: bool


class _AskedDevice(_AnyDevice):
    readings: dict[str, str | int | float | bool]


class _Deployment(_Thing):
    name: str
    kind: str
    status: str
    created: _Time | None
    devices: _Counts


class _FailedDevice(TypedDict):
    id: str
    name: str
    status: str | None


class _FailedStep(TypedDict):
    device: str
    name: str
    output: str


class _DeploymentDetails(_Deployment):
    failed: list[_FailedDevice]
    steps: list[_FailedStep]
    contradicted: dict[str, str]
    vulnerabilities: _Counts


class _Job(_Thing):
    action: str
    status: str
    word: str
    devices: int
    started: _Time | None
    ended: _Time | None
    requester: str
    origin: str


SHAPES: Final[Mapping[str, Any]] = {
    "source": _Source,
    "device": _Device,
    "asked device": _AskedDevice,
    "deployment": _Deployment,
    "deployment with details": _DeploymentDetails,
    "job": _Job,
}


def checked(found: Any, *, shape: str) -> Row:
    """The row as it came, once it is sure that it tells what is shown of its kind, one of `SHAPES`.

    Errors: DoneBadlyError.
    """
    try:
        row: Row = found
        msgspec.convert(row, SHAPES[shape])
    except msgspec.ValidationError as error:
        raise DoneBadlyError(
            f"what answers there tells of a {shape} otherwise than is read here ({plain(str(error))}), {_STRANGER}"
        ) from error
    return row


def listed(found: Any, *, what: str) -> list[Row]:
    """The rows of a list, `sources` for one of `source`.

    Errors: DoneBadlyError.
    """
    rows = found.get(what) if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise DoneBadlyError(f"what answers there tells of no {what}, {_STRANGER}")
    return [checked(row, shape=what.removesuffix("s")) for row in rows]
