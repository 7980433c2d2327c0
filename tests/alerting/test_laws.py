"""Laws of alerting, whatever happens in whatever order."""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.stage import (
    AT_ONCE,
    HOUR,
    MINUTE,
    NO_WAIT,
    ROUTE,
    SOURCE,
    T0,
    Stage,
    baselined,
    degraded,
    failing,
    finished,
    job_ended,
    recovered,
    removed,
    renamed,
    rollout,
    rule,
    tunnelled,
    turned,
)
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.judge import Observed
from fleetpulse.alerting.ledger import Ledger
from fleetpulse.alerting.matchers import parse_matcher
from fleetpulse.alerting.notification import AlertStatus, Notification, ToldAlert
from fleetpulse.alerting.rules import DEFAULT_RULES
from fleetpulse.alerting.state import AlertState, Judgement
from fleetpulse.fleet.device import Device, SimState
from fleetpulse.fleet.events import (
    DeviceBecameUnknown,
    DeviceCameOnline,
    DeviceWentMissing,
    DeviceWentOffline,
    Event,
    Problem,
    SimChanged,
    TunnelClosed,
    TunnelOpened,
)

DEVICES = ("d-1", "d-2", "d-3")
DEPLOYMENTS = ("dp-1", "dp-2")
KINDS = {
    "offline": DeviceWentOffline,
    "online": DeviceCameOnline,
    "unknown": DeviceBecameUnknown,
    "missing": DeviceWentMissing,
}
PROBLEMS = {
    "down": Problem.DOWN,
    "stale": Problem.STALE,
    "rejected": Problem.REJECTED,
    "limited": Problem.RATE_LIMITED,
    "paused": Problem.PAUSED,
    "expiring": Problem.EXPIRING,
}
TUNNELS = ("t-1", "t-2")

Step = tuple[str, Any]
device_steps: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(["offline", "offline", "online", "unknown", "missing", "rename"]), st.sampled_from(DEVICES)
)
time_steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([0.1, 0.5, 1, 4, 5, 6, 30, 250])), st.just(("see", None))
)
deployment_steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("fail"), st.tuples(st.sampled_from(DEPLOYMENTS), st.integers(1, 6))),
    st.tuples(st.just("finish"), st.sampled_from(DEPLOYMENTS)),
    st.tuples(st.just("job"), st.sampled_from(["1", "2"])),
)
thing_steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.sampled_from(["sim paused", "sim active"]), st.sampled_from(DEVICES)),
    st.tuples(st.sampled_from(["tunnel", "tunnel closed"]), st.sampled_from(TUNNELS)),
)
source_steps: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(["begins", "ends"]), st.sampled_from(sorted(PROBLEMS))
)
all_steps = st.one_of(device_steps, time_steps, deployment_steps, thing_steps, source_steps)
steps = st.lists(all_steps, max_size=25)
rare_steps: st.SearchStrategy[Step] = st.sampled_from([("baseline", None), ("removed", None)])

BRANCHED = msgspec.structs.replace(
    ROUTE,
    routes=(
        msgspec.structs.replace(NO_WAIT, key="{}/a", receiver="audit", group_by=("...",), matchers=(), continue_=True),
        msgspec.structs.replace(
            ROUTE,
            key="{}/b",
            receiver="oncall",
            group_by=("source",),
            group_wait=7 * MINUTE,
            matchers=(parse_matcher("severity=critical"),),
        ),
        msgspec.structs.replace(ROUTE, key="{}/c", receiver="audit", group_by=("source",), continue_=True),
    ),
)
REPORTING = {SOURCE: SourceFacts(SOURCE, "jfrog-connect", "JFrog Connect")}
SLEEPING = {SOURCE: SourceFacts(SOURCE, "hologram", "Hologram", offline_for=None, silent_after=5 * MINUTE)}
wirings: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "rules": st.sampled_from(
            [
                DEFAULT_RULES,
                AT_ONCE,
                rule("FleetDeviceOffline", keep_firing_for=3 * MINUTE),
                rule("FleetDeviceOffline", AT_ONCE, keep_firing_for=3 * MINUTE),
                rule("FleetDeploymentFailed", count=3, for_=2 * MINUTE),
            ]
        ),
        "route": st.sampled_from([ROUTE, NO_WAIT, BRANCHED, msgspec.structs.replace(ROUTE, repeat_interval=MINUTE)]),
        "send_resolved": st.sampled_from([{}, {"ops": False}]),
        "sources": st.sampled_from([REPORTING, SLEEPING]),
    }
)


