"""What people read in Slack."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import msgspec
import pytest
from slack_sdk.models.blocks import Block

from fleetpulse.alerting.notification import AlertStatus, EndReason, Notification, NotifyReason, ToldAlert
from fleetpulse.receivers.slack.message import render

Told = Callable[..., Notification]
Device = Callable[..., ToldAlert]


def blocks_of(notification: Notification) -> list[dict[str, Any]]:
    """The blocks, each of which Slack's own models take."""
    blocks = json.loads(render(notification, redact=str))["blocks"]
    for block in Block.parse_all(blocks):
        block.validate_json()
    return list(blocks)


def read(notification: Notification) -> str:
    """The message as a person sees it, a reader's times by their fallback in UTC."""
    lines = []
    for block in blocks_of(notification):
        texts = [block["text"]] if "text" in block else block["elements"]
        lines += [re.sub(r"<[^|>]*\|([^>]*)>", r"\1", text["text"]) for text in texts]
    return unescape("\n".join(lines))


@pytest.fixture
def deployment(now: datetime) -> ToldAlert:
    """A deployment that failed on three devices."""
    return ToldAlert(
        fingerprint="00000000000000dd",
        status=AlertStatus.FIRING,
        labels={"alertname": "FleetDeploymentFailed", "source": "edge-prod", "deployment": "dp-e6a5-7e19"},
        annotations={
            "name": "nightly",
            "summary": "dp-e6a5-7e19 failed on 3 of 20 devices",
            "output": "sh: 1: /usr/bin/python: not found\n\x1b[31mexit <1> & done\x1b[0m\n",
            "runbook_url": "https://wiki.example.com/rollout?a=1&b=2",
        },
        starts_at=now,
    )


def test_three_devices_are_told_with_a_headline_a_sentence_and_a_line_each(notification: Told, device: Device) -> None:
    told = notification(device(17), device(18), device(19), external_url="https://fleet.example.com/")

    text = read(told)

    assert text == (
        "[FIRING 3] FleetDeviceOffline \u00b7 edge-prod \u00b7 Lyon\n"
        "3 devices offline in Lyon, 12 others there are online\n"
        "gate-17 (d-0a1b-0011)  last seen 14:02 UTC, offline 6 min\n"
        "gate-18 (d-0a1b-0012)  last seen 14:02 UTC, offline 6 min\n"
        "gate-19 (d-0a1b-0013)  last seen 14:02 UTC, offline 6 min\n"
        "Why"
    )


def test_times_are_given_to_slack_for_the_readers_zone(notification: Told, device: Device) -> None:
    message = render(notification(device(17)), redact=str).decode()

    assert "<!date^1795183320^{time}|14:02 UTC>" in message


def test_a_time_long_ago_carries_its_date(notification: Told, device: Device) -> None:
    old = device(17, annotations={"last_seen": "2026-11-18T23:30:00Z"})

    message = render(notification(old), redact=str).decode()

    assert "^{date_short_pretty} {time}|2026-11-18 23:30 UTC>" in message


def test_the_fallback_text_is_complete_on_its_own(notification: Told, device: Device) -> None:
    message = json.loads(render(notification(device(17), device(18)), redact=str))

    assert message["text"] == (
        "[FIRING 2] FleetDeviceOffline \u00b7 edge-prod \u00b7 Lyon - "
        "2 devices offline in Lyon, 12 others there are online"
    )


def test_a_long_headline_goes_on_below_and_loses_nothing(notification: Told, deployment: ToldAlert) -> None:
    told = notification(
        deployment,
        text='[FIRING] Deployment dp-e6a5-7e19 "nightly" failed on 3 of 20 devices: "sh: 1: /usr/bin/python: not found"'
        ' (2), "disk full on /var/lib/agent" (1); of the 20, 1 is offline now',
        detail="",
    )

    lines = read(told).splitlines()

    assert lines[:2] == [
        '[FIRING] Deployment dp-e6a5-7e19 "nightly" failed on 3 of 20 devices',
        '"sh: 1: /usr/bin/python: not found" (2), "disk full on /var/lib/agent" (1); of the 20, 1 is offline now',
    ]


def test_a_long_headline_without_a_place_to_part_is_repeated_whole(notification: Told) -> None:
    headline = "[FIRING] " + "JFrog Connect cannot be read " * 6

    lines = read(notification(text=headline, detail="")).splitlines()

    assert lines[0] == headline[:149] + "\u2026"
    assert lines[1] == headline.strip()


