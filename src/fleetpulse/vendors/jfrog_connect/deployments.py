"""Deployments, their devices, and the steps that failed."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fleetpulse.fleet.deployment import Deployment, FailedStep, RolloutStatus
from fleetpulse.vendors.jfrog_connect.devices import device_id
from fleetpulse.vendors.jfrog_connect.severities import findings
from fleetpulse.vendors.wire import Rows, Table, identifier, made_of, number, output_tail, parse_time, text, word

OUTPUT_LIMIT = 2000  # characters: what fits into a message and tells the cause
_STEPS_MAX = 20

_STATUSES: Mapping[str, RolloutStatus] = {
    "pending": RolloutStatus.PENDING,
    "in_progress": RolloutStatus.IN_PROGRESS,
    "succeeded": RolloutStatus.SUCCEEDED,
    "success": RolloutStatus.SUCCEEDED,
    "failed": RolloutStatus.FAILED,
    "failure": RolloutStatus.FAILED,
    "aborted": RolloutStatus.ABORTED,
}
# Q12: a step that failed may say so only in what it printed ("script ended with code 127", exit code 0)
_SHOWS_FAILURE = re.compile(
    r"\b(?:code|status)[ :=]+[1-9]\d*\b|\b(?:error|failed|failure|fatal|exception|traceback|panic|killed)\b"
    r"|not found|no such file|permission denied|no space left",
    re.IGNORECASE,
)
# "0 failed", "no error found", "failed=0" tell of no fault; what is left of the output decides
_DENIES_FAILURE = re.compile(
    r"\b(?:no|0|zero|without|never)[ :=]+(?:any |fatal )?(?:error|failed|failure|fatal|exception)\b"
    r"|\b(?:error|failed|failure)[ :=]+0\b|\berror-free\b",
    re.IGNORECASE,
)


class DeploymentRow(msgspec.Struct):
    """The fields that are used, of any type; Q10: the counts stand beside `cve_severity` or under it."""

    deployment_uuid: Any = None
    comment: Any = None
    type: Any = None
    created_time: Any = None
    cve_severity: Any = None
    Critical: Any = None
    High: Any = None
    Medium: Any = None
    Low: Any = None


def deployment_table() -> Table[DeploymentRow]:
    """The envelope is documented; the other names are those the device list may have (Q8)."""
    return Table(DeploymentRow, keys=("deployments", "data", "items"), lone="deployment_uuid")


async def deployments(rows: Rows[DeploymentRow]) -> Rows[Deployment]:
    """The page's deployments, without their devices; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where no row has one.
    """
    return await made_of(rows, _deployment, lacking="no deployment_uuid")


async def rollout(found: Any) -> Rows[tuple[str, RolloutStatus]] | None:
    """The statuses by device of one page; None where the answer holds no such map.

    An entry may be an object with a `status`, or the status itself; a status nobody documented is `unknown`.
    Errors: AnswerInvalid where there are devices and none has either.
    """
    by_device = _by_device(found)
    if by_device is None:
        return None
    return await made_of(
        Rows(items=list(by_device.items()), beside=found), _device, lacking="a device without a status"
    )


def strange(found: Any) -> list[object]:
    """The statuses in an answer with a map that nobody documented."""
    words = (_word(entry) for entry in (_by_device(found) or {}).values() if isinstance(entry, dict | str))
    return [value for value in words if status(value) is RolloutStatus.UNKNOWN]


def status(value: object) -> RolloutStatus:
    """One of our words for any of the vendor's spellings of it."""
    return _STATUSES.get(word(value), RolloutStatus.UNKNOWN)


def failed_steps(found: Any, *, device: str, redact: Callable[[str], str]) -> tuple[FailedStep, ...] | None:
    """Why a device failed; nothing when it did not, None where the answer is no such thing.

    Q11: the detail may be wrapped in `value`. Q12: the device's `status` decides whether it failed, never an exit code;
    which step it was is told by exit code or output, and where none of them shows it, it is taken to be the last.
    """
    detail = found.get("value", found) if isinstance(found, dict) else None
    if not isinstance(detail, dict) or "status" not in detail:
        return None
    if status(detail.get("status")) not in {RolloutStatus.FAILED, RolloutStatus.UNKNOWN}:
        return ()
    listed = detail.get("steps")
    steps = [step for step in listed if isinstance(step, dict)] if isinstance(listed, list) else []
    failing = [step for step in steps if _shows_failure(step)] or steps[-1:]
    return tuple(
        FailedStep(device=device, name=text(redact(text(step.get("name")))), output=_output(step, redact=redact))
        for step in failing[:_STEPS_MAX]
    )


def _deployment(row: DeploymentRow) -> Deployment | None:
    spelled = identifier(row.deployment_uuid)
    if not spelled:
        return None
    return Deployment(
        id=spelled,
        name=text(row.comment) or spelled,
        kind=text(row.type),
        created_at=parse_time(row.created_time),
        vulnerabilities=findings(msgspec.structs.asdict(row), row.cve_severity),
    )


def _by_device(found: Any) -> Mapping[str, Any] | None:
    if not isinstance(found, dict) or "deployment_by_device_uuid" not in found:
        return None
    by_device = found["deployment_by_device_uuid"]
    if by_device is None:
        return {}
    return by_device if isinstance(by_device, dict) else None


def _device(entry: tuple[str, Any]) -> tuple[str, RolloutStatus] | None:
    spelled = device_id(entry[0])
    return (spelled, status(_word(entry[1]))) if spelled and isinstance(entry[1], dict | str) else None


def _word(entry: dict[str, Any] | str) -> object:
    return entry.get("status") if isinstance(entry, dict) else entry


def _shows_failure(step: Mapping[str, Any]) -> bool:
    return (
        bool(number(step.get("exit_code")))
        or status(step.get("status")) is RolloutStatus.FAILED
        or any(_tells_failure(output_tail(step.get(stream), OUTPUT_LIMIT)) for stream in ("stderr", "stdout"))
    )


def _tells_failure(output: str) -> bool:
    return _SHOWS_FAILURE.search(_DENIES_FAILURE.sub("", output)) is not None


def _output(step: Mapping[str, Any], *, redact: Callable[[str], str]) -> str:
    """The end of stderr, or of stdout where stderr is silent. Redacted before it is cut: half a secret is no match."""
    for stream in ("stderr", "stdout"):
        if printed := output_tail(step.get(stream), 2 * OUTPUT_LIMIT):
            return redact(printed)[-OUTPUT_LIMIT:]
    return ""