def act(stage: Stage, step: Step) -> None:
    """Let one step happen."""
    match step:
        case "wait", minutes:
            stage.wait(minutes * MINUTE)
        case "see", _:
            stage.see(*DEVICES, *TUNNELS, "devices", "devices/stale", "devices/rate_limited")
        case _:
            stage.play(event_of(step, at=stage.now))


def event_of(step: Step, *, at: datetime) -> Event:
    what, of = step
    match what:
        case "rename":
            event: Event = renamed(of, at=at, group="Nantes", name="new")
        case "fail":
            event = failing(rollout(*of), at=at)
        case "finish":
            event = finished(rollout(of, 2, done=True), at=at)
        case "job":
            event = job_ended(of, at=at)
        case "begins":
            event = degraded(PROBLEMS[of], at=at, until_at=at + 14 * 24 * HOUR + 4 * MINUTE)
        case "ends":
            event = recovered(PROBLEMS[of], at=at)
        case "baseline":
            event = baselined(*DEVICES, at=at)
        case "removed":
            event = removed(at=at)
        case _:
            event = thing_event_of(step, at=at)
    return event


def thing_event_of(step: Step, *, at: datetime) -> Event:
    what, of = step
    match what:
        case "sim paused" | "sim active":
            state = SimState.PAUSED_BY_SYSTEM if what == "sim paused" else SimState.ACTIVE
            return turned(SimChanged, of, at=at, sim=state, before=Device(of))
        case "tunnel" | "tunnel closed":
            return tunnelled(TunnelOpened if what == "tunnel" else TunnelClosed, of, at=at)
        case _:
            return turned(KINDS[what], of, at=at)


def plausible(steps: list[Step]) -> list[Step]:
    """Without what comes after an end: the known fleet tells no deployment's and no job's end twice."""
    ended: set[str] = set()
    kept = []
    for what, of in steps:
        thing = of[0] if what == "fail" else of
        if what in {"fail", "finish", "job"} and thing in ended:
            continue
        if what in {"finish", "job"}:
            ended.add(thing)
        kept.append((what, of))
    return kept


def held(ledger: Ledger) -> tuple[Any, ...]:
    parts = (ledger.conditions, ledger.alerts, ledger.groups, ledger.told)
    return (*(dict(part.items()) for part in parts), ledger.due_at())


class Hesitant(Stage):
    """Judges everything twice, as after a commit that failed."""

    def judge(self, events: Sequence[tuple[int, Event]], observed: Sequence[Observed]) -> Judgement:
        before, ids = held(self.alerting.ledger), self._ids
        first = super().judge(events, observed)
        assert held(self.alerting.ledger) == before, "judging changed something"
        self._ids = ids
        second = super().judge(events, observed)
        assert second == first
        return second


@given(wiring=wirings, steps=st.lists(all_steps | rare_steps))
@settings(max_examples=60)
def test_judging_changes_nothing_and_judges_the_same_again(wiring: dict[str, Any], steps: list[Step]) -> None:
    stage = Hesitant(**wiring)

    for step in steps:
        act(stage, step)


@given(
    wiring=wirings,
    steps=st.lists(st.tuples(all_steps | rare_steps, st.booleans())),
)
@settings(max_examples=100)
def test_after_a_crash_all_goes_on_as_if_there_had_been_none(
    wiring: dict[str, Any], steps: list[tuple[Step, bool]]
) -> None:
    steady, crashing = Stage(**wiring), Stage(**wiring)

    for step, crashes in steps:
        if crashes:
            crashing.restart()
            assert not crashing.judgements.pop()
        act(steady, step)
        act(crashing, step)

    assert crashing.judgements == steady.judgements
    assert held(crashing.alerting.ledger) == held(steady.alerting.ledger)


def size_of(alert: ToldAlert) -> int:
    """How much of a past fact was told: on how many devices a deployment failed."""
    found = re.search(r"failed on (\d+) of", alert.annotations["summary"])
    return int(found[1]) if found else 1


class Reader:
    """One receiver, believing what it is told; what it is told must never contradict what it believes."""

    def __init__(self) -> None:
        self.firing: set[str] = set()
        self.facts: dict[str, int] = {}

    def read(self, told: Notification) -> None:
        assert any(alert.new for alert in told.alerts) or told.reason == "repeat"
        for alert in told.alerts:
            fact = "deployment" in alert.labels or "bulk_job" in alert.labels
            if fact:
                assert alert.new
                size = size_of(alert)
                assert size > self.facts.get(alert.fingerprint, 0), "told twice, or though it did not grow"
                self.facts[alert.fingerprint] = size
            elif alert.status is AlertStatus.RESOLVED:
                assert alert.fingerprint in self.firing, "an end of what was never told, or told twice"
                self.firing.remove(alert.fingerprint)
            else:
                assert alert.new is (alert.fingerprint not in self.firing), "told twice, or listed before it was told"
                self.firing.add(alert.fingerprint)


