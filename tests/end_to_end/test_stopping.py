"""How the service goes down: in order and in time, whoever hangs; at once when asked twice."""

import signal
import time

from end_to_end import config
from end_to_end.parties import Party, arrivals, told_offline
from end_to_end.stage import Service, Stage

DEVICES = 3_000


def watching(stage: Stage, vendor: Party, webhook: Party) -> Service:
    path = stage.configure(
        sources=[config.jfrog(vendor.url, interval="100ms")],
        rules=config.rules(),
        route=config.route("pager"),
        receivers=[config.webhook(webhook.url)],
    )
    return stage.service(path)


def test_sigterm_ends_it_in_time_under_load_while_vendor_and_receiver_hang(stage: Stage) -> None:
    vendor, webhook = stage.party("jfrog-connect", devices=DEVICES), stage.party("webhook")
    service = watching(stage, vendor, webhook).swept()
    webhook.do("hold")
    vendor.do("drop", n=DEVICES // 2)
    stage.until(webhook.unanswered, "the receiver hangs on a notification")
    vendor.do("restore", n=DEVICES // 4)
    vendor.do("hang_next")
    stage.until(lambda: vendor.state()["faults"] == 0, "the vendor hangs, too")

    code, took_s = service.process.stop()
    webhook.do("release")
    again = watching(stage, vendor, webhook).ready()
    offline = set(vendor.do("uuids", status="offline"))
    stage.until(lambda: told_offline(webhook) == offline, "all was told after the next start")

    assert (code, took_s < 10) == (0, True)
    assert "event=stopped" in service.process.said()
    assert again.process.code is None


def test_what_is_due_is_delivered_before_it_ends(stage: Stage) -> None:
    vendor, webhook = stage.party("jfrog-connect", devices=6), stage.party("webhook")
    service = watching(stage, vendor, webhook).swept()
    webhook.do("slow", seconds=1)
    vendor.do("drop", n=1)
    stage.until(webhook.unanswered, "the receiver has a notification")

    code, _ = service.process.stop()
    answered = webhook.state()["statuses"]
    again = watching(stage, vendor, webhook).swept()

    assert code == 0
    assert answered == {"200": 1}
    assert len(arrivals(webhook)) == 1
    assert again.process.code is None


def test_a_second_signal_kills(stage: Stage) -> None:
    vendor, webhook = stage.party("jfrog-connect", devices=6), stage.party("webhook")
    service = watching(stage, vendor, webhook).swept()
    webhook.do("hold")
    vendor.do("drop", n=1)
    stage.until(webhook.unanswered, "the receiver hangs on a notification")

    service.process.signal(signal.SIGTERM)
    stage.until(lambda: "a second signal kills" in service.process.said(), "it heard the first one")
    began = time.monotonic()
    service.process.signal(signal.SIGTERM)

    assert service.process.ended(within_s=2) == 128 + signal.SIGTERM
    assert time.monotonic() - began < 2
