"""Promises of the sentences that people read, and of the annotations made of them."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from alerting.stage import (
    AT_ONCE,
    HOUR,
    MINUTE,
    NO_WAIT,
    ROUTE,
    SECOND,
    Stage,
    baselined,
    contradicting,
    degraded,
    failing,
    finished,
    job_ended,
    recovered,
    removed,
    rollout,
    rule,
    turned,
)
from fleetpulse.alerting.facts import GroupFacts, SourceFacts
from fleetpulse.alerting.notification import Notification
from fleetpulse.alerting.phrases import span
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.events import DeviceForgotten, Problem

AT_ONCE_TOLD: dict[str, Any] = {"rules": AT_ONCE, "route": NO_WAIT}


def said(*told: Notification) -> list[tuple[str, str]]:
    return [(each.text, each.detail) for each in told]


def test_devices_that_are_offline() -> None:
    stage = Stage(**AT_ONCE_TOLD)

    told = stage.offline("gate-17", "gate-18", "gate-19")

    assert said(*told) == [
        (
            "[FIRING 3] FleetDeviceOffline · edge-prod · Lyon",
            "3 devices offline in Lyon, 12 others there are online",
        )
    ]


@pytest.mark.parametrize(
    ("online", "others"),
    [(1, "1 other there is online"), (0, "none there is online"), (1200, "1,200 others there are online")],
)
def test_one_device_and_how_the_rest_of_its_group_is(online: int, others: str) -> None:
    stage = Stage(**AT_ONCE_TOLD)
    stage.fleet.groups = {"Lyon": GroupFacts(devices=online + 1, online=online)}

    told = stage.offline("gate-17")

    assert said(*told) == [("[FIRING 1] FleetDeviceOffline · edge-prod · Lyon", f"1 device offline in Lyon, {others}")]


def test_a_group_that_grows_shrinks_is_repeated_and_is_back() -> None:
    stage = Stage(**AT_ONCE_TOLD)
    stage.offline("gate-1", "gate-2", "gate-3")
    stage.wait(MINUTE)
    stage.offline("gate-4", "gate-5")
    stage.wait(5 * MINUTE)
    stage.online("gate-1", "gate-2")
    stage.wait(12 * MINUTE)
    stage.wait(4 * HOUR)
    stage.online("gate-3", "gate-4", "gate-5")
    stage.wait(5 * MINUTE)

    assert said(*stage.told[1:]) == [
        ("[FIRING 3 → 5] FleetDeviceOffline · edge-prod · Lyon", "+2 -0, now 5 of 15 in Lyon"),
        ("[FIRING 5 → 3] FleetDeviceOffline · edge-prod · Lyon", "+0 -2, now 3 of 15 in Lyon"),
        (
            "[FIRING 3] FleetDeviceOffline · edge-prod · Lyon",
            "still 3 devices offline in Lyon, 12 others there are online",
        ),
        ("[RESOLVED] 3 devices back online in Lyon after 4 h", ""),
    ]


def test_devices_without_a_group() -> None:
    stage = Stage(**AT_ONCE_TOLD)

    told = stage.offline("gate-17", "gate-18", group="")

    assert said(*told) == [("[FIRING 2] FleetDeviceOffline · edge-prod", "2 devices offline")]


def test_the_device_itself() -> None:
    stage = Stage(**AT_ONCE_TOLD)

    (told,) = stage.offline("d-1", name="gate-17")

    assert told.alerts[0].annotations == {
        "summary": "gate-17 is offline in Lyon",
        "since": "2026-03-02T08:00:00+00:00",
        "name": "gate-17",
    }


def test_when_it_was_last_seen() -> None:
    stage = Stage(**AT_ONCE_TOLD)

    (told,) = stage.offline("d-1", last_seen_at=stage.now - 6 * MINUTE)

    assert told.alerts[0].annotations["last_seen"] == "2026-03-02T07:54:00+00:00"


def test_ends_of_several_kinds_are_counted() -> None:
    stage = Stage(**AT_ONCE_TOLD)
    stage.offline("gate-1", "gate-2", "gate-3")
    stage.wait(18 * MINUTE)
    stage.online("gate-1", "gate-2")
    stage.play(turned(DeviceForgotten, "gate-3", at=stage.now))

    told = stage.wait(2 * MINUTE)

    assert said(*told) == [
        ("[RESOLVED] 3 devices no longer alerting in Lyon after 18 min: 2 came back, 1 forgotten", "")
    ]


def test_a_deployment() -> None:
    stage = Stage(**AT_ONCE_TOLD)
    stage.fleet.present = {"d-1": DeviceStatus.OFFLINE, "d-2": DeviceStatus.ONLINE}
    outputs = ["+ set -e\nsh: 1: /usr/bin/python: not found\n"] * 2 + ["disk full"]

    told = stage.play(failing(rollout("dp-e6a5-7e19", 3, steps=outputs), at=stage.now))

    assert said(*told) == [
        (
            (
                "[FIRING] Deployment dp-e6a5-7e19 failed on 3 of 20 devices: "
                '"sh: 1: /usr/bin/python: not found" (2), "disk full" (1); of the 20, 1 is offline now'
            ),
            "",
        )
    ]
    assert told[0].alerts[0].annotations["output"] == outputs[0]


@pytest.mark.parametrize(
    ("offline", "words"),
    [((), "; of the 20, none is offline now"), (("d-1", "d-2"), "; of the 20, 2 are offline now")],
)
def test_a_finished_deployment_says_how_its_devices_are_when_it_is_told(offline: tuple[str, ...], words: str) -> None:
    stage = Stage(rules=AT_ONCE)
    stage.play(finished(rollout("dp-1", 3, done=True, steps=["disk full"] * 3), at=stage.now))
    stage.play(failing(rollout("dp-1", 3, done=True, steps=["disk full"] * 3), at=stage.now))
    stage.fleet.present = dict.fromkeys(offline, DeviceStatus.OFFLINE)

    (told,) = stage.wait(MINUTE)

    assert told.text == f'[FIRING] Deployment dp-1 failed on 3 of 20 devices: "disk full" (3){words}'


def test_errors_that_differ_in_what_differs_everywhere_are_one() -> None:
    stage = Stage(**AT_ONCE_TOLD)
    outputs = ["10:02:11 no space left on /dev/sda1", "10:05:40 no space left on /dev/sdb2", "killed by signal 9"]

    (told,) = stage.play(failing(rollout("dp-1", 3, steps=outputs), at=stage.now))

    assert '"10:02:11 no space left on /dev/sda1" (2), "killed by signal 9" (1)' in told.text


@pytest.mark.parametrize(
    ("reports", "words"),
    [
        ({"d_1": "1.3", "d_2": "1.3"}, "2 report success but another version: 1.3"),
        ({"d_1": "1.3", "d_2": "1.2", "d_3": "1.3"}, '3 report success but another version: "1.3" (2), "1.2" (1)'),
        ({"d_1": ""}, "1 reports success but another version"),
        (
            {f"d_{number}": f"1.{number}" for number in range(4)},
            '4 report success but another version: "1.0" (1), "1.1" (1), "1.2" (1) and 1 other version',
        ),
    ],
)
def test_versions_that_contradict_success(reports: dict[str, str], words: str) -> None:
    stage = Stage(**AT_ONCE_TOLD)

    (told,) = stage.play(failing(contradicting(rollout("dp-1", 3), **reports), at=stage.now))

    assert told.text == f"[FIRING] Deployment dp-1 failed on 3 of 20 devices; {words}"


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], ""),
        (["", "  \n"], ': "install" (2)'),
        (["a", "b", "c", "d", "e"], ': "a" (1), "b" (1), "c" (1) and 2 other errors'),
    ],
)
def test_a_deployments_errors(steps: list[str], words: str) -> None:
    stage = Stage(**AT_ONCE_TOLD)

    (told,) = stage.play(failing(rollout("dp-1", 1, of=1, steps=steps, name="nightly"), at=stage.now))

    assert told.text == f'[FIRING] Deployment dp-1 "nightly" failed on 1 of 1 device{words}'
    assert told.alerts[0].annotations["name"] == "nightly"


@pytest.mark.parametrize(
    ("id_", "name", "called"),
    [
        ("camera-driver@2026-11-20T17:14:17Z", "camera-driver", "camera-driver@2026-11-20T17:14:17Z"),
        ("nightly", "nightly", "nightly"),
        ("dp-1", "", "dp-1"),
        ("dp-1", "nightly", 'dp-1 "nightly"'),
    ],
)
def test_a_deployments_name_is_said_once(id_: str, name: str, called: str) -> None:
    stage = Stage(**AT_ONCE_TOLD)

    (told,) = stage.play(failing(rollout(id_, 1, name=name), at=stage.now))

    assert told.text == f"[FIRING] Deployment {called} failed on 1 of 20 devices"


def test_deployments_together() -> None:
    stage = Stage(**AT_ONCE_TOLD)

    told = stage.play(failing(rollout("dp-1", 3), at=stage.now), failing(rollout("dp-2", 1), at=stage.now))

    assert said(*told) == [("[FIRING 2] FleetDeploymentFailed · edge-prod", "")]


def test_a_job() -> None:
    stage = Stage(**AT_ONCE_TOLD)

    (told,) = stage.play(job_ended("42", at=stage.now, word="ERROR", requester="Ada"))

    assert told.text == "[FIRING] Bulk job 42 (pause, 40 devices) ended as ERROR, asked for by Ada"


@pytest.mark.parametrize(
    ("problem", "known", "text"),
    [
        (
            Problem.REJECTED,
            430,
            (
                "JFrog Connect rejects the token of edge-prod since 09:00 CET; "
                "its 430 devices keep their last state, shown as stale: 401"
            ),
        ),
        (Problem.REJECTED, 0, "JFrog Connect rejects the token of edge-prod since 09:00 CET: 401"),
        (
            Problem.DOWN,
            1,
            "JFrog Connect cannot be read for edge-prod since 09:00 CET; its 1 device keeps its last state: 401",
        ),
        (Problem.MISCONFIGURED, 0, "edge-prod is misconfigured: 401"),
    ],
)
def test_a_source_in_the_readers_zone(problem: Problem, known: int, text: str) -> None:
    facts = SourceFacts("edge-prod", "jfrog-connect", "JFrog Connect", credential="token")
    stage = Stage(**AT_ONCE_TOLD, sources={"edge-prod": facts}, zone=ZoneInfo("Europe/Paris"))
    stage.fleet.known = known

    (told,) = stage.play(degraded(problem, at=stage.now, detail="401"))

    assert told.text == f"[FIRING] {text}"


def test_days_later_the_sentence_has_the_date_and_what_is_so_now() -> None:
    stage = Stage(**AT_ONCE_TOLD)
    stage.play(degraded(Problem.DOWN, at=stage.now))
    stage.fleet.known = 431

    *_, told = stage.wait(60 * HOUR)

    assert told.text == (
        "[FIRING] JFrog Connect cannot be read for edge-prod since 2026-03-02 08:00 UTC; "
        "its 431 devices keep their last state"
    )


def test_today_is_a_day_of_the_readers_zone() -> None:
    stage = Stage(**AT_ONCE_TOLD, zone=ZoneInfo("Pacific/Auckland"))
    stage.wait(2 * HOUR + 59 * MINUTE)  # 23:59 there, 10:59 in UTC
    (today,) = stage.play(degraded(Problem.REJECTED, at=stage.now))

    *_, tomorrow = stage.wait(5 * HOUR)

    assert "since 23:59 NZDT" in today.text
    assert "since 2026-03-02 23:59 NZDT" in tomorrow.text


def test_what_is_kept_of_a_sentence_has_its_date_for_nobody_knows_when_it_is_read() -> None:
    stage = Stage(**AT_ONCE_TOLD)

    stage.play(degraded(Problem.DOWN, at=stage.now))

    (alert,) = (alert for _, alert in stage.alerting.ledger.alerts.items())
    assert "since 2026-03-02 08:00 UTC" in alert.annotations["summary"]


@pytest.mark.parametrize(
    ("problem", "resource", "text"),
    [
        (Problem.DOWN, "devices", "JFrog Connect can be read again for edge-prod after 18 min"),
        (Problem.REJECTED, "devices", "JFrog Connect accepts the token of edge-prod again after 18 min"),
        (Problem.MISCONFIGURED, "devices", "The configuration of edge-prod fits again after 18 min"),
        (Problem.STALE, "devices", "What is known of edge-prod is fresh again after 18 min"),
        (Problem.DOUBTED, "devices", "JFrog Connect lists the devices of edge-prod again after 18 min"),
        (Problem.FAILING, "tunnels", "The tunnels of edge-prod can be read again after 18 min"),
        (
            Problem.RATE_LIMITED,
            "devices",
            "JFrog Connect no longer limits the requests of edge-prod for its devices after 18 min",
        ),
        (Problem.EXPIRING, "devices", "The token of edge-prod was replaced after 18 min"),
    ],
)
def test_a_source_that_recovered(problem: Problem, resource: str, text: str) -> None:
    facts = SourceFacts("edge-prod", "jfrog-connect", "JFrog Connect", credential="token")
    stage = Stage(**AT_ONCE_TOLD, sources={"edge-prod": facts})
    stage.play(degraded(problem, at=stage.now, resource=resource))
    stage.wait(18 * MINUTE)
    stage.play(recovered(problem, at=stage.now, resource=resource))

    (told,) = stage.wait(5 * MINUTE)

    assert told.text == f"[RESOLVED] {text}"


def test_an_end_that_is_no_recovery_says_none() -> None:
    stage = Stage(**AT_ONCE_TOLD)
    stage.play(degraded(Problem.DOWN, at=stage.now))
    stage.wait(18 * MINUTE)

    stage.play(removed(at=stage.now))
    (told,) = stage.wait(5 * MINUTE)

    assert told.text == "[RESOLVED] FleetSourceDown · edge-prod · devices: source removed after 18 min"


def test_ends_of_one_kind_that_are_no_return() -> None:
    stage = Stage(**AT_ONCE_TOLD)
    stage.offline("gate-1", "gate-2")
    stage.wait(18 * MINUTE)

    stage.play(removed(at=stage.now))
    told = stage.wait(5 * MINUTE)

    assert said(*told) == [("[RESOLVED] 2 devices no longer alerting in Lyon after 18 min: source removed", "")]


@pytest.mark.parametrize(
    ("resource", "counts", "text"),
    [
        ("devices", {"online": 417, "offline": 13}, "edge-prod: 430 devices (417 online, 13 offline), told once"),
        ("devices", {}, "edge-prod: 0 devices, told once"),
        ("deployments", {"running": 2, "failed": 1}, "edge-prod: 3 deployments (2 running, 1 failed), told once"),
        ("jobs", {"succeeded": 0, "unknown": 1200}, "edge-prod: 1,200 jobs (1,200 unknown), told once"),
        ("changes", {}, "edge-prod: 0 changes, told once"),
        ("tunnels", {"open": 1}, "edge-prod: 1 tunnel (1 open), told once"),
    ],
)
def test_a_first_look_at_each_resource(resource: str, counts: dict[str, int], text: str) -> None:
    stage = Stage(route=NO_WAIT)
    event = msgspec.structs.replace(baselined(at=stage.now, counts=counts), subject=resource)

    (told,) = stage.play(event)

    assert told.text == f"First look at {text}; what was so before is not news"


def test_first_looks_that_are_told_together_are_an_introduction_too() -> None:
    stage = Stage()
    deployments = msgspec.structs.replace(baselined(at=stage.now, counts={"running": 2}), subject="deployments")
    stage.play(baselined(at=stage.now), deployments)

    (told,) = stage.wait(MINUTE)

    assert told.text == "First look at edge-prod"
    assert len(told.alerts) == 2


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (2, "gate-17 (d-0), d-1"),
        (10, "gate-17 (d-0), d-1, d-2, d-3, d-4, d-5, d-6, d-7, d-8, d-9"),
        (13, "gate-17 (d-0), d-1, d-2, d-3, d-4, d-5, d-6, d-7, d-8, d-9 and 3 more"),
    ],
)
def test_the_devices_a_deployment_failed_on_are_named(failed: int, words: str) -> None:
    stage = Stage(**AT_ONCE_TOLD)
    stage.fleet.called = {"d-0": "gate-17", "d-1": "d-1", "d-2": "", "d-19": "lift-19"}

    (told,) = stage.play(failing(rollout("dp-1", failed), at=stage.now))

    assert told.alerts[0].annotations["devices"] == words


def test_things_of_several_kinds_are_no_devices() -> None:
    stage = Stage(rules=AT_ONCE, route=msgspec.structs.replace(ROUTE, group_by=("source",)))
    stage.offline("gate-17")
    stage.play(degraded(Problem.DOWN, at=stage.now))
    stage.wait(30 * SECOND)
    stage.online("gate-17")
    stage.play(recovered(Problem.DOWN, at=stage.now))
    stage.wait(5 * MINUTE)

    assert said(*stage.told) == [("[FIRING 2] edge-prod", ""), ("[RESOLVED] 2 alerts · edge-prod", "")]


def test_all_in_one_group() -> None:
    stage = Stage(rules=AT_ONCE, route=msgspec.structs.replace(NO_WAIT, group_by=()))

    (told,) = stage.offline("gate-17")

    assert (told.text, told.detail) == ("[FIRING 1] alerts", "1 device offline")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (50, "50 s"), (60, "1 min"), (119, "1 min"), (5400, "90 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_a_duration_as_people_say_it(seconds: int, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ device.name }} in {{ group }} of {{ source }}", "gate-17 in Lyon of edge-prod"),
        ("{{ alert.labels.severity }}: {{ alert.annotations.summary }}", "warning: gate-17 is offline in Lyon"),
        ("{{ now.hour }} {{ url }}", "8 https://fleet.example.com"),
        ("{{ 'x' * 5000 }}", "x" * 4000),
        ("{{ nothing.at.all }}", "gate-17 is offline in Lyon"),
        ("{{ 1 / 0 }}", "gate-17 is offline in Lyon"),
        ("{{ ''.__class__.__mro__ }}", "gate-17 is offline in Lyon"),
        ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "gate-17 is offline in Lyon"),
        ("  ", "gate-17 is offline in Lyon"),
    ],
)
def test_a_rules_own_summary_or_else_the_default(template: str, text: str) -> None:
    rules = rule("FleetDeviceOffline", AT_ONCE, annotations={"summary": template})
    stage = Stage(rules=rules, route=NO_WAIT, external_url="https://fleet.example.com")

    (told,) = stage.offline("d-1", name="gate-17")

    assert told.alerts[0].annotations["summary"] == text


def test_another_annotation_that_fails_falls_back_to_the_summary() -> None:
    rules = rule("FleetDeviceOffline", AT_ONCE, annotations={"description": "{{ 1 / 0 }}"})
    stage = Stage(rules=rules, route=NO_WAIT)

    (told,) = stage.offline("gate-17")

    assert told.alerts[0].annotations["description"] == "gate-17 is offline in Lyon"