@given(wiring=wirings, steps=steps.map(plausible))
@settings(max_examples=150)
def test_each_alert_that_stays_is_told_once_and_its_end_once_and_nothing_else(
    wiring: dict[str, Any], steps: list[Step]
) -> None:
    stage = Stage(**{**wiring, "send_resolved": {}})
    readers: dict[str, Reader] = defaultdict(Reader)

    for step in steps:
        act(stage, step)
    stage.wait(HOUR)
    alerts = dict(stage.alerting.ledger.alerts.items())
    for told in stage.told:
        readers[told.receiver].read(told)

    for fingerprint, alert in alerts.items():
        assert alert.state is not AlertState.RESOLVED
        if alert.state is AlertState.FIRING:
            for receiver in {route.receiver for route in wiring["route"].matching(alert.labels)}:
                reader = readers[receiver]
                told_whole = reader.facts.get(fingerprint, 0) >= alert.size
                assert told_whole if alert.occurrence else fingerprint in reader.firing
    assert {fingerprint for reader in readers.values() for fingerprint in reader.firing} <= alerts.keys()


@given(wiring=wirings, steps=steps)
@settings(max_examples=60)
def test_everything_that_begins_has_an_end_and_leaves_nothing(wiring: dict[str, Any], steps: list[Step]) -> None:
    stage = Stage(**wiring)
    for step in steps:
        act(stage, step)

    for problem in PROBLEMS:
        act(stage, ("ends", problem))
    for deployment in DEPLOYMENTS:
        act(stage, ("finish", deployment))
    for tunnel in TUNNELS:
        act(stage, ("tunnel closed", tunnel))
    stage.online(*DEVICES)
    stage.wait(48 * HOUR)

    assert stage.is_empty()
    assert stage.alerting.due_at() is None


@given(steps=st.lists(device_steps | time_steps, max_size=30))
@settings(max_examples=100)
def test_what_fires_is_what_was_seen_offline_after_its_for(steps: list[Step]) -> None:
    stage = Stage()
    since: dict[str, datetime] = {}
    unsure: set[str] = set()
    firing: set[str] = set()

    for step in steps:
        act(stage, step)
        match step:
            case "offline", device:
                since.setdefault(device, stage.now)
                unsure.discard(device)
            case "rename", device:
                unsure.discard(device)  # a change is told with the status, and `renamed` says offline
            case "unknown", device:
                unsure.add(device)
            case (("online" | "missing"), device):
                since.pop(device, None)
                firing.discard(device)
                unsure.discard(device)
            case "see", _:
                sure = {device: at for device, at in since.items() if device not in unsure}
                firing |= {device for device, at in sure.items() if at + 5 * MINUTE <= stage.now}

    assert stage.alerts() == sorted(firing)
    assert stage.alerts(AlertState.PENDING) == sorted(since.keys() - firing)


@given(
    wiring=wirings,
    timed=st.lists(
        st.tuples(device_steps | deployment_steps | thing_steps, st.sampled_from([0, 1, 2, 4]), st.booleans()),
        max_size=15,
    ),
)
@settings(max_examples=150)
def test_the_same_events_cut_into_other_batches_leave_the_same_alerts(
    wiring: dict[str, Any], timed: list[tuple[Step, int, bool]]
) -> None:
    singly, batched = Stage(**wiring), Stage(**wiring)
    batch: list[Event] = []

    for step, minutes, cut in timed:
        singly.wait(timedelta(minutes=minutes))
        batch.append(event_of(step, at=singly.now))
        singly.play(event_of(step, at=singly.now))
        if cut:
            batched.now = singly.now
            batched.play(*batch)
            batch = []
    batched.now = singly.now
    batched.play(*batch)

    assert open_alerts(batched) == open_alerts(singly)


def open_alerts(stage: Stage) -> dict[str, tuple[Any, ...]]:
    return {
        fingerprint: (alert.state, alert.starts_at, alert.size, alert.events)
        for fingerprint, alert in stage.alerting.ledger.alerts.items()
        if alert.state is not AlertState.RESOLVED
    }


def test_the_laws_are_not_empty() -> None:
    """The steps do reach messages, ends and growth."""
    stage = Stage(rules=AT_ONCE, route=BRANCHED)

    for step in (("offline", "d-1"), ("fail", ("dp-1", 2)), ("wait", 30), ("fail", ("dp-1", 3)), ("online", "d-1")):
        act(stage, step)
    stage.wait(HOUR)

    assert {each.reason for each in stage.told} == {"first", "grew", "resolved"}
    assert stage.now > T0
    assert SOURCE in {each.group_labels["source"] for each in stage.told}