def test_300_devices_are_told_as_a_count_the_first_ten_and_how_many_more(notification: Told, device: Device) -> None:
    told = notification(*(device(number) for number in range(300)))

    lines = read(told).splitlines()

    assert [line.split()[0] for line in lines[2:12]] == [f"gate-{number}" for number in range(10)]
    assert lines[12:] == ["and 290 more"]


def test_the_news_comes_before_what_was_told_already(notification: Told, device: Device) -> None:
    known = [device(number, new=False) for number in range(20)]
    told = notification(*known, device(77), reason=NotifyReason.MORE, before=20, firing=21, added=1)

    lines = read(told).splitlines()

    assert lines[2].startswith("gate-77 ")
    assert lines[-1] == "and 11 more"


def test_an_end_says_its_reason_and_how_long_it_was(notification: Told, device: Device, now: datetime) -> None:
    ended = [
        device(
            number,
            status=AlertStatus.RESOLVED,
            end_reason=EndReason.CAME_BACK,
            ends_at=now,
            starts_at=now - timedelta(minutes=18),
        )
        for number in (17, 18)
    ]

    text = read(
        notification(
            *ended,
            status=AlertStatus.RESOLVED,
            reason=NotifyReason.RESOLVED,
            text="[RESOLVED] 2 devices back online in Lyon after 18 min",
            detail="",
        )
    )

    assert text == (
        "[RESOLVED] 2 devices back online in Lyon after 18 min\n"
        "gate-17 (d-0a1b-0011)  came back after 18 min\n"
        "gate-18 (d-0a1b-0012)  came back after 18 min"
    )


def test_reasons_of_ends_are_said_where_they_differ(notification: Told, device: Device, now: datetime) -> None:
    back = device(17, status=AlertStatus.RESOLVED, end_reason=EndReason.CAME_BACK, ends_at=now)
    gone = device(18, status=AlertStatus.RESOLVED, end_reason=EndReason.WENT_MISSING, ends_at=now)

    text = read(notification(back, gone, status=AlertStatus.RESOLVED))

    assert "gate-17 (d-0a1b-0011)  came back after 6 min" in text
    assert "gate-18 (d-0a1b-0012)  went missing after 6 min" in text


def test_an_end_that_is_no_recovery_is_never_shown_as_one(notification: Told, device: Device, now: datetime) -> None:
    gone = device(18, status=AlertStatus.RESOLVED, end_reason=EndReason.WENT_MISSING, ends_at=now)

    text = read(notification(gone, status=AlertStatus.RESOLVED))

    assert "gate-18 (d-0a1b-0012)  went missing after 6 min" in text


def test_ends_beside_what_still_fires_stand_under_their_own_heading(
    notification: Told, device: Device, now: datetime
) -> None:
    ended = [
        device(number, status=AlertStatus.RESOLVED, end_reason=EndReason.CAME_BACK, ends_at=now)
        for number in range(30, 37)
    ]

    lines = read(notification(device(17), *ended)).splitlines()

    assert lines[2].startswith("gate-17 ")
    assert lines[3] == "*Ended*"
    assert lines[-2].startswith("gate-34 ")
    assert lines[-1] == "and 2 more"


def test_many_long_lines_are_spread_over_sections_and_none_is_cut(
    notification: Told, device: Device, now: datetime
) -> None:
    long = {"annotations": {"name": "n" * 500}, "labels": {"device": "d" * 500}}
    firing = [device(number, late=True, **long) for number in range(10)]
    ended = [device(number, status=AlertStatus.RESOLVED, ends_at=now, **long) for number in range(5)]

    sections = [block["text"]["text"] for block in blocks_of(notification(*firing, *ended))[2:]]

    assert len(sections) == 2
    assert all(len(section) <= 3_000 for section in sections)
    lines = "\n".join(sections).splitlines()
    assert sum(line.endswith(", noticed late") for line in lines) == 10
    assert sum(line.endswith(" after 6 min") for line in lines) == 5


