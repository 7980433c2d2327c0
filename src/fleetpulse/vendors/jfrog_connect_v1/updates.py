"""The last updates of a device become its part in deployments: this API has no list of deployments itself.

Source: docs/vendors/jfrog-connect-v1.md, "Deployments".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from fleetpulse.fleet.deployment import Deployment, Rollout, RolloutStatus
from fleetpulse.vendors.wire import parse_time, text, word
from fleetpulse.vendors.wire.values import TEXT_LIMIT

_UPDATES_MAX = 5  # of each kind: "the last five"
_APPS_MAX = 100
_NAME_SHOWN = 100  # of a flow or a version within an id
_COMMENT_READ = 10 * TEXT_LIMIT  # more than is shown: it is cut after redacting, for half a secret would pass
_SETTLED_FOR = timedelta(minutes=10)  # until a version that was installed is reported: heartbeats come every 25 s
_BY_HAND = "manual"

_STATUSES: Mapping[str, RolloutStatus] = {
    "pending": RolloutStatus.PENDING,
    "in_progress": RolloutStatus.IN_PROGRESS,
    "success": RolloutStatus.SUCCEEDED,
    "succeeded": RolloutStatus.SUCCEEDED,
    "failed": RolloutStatus.FAILED,
    "failure": RolloutStatus.FAILED,
    "aborted": RolloutStatus.ABORTED,
}


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment on one device. `apps` are the versions it set, by app; `at` the latest time it names."""

    deployment: Deployment
    status: RolloutStatus
    at: datetime | None
    finished_at: datetime | None = None
    comment: str = ""
    apps: Mapping[str, str] = {}


def rollouts(
    device: str,
    *,
    updates: object,
    updates_v2: object,
    apps: object,
    redact: Callable[[str], str],
    now: datetime,
) -> Iterator[Rollout]:
    """The deployments that a device's row tells of, each once.

    An entry that does not say which deployment it belongs to is passed over: it may be any.
    """
    found = [*_flows(updates_v2), *_versions(updates)]
    reported = _by_app(apps, "version")
    for update in _newest_each(found):
        yield Rollout(
            deployment=update.deployment,
            device=device,
            status=update.status,
            error=text(redact(update.comment)) if update.status is RolloutStatus.FAILED else "",
            contradiction=text(redact(_contradiction(update, found, reported, now=now))),
        )


def strange_words(*listed: object) -> list[object]:
    """The statuses of these lists of updates that nobody documented."""
    return [
        entry.get("update_status") or entry.get("deployment_status")
        for updates in listed
        for entry in _entries(updates)
        if _status(entry) is RolloutStatus.UNKNOWN
    ]


def _flows(listed: object) -> Iterator[Update]:
    """Entries of `updates_v2`. All devices of a deployment share its flow, its schedule and its type, and no id."""
    for entry in _entries(listed):
        flow = text(entry.get("flow_name"), _NAME_SHOWN)
        # Q4: the example and the field list spell the schedule and the status differently
        scheduled_at = _time(entry, "deployment_schedule_time", "deployment_scheduled_time")
        if not flow or scheduled_at is None:
            continue
        kind = text(entry.get("deployment_type"), _NAME_SHOWN)
        by_other_means = f".{kind}" if kind and word(kind) != _BY_HAND else ""
        finished_at = _time(entry, "deployment_finish_time")
        yield Update(
            deployment=Deployment(
                id=f"{flow}@{scheduled_at:%Y-%m-%dT%H:%M:%SZ}{by_other_means}",
                name=flow,
                kind=kind,
                created_at=scheduled_at,
            ),
            status=_status(entry),
            at=finished_at or _time(entry, "deployment_start_time") or scheduled_at,
            finished_at=finished_at,
            comment=text(entry.get("comment"), _COMMENT_READ),
            apps=_by_app(entry.get("apps_updated"), "app_new_version"),
        )


def _versions(listed: object) -> Iterator[Update]:
    """Entries of `updates`, the older way of rolling out: a numbered update to one version."""
    for entry in _entries(listed):
        number = text(entry.get("update_id"), _NAME_SHOWN)
        if not number:
            continue
        version = text(entry.get("update_version"), _NAME_SHOWN)
        scheduled_at = _time(entry, "deployment_schedule_time", "deployment_scheduled_time")
        yield Update(
            deployment=Deployment(
                id=f"update-{number}@{version}" if version else f"update-{number}",
                name=version or f"update {number}",
                created_at=scheduled_at,
            ),
            status=_status(entry),
            at=scheduled_at,
            comment=text(entry.get("comment"), _COMMENT_READ),
        )


def _newest_each(updates: Sequence[Update]) -> Sequence[Update]:
    """Of entries of the same deployment the one with the latest time, and of those at the same time the settled one."""
    kept: dict[str, Update] = {}
    for update in updates:
        known = kept.get(update.deployment.id)
        if known is None or _standing(update) > _standing(known):
            kept[update.deployment.id] = update
    return list(kept.values())


def _standing(update: Update) -> tuple[float, bool]:
    return 0.0 if update.at is None else update.at.timestamp(), update.status.settled


def _contradiction(update: Update, updates: Sequence[Update], reported: Mapping[str, str], *, now: datetime) -> str:
    """What the device reports instead of what a success installed.

    Only of an app that no later update may have touched, only some time after the end, and only where the device
    reports a version of it at all: the rest may be explained by something else.
    """
    finished_at = update.finished_at
    if update.status is not RolloutStatus.SUCCEEDED or finished_at is None or now - finished_at < _SETTLED_FOR:
        return ""
    later = [
        other
        for other in updates
        if other is not update
        and other.status not in {RolloutStatus.PENDING, RolloutStatus.ABORTED}
        and (other.at is None or other.at >= finished_at)
    ]
    if not all(other.apps for other in later):  # one that names no app may have touched any
        return ""
    touched = {app for other in later for app in other.apps}
    return ", ".join(
        f"{app} {reported[app]} instead of {version}"
        for app, version in update.apps.items()
        if app in reported and app not in touched and _plain(reported[app]) != _plain(version)
    )


def _plain(version: str) -> str:
    """A version for comparing: `v1.4` and `1.4` are the same."""
    return version.casefold().removeprefix("v")


def _status(entry: Mapping[str, Any]) -> RolloutStatus:
    spelled = word(entry.get("update_status")) or word(entry.get("deployment_status"))
    return _STATUSES.get(spelled, RolloutStatus.UNKNOWN)


def _time(entry: Mapping[str, Any], *names: str) -> datetime | None:
    return next((at for name in names if (at := parse_time(entry.get(name))) is not None), None)


def _by_app(listed: object, key: str) -> dict[str, str]:
    """Versions by the app's name; what lacks either is left out."""
    return {
        app: version
        for entry in _entries(listed, _APPS_MAX)
        if (app := text(entry.get("app_name"))) and (version := text(entry.get(key)))
    }


def _entries(listed: object, most: int = _UPDATES_MAX) -> list[dict[str, Any]]:
    return [entry for entry in listed[:most] if isinstance(entry, dict)] if isinstance(listed, list) else []
