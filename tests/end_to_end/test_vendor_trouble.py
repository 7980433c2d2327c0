"""A vendor's bad spell is the vendor's: no device changes for it, and people hear of the source once."""

from typing import Any

from end_to_end import config
from end_to_end.parties import Party, arrivals
from end_to_end.stage import Service, Stage

DEVICES = 60
SWEEPS = 20

CHANGES = ("went_offline", "became_unknown", "went_missing", "came_online", "returned", "forgotten", "changed")


class Watch:
    """The source's row, looked at again and again; all that it ever said of its devices."""

    def __init__(self, stage: Stage, service: Service, vendor: Party) -> None:
        self._stage = stage
        self._service = service
        self._vendor = vendor
        self.counts: list[dict[str, int]] = []

    def row(self) -> dict[str, Any]:
        row = self._service.sources()["edge"]
        if row["devices"] not in self.counts:
            self.counts.append(row["devices"])
        return row

    def problems(self) -> list[str]:
        return [problem["problem"] for problem in self.row()["problems"] if problem["resource"] == "devices"]

    def wait_for(self, problems: list[str], *, requests: int = 0) -> None:
        """Wait until the source has these problems, and the device list was asked for so often meanwhile."""
        asked = self._asked()
        self._stage.until(
            lambda: self.problems() == problems and self._asked() >= asked + requests, f"problems are {problems}"
        )

    def _asked(self) -> int:
        return sum(n for path, n in self._vendor.state()["counts"].items() if path.endswith("/devices"))


def test_no_device_changes_while_the_vendor_is_down_or_lists_half_or_nothing(stage: Stage) -> None:
    vendor, webhook = stage.party("jfrog-connect", devices=DEVICES), stage.party("webhook")
    path = stage.configure(
        sources=[config.jfrog(vendor.url, interval="50ms", sweep={"deployments": "1h"})],
        rules=config.rules(),
        route=config.route("pager", group_wait="0s"),
        receivers=[config.webhook(webhook.url)],
    )
    vendor.do("drop", n=5)
    service = stage.service(path)
    stage.until(lambda: service.ready().sources()["edge"]["devices"]["online"] == DEVICES - 5, "the fleet is known")
    watch = Watch(stage, service, vendor)
    watch.wait_for([], requests=2)

    vendor.do("always", status=503, body="upstream connect error")
    watch.wait_for(["down"], requests=3)
    stage.until(lambda: arrivals(webhook), "people were told of the source")
    vendor.do("clear")
    watch.wait_for([], requests=2)
    for breakage in ("half_list", "empty_list"):
        vendor.do(breakage)
        watch.wait_for(["doubted"], requests=SWEEPS)
        vendor.do(breakage, on=False)
        watch.wait_for([], requests=2)
    stage.until(lambda: len(arrivals(webhook)) > 1, "people were told of the recovery")

    down, recovered = arrivals(webhook)
    assert watch.counts == [{"online": DEVICES - 5, "offline": 5, "unknown": 0, "missing": 0}]
    assert [
        service.sample(f'fleet_events_total{{source="edge",type="fleet.device.{change}"}}') for change in CHANGES
    ] == [0] * len(CHANGES)
    assert [alert["labels"]["alertname"] for alert in (*down.alerts, *recovered.alerts)] == ["FleetSourceDown"] * 2
    assert (down.event["data"]["status"], recovered.event["data"]["status"]) == ("firing", "resolved")
    assert recovered.alerts[0]["endReason"] == "recovered"


def test_garbage_and_broken_connections_fail_the_sweep_with_a_name_and_change_no_device(stage: Stage) -> None:
    vendor, webhook = stage.party("jfrog-connect", devices=2_500), stage.party("webhook")
    path = stage.configure(
        sources=[config.jfrog(vendor.url, interval="50ms", sweep={"deployments": "1h"})],
        rules=config.rules(FleetSourceDown="1h"),
        route=config.route("pager", group_wait="0s"),
        receivers=[config.webhook(webhook.url)],
    )
    service = stage.service(path)
    stage.until(lambda: service.ready().sources()["edge"]["devices"]["online"] == 2_500, "the fleet is known")
    watch = Watch(stage, service, vendor)
    watch.wait_for([], requests=6)

    for breakage in ("garble_next", "truncate_next", "reset_next"):
        vendor.do(breakage, n=4)
        watch.wait_for(["down"])
        watch.wait_for([], requests=3)

    assert watch.counts == [{"online": 2_500, "offline": 0, "unknown": 0, "missing": 0}]
    assert [
        service.sample(f'fleet_events_total{{source="edge",type="fleet.device.{change}"}}') for change in CHANGES
    ] == [0] * len(CHANGES)
    assert arrivals(webhook) == []