def test_a_failed_deployment_shows_what_the_failing_step_printed(notification: Told, deployment: ToldAlert) -> None:
    told = notification(
        deployment,
        text="[FIRING] Deployment dp-e6a5-7e19 failed on 3 of 20 devices",
        detail='"sh: 1: /usr/bin/python: not found" (2), "disk full" (1); of the 20, 1 is offline now',
    )

    text = read(told)

    assert text == (
        "[FIRING] Deployment dp-e6a5-7e19 failed on 3 of 20 devices\n"
        '"sh: 1: /usr/bin/python: not found" (2), "disk full" (1); of the 20, 1 is offline now\n'
        "```\nsh: 1: /usr/bin/python: not found\nexit <1> & done\n```\n"
        "Runbook"
    )


def test_the_devices_a_deployment_failed_on_are_told_above_what_they_printed(
    notification: Told, deployment: ToldAlert
) -> None:
    devices = "gate-17 (d-1), <!channel> *lift* (d-2) and 1 more"
    known = msgspec.structs.replace(deployment, annotations={**deployment.annotations, "devices": devices})

    alone = read(notification(known, text="[FIRING] Deployment dp-e6a5-7e19 failed on 3 of 20 devices", detail=""))
    together = read(notification(known, deployment))

    named = "Failed on gate-17 (d-1), <!channel> \u2217lift\u2217 (d-2) and 1 more\n```\nsh: 1:"
    assert named in alone
    assert f"nightly (dp-e6a5-7e19)\n{named}" in together


@pytest.mark.parametrize(
    "output", ["disk full\n", "\x1b[31mdisk full\x1b[0m", '"sh: 1: /usr/bin/python: not found" (2), "disk full" (1)']
)
def test_an_error_that_the_sentence_tells_already_is_not_printed_again(
    notification: Told, deployment: ToldAlert, output: str
) -> None:
    said = 'dp-e6a5-7e19 failed on 3 of 20 devices: "sh: 1: /usr/bin/python: not found" (2), "disk full" (1)'
    given = {**deployment.annotations, "summary": said, "output": output, "devices": "gate-17 (d-1)"}
    known = msgspec.structs.replace(deployment, annotations=given)

    alone = read(notification(known, text=f"[FIRING] Deployment {said}; of the 20, 1 is offline now", detail=""))
    together = read(notification(known, deployment))

    assert alone.count("disk full") == together.count("disk full") == 1
    assert "Failed on gate-17 (d-1)" in alone
    assert together.count("```") == 2


def test_an_error_that_the_sentence_had_no_room_for_is_printed(notification: Told, deployment: ToldAlert) -> None:
    error = f"no space left on {'x' * 300}"
    known = msgspec.structs.replace(deployment, annotations={"output": error, "summary": error})

    alone = read(notification(known, text=f'[FIRING] Deployment dp-1 failed: "{error[:200]}" (1)', detail=""))
    together = read(notification(known, known))

    assert f"```\n{error}\n```" in alone
    assert together.count(f"```\n{error}\n```") == 2


def test_a_deployment_that_printed_nothing_still_names_its_devices(notification: Told, deployment: ToldAlert) -> None:
    silent = msgspec.structs.replace(deployment, annotations={"devices": "gate-17 (d-1)", "output": " \n"})

    assert read(notification(silent)).splitlines()[-1] == "Failed on gate-17 (d-1)"


def test_several_deployments_each_show_their_output(notification: Told, deployment: ToldAlert) -> None:
    text = read(notification(*[deployment] * 5))

    assert len(re.findall(r"^dp-e6a5-7e19 failed on 3 of 20 devices$", text, re.MULTILINE)) == 5
    assert text.count("nightly (dp-e6a5-7e19)\n```\nsh: 1:") == 3


def test_a_long_output_keeps_its_end(notification: Told, device: Device) -> None:
    noisy = device(17, annotations={"output": "downloading...\n" * 500 + "disk full"})

    text = read(notification(noisy))

    assert "```\n\u2026" in text
    assert "downloading...\ndisk full\n```" in text


def test_a_source_that_is_down_is_told_without_a_list(notification: Told, now: datetime) -> None:
    alert = ToldAlert(
        fingerprint="00000000000000ee",
        status=AlertStatus.FIRING,
        labels={"alertname": "FleetSourceDown", "source": "edge-prod", "resource": "devices"},
        annotations={"description": "Check https://status.example.com first."},
        starts_at=now,
    )
    text = "[FIRING] No answer from JFrog Connect for edge-prod since 09:14"
    detail = "its 430 devices keep their last state, shown as stale"

    read_text = read(notification(alert, text=text, detail=detail))

    assert read_text == f"{text}\n{detail}\nCheck https://status.example.com first."


