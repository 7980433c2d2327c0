"""Promises of groups: who is told of what, when, how often, and that nothing is told twice."""

from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alerting.stage import (
    AT_ONCE,
    HOUR,
    MINUTE,
    NO_WAIT,
    ROUTE,
    SECOND,
    T0,
    Stage,
    degraded,
    recovered,
    rule,
    subjects,
)
from fleetpulse.alerting.grouping import next_tick
from fleetpulse.alerting.matchers import parse_matcher
from fleetpulse.alerting.notification import AlertStatus, NotifyReason
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.state import AlertState
from fleetpulse.fleet.events import Problem

FIRING, RESOLVED = AlertStatus


def branches(*routes: Route) -> Route:
    """A root that tells ops, with these routes below it."""
    return msgspec.structs.replace(ROUTE, routes=routes)


def branch(receiver: str, matcher: str = "", **settings: object) -> Route:
    matchers = (parse_matcher(matcher),) if matcher else ()
    return msgspec.structs.replace(ROUTE, key=f"{{}}/{receiver}", receiver=receiver, matchers=matchers, **settings)


def test_a_group_is_told_once_after_group_wait() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.offline("gate-17", "gate-18")
    stage.wait(29 * SECOND)
    stage.offline("gate-19")
    early = list(stage.told)

    (told,) = stage.wait(SECOND)

    assert early == []
    assert (told.receiver, told.reason, told.status) == ("ops", NotifyReason.FIRST, FIRING)
    assert subjects(told, FIRING, new=True) == ["gate-17", "gate-18", "gate-19"]
    assert (told.firing, told.before, told.added, told.ended) == (3, 0, 3, 0)
    assert (told.group_devices, told.group_online) == (15, 12)


def test_without_group_wait_the_judgement_itself_tells() -> None:
    stage = Stage(rules=AT_ONCE, route=NO_WAIT)

    told = stage.offline("gate-17", "gate-18")

    assert [subjects(each, FIRING) for each in told] == [["gate-17", "gate-18"]]


def test_alerts_are_grouped_by_the_labels_of_group_by() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.offline("gate-17", group="Lyon")
    stage.offline("gate-18", group="Nantes")
    stage.offline("gate-19", group="")

    told = stage.wait(30 * SECOND)

    assert {each.group_key: subjects(each, FIRING) for each in told} == {
        '{}:{alertname="FleetDeviceOffline", group="Lyon", source="edge-prod"}': ["gate-17"],
        '{}:{alertname="FleetDeviceOffline", group="Nantes", source="edge-prod"}': ["gate-18"],
        '{}:{alertname="FleetDeviceOffline", source="edge-prod"}': ["gate-19"],
    }


def test_what_comes_later_is_told_at_the_next_group_interval_with_what_still_fires() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.offline("gate-17")
    stage.wait(30 * SECOND)
    stage.wait(MINUTE)
    stage.offline("gate-18")
    early = stage.wait(4 * MINUTE - SECOND)

    (told,) = stage.wait(SECOND)

    assert early == []
    assert told.reason is NotifyReason.MORE
    assert (told.firing, told.before, told.added) == (2, 1, 1)
    assert (subjects(told, FIRING, new=True), subjects(told, FIRING, new=False)) == (["gate-18"], ["gate-17"])


def test_an_end_is_told_once_and_the_group_forgotten() -> None:
    stage = Stage()
    stage.drop("gate-17")

    stage.online("gate-17")
    told = stage.wait(24 * HOUR)

    assert [(each.reason, each.status, subjects(each, RESOLVED)) for each in told] == [
        (NotifyReason.RESOLVED, RESOLVED, ["gate-17"])
    ]
    assert stage.is_empty()


def test_new_and_ended_alerts_share_a_message_firing_first_each_by_age() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.offline("gate-3")
    stage.wait(SECOND)
    stage.offline("gate-2")
    stage.wait(SECOND)
    stage.offline("gate-1")
    stage.wait(30 * SECOND)
    stage.online("gate-2", "gate-3")
    stage.offline("gate-0")

    (told,) = stage.wait(5 * MINUTE)

    assert [alert.labels["device"] for alert in told.alerts] == ["gate-1", "gate-0", "gate-3", "gate-2"]
    assert (told.firing, told.before, told.added, told.ended) == (2, 3, 1, 2)
    assert told.status is FIRING


