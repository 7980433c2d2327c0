"""The main job: what happens at the vendors is told to people, once, with what they need to know."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

import real_servers
from end_to_end import config
from end_to_end.parties import Party, arrivals, slack_texts
from end_to_end.stage import Stage

SIGNING = "whsec_" + "aW52ZW50ZWQtaW52ZW50ZWQtaW52ZW50ZWQ="


def receivers(webhook: Party, slack: Party) -> dict[str, Any]:
    """Both are told everything."""
    both = [{"receiver": "pager", "continue": True}, {"receiver": "chat"}]
    return {
        "route": config.route("chat", routes=both),
        "receivers": [config.webhook(webhook.url, secret=SIGNING), config.slack(slack.url)],
    }


def test_a_device_that_goes_offline_is_told_signed_and_its_return_with_its_reason(stage: Stage) -> None:
    vendor, webhook, slack = stage.party("jfrog-connect", devices=20), stage.party("webhook"), stage.party("slack")
    path = stage.configure(sources=[config.jfrog(vendor.url)], rules=config.rules(), **receivers(webhook, slack))
    stage.service(path).swept()
    device = vendor.do("uuids", group="Lyon")[3]
    vendor.do("rename", uuid=device, name="gate-17")

    vendor.do("set_status", uuid=device, status="offline")
    stage.until(lambda: arrivals(webhook) and slack.mail(), "both were told that it is offline")
    vendor.do("set_status", uuid=device, status="online")
    stage.until(lambda: len(arrivals(webhook)) > 1 and len(slack.mail()) > 1, "both were told that it is back")

    firing, resolved = arrivals(webhook)
    for arrival in (firing, resolved):
        Webhook(SIGNING).verify(arrival.text, arrival.headers)
        assert arrival.event["id"] == arrival.id
    assert firing.event["type"] == "fleetpulse.notification.firing"
    (alert,) = firing.alerts
    assert (
        alert["labels"].items()
        >= {"alertname": "FleetDeviceOffline", "source": "edge", "device": device, "group": "Lyon"}.items()
    )
    assert alert["annotations"]["name"] == "gate-17"
    assert alert["annotations"]["since"]
    assert alert["annotations"]["last_seen"]
    (ended,) = resolved.alerts
    assert resolved.event["type"] == "fleetpulse.notification.resolved"
    assert (ended["fingerprint"], ended["endReason"]) == (alert["fingerprint"], "came back")
    offline, back = slack_texts(slack)
    assert all(word in offline for word in ("[FIRING", "gate-17", device, "Lyon", "last seen", "offline"))
    assert "[RESOLVED] 1 device back online in Lyon" in back


def test_a_deployment_that_fails_on_3_of_20_devices_is_one_message_and_never_repeated(stage: Stage) -> None:
    vendor, webhook, slack = stage.party("jfrog-connect", devices=30), stage.party("webhook"), stage.party("slack")
    told = receivers(webhook, slack)
    told["route"]["repeat_interval"] = "400ms"
    path = stage.configure(sources=[config.jfrog(vendor.url)], rules=config.rules(), **told)
    service = stage.service(path).swept()
    deployment = vendor.do("deploy", devices=vendor.do("uuids")[:20], comment="sensor firmware")
    failed = vendor.do("settle", dp=deployment, failed=3, output="sh: 1: /usr/bin/python: not found")

    stage.until(lambda: arrivals(webhook) and slack.mail(), "both were told of the deployment")
    vendor.do("drop", n=1)  # what is repeated proves that the time for a repetition has come
    stage.until(lambda: len(arrivals(webhook, alertname="FleetDeviceOffline")) > 2, "the offline device was repeated")

    (message,) = arrivals(webhook, alertname="FleetDeploymentFailed")
    (alert,) = message.alerts
    assert alert["labels"]["deployment"] == deployment
    assert "failed on 3 of 20 devices" in alert["annotations"]["summary"]
    (text,) = slack_texts(slack, containing=deployment)
    assert "failed on 3 of 20 devices" in text
    assert "/usr/bin/python: not found" in text
    assert all(device in text for device in failed)
    assert service.process.code is None


def test_a_job_that_fails_is_told_once(stage: Stage) -> None:
    vendor, webhook, slack = stage.party("hologram"), stage.party("webhook"), stage.party("slack")
    path = stage.configure(sources=[config.hologram(vendor.url)], rules=config.rules(), **receivers(webhook, slack))
    stage.service(path).swept()

    job = vendor.do("start_job", action="pause", devices=120)
    vendor.do("fail_job", job_id=job)
    stage.until(lambda: arrivals(webhook) and slack.mail(), "both were told of the job")
    another = vendor.do("start_job", action="pause", devices=7)
    vendor.do("fail_job", job_id=another)
    stage.until(lambda: len(arrivals(webhook)) > 1 and len(slack.mail()) > 1, "both were told of another job")

    told = [[alert["labels"]["bulk_job"] for alert in arrival.alerts] for arrival in arrivals(webhook)]
    assert told == [[str(job)], [str(another)]]
    first = slack_texts(slack)[0]
    assert all(word in first for word in (f"Bulk job {job}", "pause", "120 devices"))


def test_a_real_prometheus_sees_who_is_offline_and_renames_no_label(
    stage: Stage, prometheus: Callable[..., Any], promtool: str, tmp_path: Path
) -> None:
    listen = f"127.0.0.1:{real_servers.free_port()}"
    with prometheus(tmp_path, target=listen) as server:  # first, for it looks for targets every five seconds only
        vendor, sims = stage.party("jfrog-connect", devices=20), stage.party("hologram")
        sims.do("start_job")
        vendor.do("deploy", devices=5)
        path = stage.configure(
            http={"listen": listen},
            sources=[config.jfrog(vendor.url), config.hologram(sims.url)],
            rules=config.rules(),
        )
        service = stage.service(path).swept()
        gone = vendor.do("drop", n=2)
        stage.until(lambda: len(server.query("fleet_device_up == 0")) == 2, "Prometheus knows who is offline")
        offline = server.query("fleet_device_up == 0")
        series = server.query('{job="fleetpulse"}')
        (target,) = server.targets()
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=service.get("/metrics").text,
        text=True,
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert sorted(one["metric"]["device"] for one in offline) == sorted(gone)
    assert (target["health"], target["lastError"]) == ("up", "")
    assert not [label for one in series for label in one["metric"] if label.startswith("exported_")]
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_receiver_that_takes_the_place_of_a_dead_one_hears_what_that_was_owed(stage: Stage) -> None:
    vendor, pager, chat = stage.party("jfrog-connect", devices=30), stage.party("webhook"), stage.party("slack")
    chat.do("always", status=503)
    tables = {"sources": [config.jfrog(vendor.url)], "rules": config.rules()}
    before = stage.service(
        stage.configure(**tables, route=config.route("chat"), receivers=[config.slack(chat.url)])
    ).swept()
    deployment = vendor.do("deploy", devices=5)
    vendor.do("settle", dp=deployment, failed=2)
    stage.until(lambda: before.sample('fleetpulse_outbox_deliveries{receiver="chat",state="owed"}'), "it is owed")
    assert before.process.stop()[0] == 0

    stage.service(stage.configure(**tables, route=config.route("pager"), receivers=[config.webhook(pager.url)])).ready()
    stage.until(lambda: arrivals(pager), "the new receiver was told")

    (message,) = arrivals(pager)
    assert message.alerts[0]["labels"]["deployment"] == deployment