def test_several_sources_are_listed_by_name_and_resource(notification: Told, device: Device) -> None:
    labels = {"device": "", "source": "edge-prod", "resource": "devices"}
    alerts = [
        device(number, labels=labels, annotations={"name": "", "summary": "no answer since 09:14"}) for number in (1, 2)
    ]

    text = read(notification(*alerts))

    assert text.count("edge-prod (devices)  no answer since 09:14") == 2


def test_what_happened_while_nobody_looked_says_so(notification: Told, device: Device) -> None:
    text = read(notification(device(17, late=True)))

    assert "offline 6 min, noticed late" in text


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({"firing": 1}, "[FIRING] FleetDeviceOffline \u00b7 edge-prod \u00b7 Lyon"),
        ({"firing": 5, "before": 3}, "[FIRING 3 \u2192 5] FleetDeviceOffline \u00b7 edge-prod \u00b7 Lyon"),
        ({"firing": 5, "before": 5}, "[FIRING 5] FleetDeviceOffline \u00b7 edge-prod \u00b7 Lyon"),
        ({"status": AlertStatus.RESOLVED}, "[RESOLVED] FleetDeviceOffline \u00b7 edge-prod \u00b7 Lyon"),
        ({"group_labels": {}, "firing": 2}, "[FIRING 2] ops"),
    ],
)
def test_a_group_without_a_headline_gets_one_of_its_labels(
    notification: Told, device: Device, changes: dict[str, Any], headline: str
) -> None:
    told = notification(device(17), **{"text": " ", **changes})

    assert read(told).splitlines()[0] == headline


def test_without_an_external_url_no_link_of_ours_is_printed(notification: Told, device: Device) -> None:
    blocks = blocks_of(notification(device(17)))

    assert [block["type"] for block in blocks] == ["header", "section", "section"]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "wiki/page", "file:///etc/passwd", "", "https://x/" + "y" * 600]
)
def test_a_runbook_that_nobody_could_open_is_no_link(notification: Told, device: Device, url: str) -> None:
    blocks = blocks_of(notification(device(17), common_annotations={"runbook_url": url}))

    assert "context" not in [block["type"] for block in blocks]


def test_a_runbook_url_cannot_break_out_of_its_link(notification: Told, device: Device) -> None:
    blocks = blocks_of(
        notification(device(17), common_annotations={"runbook_url": "https://x/a|b>c<!channel>\nd\u00e9?e=1&f=2"})
    )

    assert blocks[-1]["elements"][0]["text"] == "<https://x/a%7Cb%3Ec%3C!channel%3E%20d%C3%A9?e=1&amp;f=2|Runbook>"


def test_a_test_notification_without_alerts_is_a_message(notification: Told) -> None:
    text = read(notification(reason=NotifyReason.TEST, text="[TEST] ops", detail="This is a test of fleetpulse."))

    assert text == "[TEST] ops\nThis is a test of fleetpulse."


@pytest.mark.parametrize("odd", ["yesterday", "2026-13-99", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_left_out(notification: Told, device: Device, odd: str) -> None:
    text = read(notification(device(17, annotations={"last_seen": odd})))

    assert "gate-17 (d-0a1b-0011)  offline 6 min" in text


def test_a_silent_device_is_told_with_how_long_it_was_silent(notification: Told, device: Device, now: datetime) -> None:
    silent = device(17, labels={"alertname": "FleetDeviceSilent"}, starts_at=now, since_at=now - timedelta(hours=30))

    text = read(notification(silent))

    assert "gate-17 (d-0a1b-0011)  last seen 14:02 UTC, silent 30 h" in text


def test_where_a_device_moved_is_said_and_harmless(notification: Told, device: Device, now: datetime) -> None:
    moved = device(17, status=AlertStatus.RESOLVED, end_reason=EndReason.MOVED, end_note="<!channel> & co", ends_at=now)

    text = read(notification(moved, status=AlertStatus.RESOLVED))

    assert "gate-17 (d-0a1b-0011)  moved to <!channel> & co after 6 min" in text
    assert "<!channel>" not in json.dumps(blocks_of(notification(moved, status=AlertStatus.RESOLVED)))