def test_what_still_fires_is_repeated_on_the_first_tick_after_repeat_interval() -> None:
    stage = Stage(rules=AT_ONCE, route=msgspec.structs.replace(ROUTE, repeat_interval=HOUR + MINUTE))
    stage.offline("gate-17")

    told = stage.wait(3 * HOUR)

    assert [(each.reason, each.at - T0 - 30 * SECOND) for each in told] == [
        (NotifyReason.FIRST, 0 * MINUTE),
        (NotifyReason.REPEAT, 65 * MINUTE),
        (NotifyReason.REPEAT, 130 * MINUTE),
    ]


def test_every_message_of_a_group_puts_its_repetition_off() -> None:
    stage = Stage(rules=AT_ONCE, route=msgspec.structs.replace(ROUTE, repeat_interval=HOUR))
    stage.offline("gate-17")
    stage.wait(50 * MINUTE)
    stage.offline("gate-18")

    told = stage.wait(HOUR)

    assert [each.reason for each in told] == [NotifyReason.MORE]


def test_a_stale_source_is_not_repeated_until_it_is_fresh_again() -> None:
    stage = Stage(rules=rule("FleetSourceDegraded", AT_ONCE, enabled=False))
    stage.offline("gate-17")
    stage.wait(30 * SECOND)
    stage.play(degraded(Problem.STALE, at=stage.now))
    stale = stage.wait(10 * HOUR)

    stage.play(recovered(Problem.STALE, at=stage.now))
    fresh = stage.wait(5 * MINUTE)

    assert stale == []
    assert [each.reason for each in fresh] == [NotifyReason.REPEAT]


def test_a_source_that_is_down_is_repeated_though_stale() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.play(degraded(Problem.DOWN, at=stage.now), degraded(Problem.STALE, at=stage.now))

    told = stage.wait(5 * HOUR)

    assert [each.reason for each in told] == [NotifyReason.FIRST, NotifyReason.REPEAT]


def test_who_wants_no_ends_is_told_none() -> None:
    stage = Stage(send_resolved={"ops": False})
    stage.drop("gate-17", "gate-18")

    stage.online("gate-17")
    quiet = stage.wait(10 * MINUTE)
    (told,) = [*stage.drop("gate-19"), *stage.wait(5 * MINUTE)]

    assert quiet == []
    assert subjects(told, RESOLVED) == []
    assert (told.firing, told.before) == (2, 1)


def test_an_alert_that_ends_before_its_message_is_forgotten_without_one() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.offline("gate-17")
    stage.wait(20 * SECOND)

    stage.online("gate-17")

    assert stage.is_empty()
    assert stage.wait(HOUR) == []


def test_back_and_gone_again_between_two_messages_tells_nothing() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.offline("gate-17")
    stage.wait(30 * SECOND)
    stage.wait(MINUTE)

    stage.online("gate-17")
    stage.wait(MINUTE)
    stage.offline("gate-17")

    assert stage.wait(HOUR) == []
    assert stage.alerts() == ["gate-17"]


def test_what_was_told_and_is_pending_again_counts_as_firing_until_it_ends() -> None:
    stage = Stage()
    stage.drop("gate-17", "gate-18")
    stage.online("gate-17")
    stage.offline("gate-17")
    stage.online("gate-18")

    (told,) = stage.wait(5 * MINUTE)
    pending = stage.alerts(AlertState.PENDING)
    stage.online("gate-17")
    (end,) = stage.wait(5 * MINUTE)

    assert pending == ["gate-17"]
    assert (subjects(told, FIRING), subjects(told, RESOLVED)) == (["gate-17"], ["gate-18"])
    assert (told.firing, told.before, told.ended) == (1, 2, 1)
    assert subjects(end, RESOLVED) == ["gate-17"]
    assert stage.is_empty()


