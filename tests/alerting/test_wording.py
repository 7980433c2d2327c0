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
    degraded,
    failing,
    job_ended,
    recovered,
    rollout,
    rule,
    turned,
)
from fleetpulse.alerting.notification import Notification
from fleetpulse.alerting.wording import GroupFacts, SourceFacts, span
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
                "JFrog Connect rejects the token of edge-prod since 09:00; "
                "its 430 devices keep their last state, shown as stale: 401"
            ),
        ),
        (Problem.REJECTED, 0, "JFrog Connect rejects the token of edge-prod since 09:00: 401"),
        (
            Problem.DOWN,
            1,
            "JFrog Connect cannot be read for edge-prod since 09:00; its 1 device keeps its last state: 401",
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


def test_a_source_that_recovered() -> None:
    stage = Stage(**AT_ONCE_TOLD)
    stage.play(degraded(Problem.DOWN, at=stage.now))
    stage.wait(18 * MINUTE)
    stage.play(recovered(Problem.DOWN, at=stage.now))

    (told,) = stage.wait(5 * MINUTE)

    assert told.text == "[RESOLVED] FleetSourceDown · edge-prod · devices: recovered after 18 min"


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