def test_what_is_back_before_its_end_was_told_keeps_its_receiver_whatever_its_tags_are_now() -> None:
    stage = Stage(rules=AT_ONCE, route=branches(branch("prod", "tag=prod"), branch("lab", "tag=lab")))
    stage.offline("gate-17", tags=("prod",))
    stage.wait(MINUTE)
    stage.online("gate-17", tags=("lab",))
    stage.offline("gate-17", tags=("lab",))

    quiet = stage.wait(HOUR)
    told = [*stage.online("gate-17"), *stage.wait(5 * MINUTE)]

    assert quiet == []
    assert [(each.receiver, each.status) for each in told] == [("prod", RESOLVED)]


def test_what_happened_while_nobody_looked_is_marked_late() -> None:
    stage = Stage(rules=AT_ONCE, route=NO_WAIT)

    (told,) = stage.offline("gate-17", late=True)

    assert [alert.late for alert in told.alerts] == [True]


def test_a_route_with_continue_tells_two_receivers_each_everything() -> None:
    stage = Stage(rules=AT_ONCE, route=branches(branch("audit", continue_=True), branch("oncall")))
    stage.offline("gate-17")
    stage.wait(30 * SECOND)
    stage.online("gate-17")

    stage.wait(HOUR)

    assert sorted((each.receiver, each.status) for each in stage.told) == [
        ("audit", FIRING),
        ("audit", RESOLVED),
        ("oncall", FIRING),
        ("oncall", RESOLVED),
    ]
    assert stage.is_empty()


def test_a_receiver_reached_by_two_routes_is_told_once_by_the_first() -> None:
    twice = msgspec.structs.replace(branch("ops", group_by=("source",)), key="{}/second")
    stage = Stage(rules=AT_ONCE, route=branches(branch("ops", continue_=True), twice))
    stage.offline("gate-17")
    stage.wait(30 * SECOND)
    stage.online("gate-17")

    stage.wait(HOUR)

    assert [(each.status, each.group_key.partition(":")[0]) for each in stage.told] == [
        (FIRING, "{}/ops"),
        (RESOLVED, "{}/ops"),
    ]
    assert stage.is_empty()


def test_two_receivers_are_told_at_their_own_pace() -> None:
    stage = Stage(
        rules=AT_ONCE, route=branches(branch("slow", continue_=True, group_wait=10 * MINUTE), branch("quick"))
    )
    stage.offline("gate-17")
    stage.wait(MINUTE)

    stage.online("gate-17")
    stage.wait(HOUR)

    assert [(each.receiver, each.status) for each in stage.told] == [("quick", FIRING), ("quick", RESOLVED)]
    assert stage.is_empty()


def test_an_overdue_group_is_told_at_the_start() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.offline("gate-17")
    stage.now += HOUR

    begun = stage.restart()
    told = stage.play()

    assert begun == []
    assert [subjects(each, FIRING) for each in told] == [["gate-17"]]


def test_ten_thousand_devices_of_one_group_are_one_message() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.offline(*(f"d-{number}" for number in range(10_000)))
    (told,) = stage.wait(30 * SECOND)

    stage.online(*(f"d-{number}" for number in range(10_000)))
    (end,) = stage.wait(5 * MINUTE)

    assert (told.firing, len(told.alerts)) == (10_000, 10_000)
    assert (end.before, end.ended) == (10_000, 10_000)
    assert stage.is_empty()


DURATIONS = st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=400))


@given(interval=DURATIONS, after=st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=4000)))
def test_the_next_tick_is_the_first_multiple_that_is_not_before(interval: timedelta, after: timedelta) -> None:
    tick = next_tick(T0, interval, after=T0 + after) if _fits(interval, after) else None

    if tick is not None:
        assert (tick - T0) % interval == timedelta()
        assert tick >= max(T0 + after, T0 + interval)
        assert tick == T0 + interval or tick - interval < T0 + after


def _fits(interval: timedelta, after: timedelta) -> bool:
    return T0 + after + interval < datetime.max.replace(tzinfo=T0.tzinfo)
