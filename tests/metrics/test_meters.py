import ast
import re
from pathlib import Path
from typing import Final, get_args

from prometheus_client.parser import text_string_to_metric_families

from fleetpulse.alerting.notification import NotifyReason
from fleetpulse.fleet.events import AnyEvent
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.readouts import BudgetReading, OutboxReading
from metrics.fleets import T0

SOURCES: Final = Path(__file__).parents[2] / "src/fleetpulse"


def samples(meters: Meters) -> dict[str, float]:
    """Each sample by its name and labels as they are written."""
    lines = [line for line in meters.text().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def metered() -> Meters:
    meters = Meters(version="1.2.3")
    meters.expect_source("edge", vendor="jfrog-connect", resources=["devices"], labels={"team": "edge"})
    meters.expect_receiver("slack", outcomes=[("delivered", ""), ("expired", "timeout")])
    return meters


def test_counters_stand_at_0_from_the_start() -> None:
    found = samples(metered())

    assert found['fleetpulse_sweeps_total{outcome="complete",resource="devices",source="edge"}'] == 0
    assert found['fleetpulse_sweeps_total{outcome="stalest",resource="devices",source="edge"}'] == 0
    assert found['fleetpulse_vendor_requests_total{code="429",source="edge"}'] == 0
    assert found['fleet_events_total{source="edge",type="fleet.device.went_offline"}'] == 0
    assert found['fleetpulse_notifications_total{reason="first",receiver="slack"}'] == 0
    assert found['fleetpulse_deliveries_total{outcome="expired",reason="timeout",receiver="slack"}'] == 0
    assert found['fleetpulse_delivery_seconds_count{receiver="slack"}'] == 0


def test_only_events_that_can_come_to_a_source_are_expected() -> None:
    emitters = [path for room in ("fleet", "sweeping") for path in sorted((SOURCES / room).glob("*.py"))]
    used = {
        node.id
        for path in emitters
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and path.name != "events.py"
    }
    emitted = {event.__struct_config__.tag for event in get_args(AnyEvent) if event.__name__ in used}

    found = {re.findall(r'type="([\w.]+)"', name)[0] for name in samples(metered()) if name.startswith("fleet_events")}

    assert found == emitted - {"fleet.source.removed"}


def test_nothing_is_said_twice_as_a_created_series() -> None:
    assert "_created" not in metered().text().decode()


def test_a_family_without_samples_is_left_out() -> None:
    text = Meters(version="1.2.3").text().decode()

    assert "fleetpulse_build_info" in text
    assert "fleetpulse_sweeps_total" not in text


def test_a_journal_that_cannot_be_written_is_told() -> None:
    meters, writable = metered(), {"now": True}
    meters.watch_journal(lambda: writable["now"])
    before = samples(meters)["fleetpulse_journal_writable"]

    writable["now"] = False

    assert (before, samples(meters)["fleetpulse_journal_writable"]) == (1, 0)


def test_what_a_sweep_tells_is_counted() -> None:
    meters = metered()

    meters.sweep_every("edge", "devices", 60.0)
    meters.sweep_ended("edge", vendor="jfrog-connect", resource="devices", outcome="complete", seconds=2.0)
    meters.sweep_succeeded("edge", "devices", T0)
    meters.source_walked("edge", complete=True)
    meters.source_stale("edge", is_stale=False)
    meters.event_seen("edge", "fleet.device.went_offline", 3)

    found = samples(meters)
    assert found['fleetpulse_sweep_interval_seconds{resource="devices",source="edge"}'] == 60
    assert found['fleetpulse_sweeps_total{outcome="complete",resource="devices",source="edge"}'] == 1
    assert found['fleetpulse_sweep_duration_seconds_sum{resource="devices",vendor="jfrog-connect"}'] == 2
    assert found['fleetpulse_sweep_last_success_timestamp_seconds{resource="devices",source="edge"}'] == T0.timestamp()
    assert found['fleetpulse_source_up{source="edge"}'] == 1
    assert found['fleetpulse_source_stale{source="edge"}'] == 0
    assert found['fleet_events_total{source="edge",type="fleet.device.went_offline"}'] == 3


def test_credentials_that_say_no_more_when_they_expire_have_no_series() -> None:
    meters, name = metered(), 'fleetpulse_source_credentials_expiry_timestamp_seconds{source="edge"}'
    meters.credentials_expire("edge", None)  # as of most keys
    meters.credentials_expire("edge", T0)

    told = samples(meters)
    meters.credentials_expire("edge", None)

    assert told[name] == T0.timestamp()
    assert name not in samples(meters)


def test_status_codes_are_kept_to_those_of_http() -> None:
    meters = metered()

    for code in (200, 999_999, 42, None):
        meters.vendor_answered("edge", vendor="jfrog-connect", code=code, seconds=0.1)

    found = samples(meters)
    assert found['fleetpulse_vendor_requests_total{code="200",source="edge"}'] == 1
    assert found['fleetpulse_vendor_requests_total{code="other",source="edge"}'] == 2
    assert found['fleetpulse_vendor_requests_total{code="none",source="edge"}'] == 1
    assert found['fleetpulse_vendor_request_duration_seconds_count{vendor="jfrog-connect"}'] == 4


def test_what_a_delivery_tells_is_counted() -> None:
    meters = metered()

    meters.notified("slack", NotifyReason.FIRST)
    meters.delivery_tried("slack", outcome="retry", reason="timeout")
    meters.delivery_tried("slack", outcome="delivered")
    meters.delivered("slack", since_due_s=0.5, since_detection_s=0.75)
    meters.delivered("slack", since_due_s=0.5)

    found = samples(meters)
    assert found['fleetpulse_notifications_total{reason="first",receiver="slack"}'] == 1
    assert found['fleetpulse_deliveries_total{outcome="retry",reason="timeout",receiver="slack"}'] == 1
    assert found['fleetpulse_deliveries_total{outcome="delivered",reason="",receiver="slack"}'] == 1
    assert found['fleetpulse_delivery_seconds_count{receiver="slack"}'] == 2
    assert found['fleetpulse_detection_to_delivery_seconds_sum{receiver="slack"}'] == 0.75


def test_what_others_know_is_asked_at_each_scrape() -> None:
    meters, backlog = metered(), {"evaluator": 0}
    meters.watch_queues(lambda: backlog)
    meters.watch_alerts(lambda: {("FleetDeviceOffline", "firing"): 2})
    meters.watch_outbox(
        lambda: [OutboxReading("slack", {"waiting": 3}, T0), OutboxReading("hook", {"waiting": 0})],
    )
    meters.watch_budget("edge", lambda: BudgetReading(ceiling=5.0, granted=2.5, needed=1.0))

    backlog["evaluator"] = 7
    found = samples(meters)

    assert found['fleetpulse_queue_events{consumer="evaluator"}'] == 7
    assert found['fleetpulse_alerts{alertname="FleetDeviceOffline",state="firing"}'] == 2
    assert found['fleetpulse_outbox_deliveries{receiver="slack",state="waiting"}'] == 3
    assert found['fleetpulse_outbox_oldest_timestamp_seconds{receiver="slack"}'] == T0.timestamp()
    assert 'fleetpulse_outbox_oldest_timestamp_seconds{receiver="hook"}' not in found
    assert found['fleetpulse_vendor_budget_requests_per_second{kind="granted",source="edge"}'] == 2.5


def test_sources_with_different_labels_share_one_family() -> None:
    meters = metered()
    meters.expect_source("lab", vendor="hologram", resources=["devices"], labels={"site": "Lyon"})

    (family,) = [
        family
        for family in text_string_to_metric_families(meters.text().decode())
        if family.name == "fleetpulse_source_info"
    ]

    assert [sample.labels for sample in family.samples] == [
        {"source": "edge", "vendor": "jfrog-connect", "team": "edge", "site": ""},
        {"source": "lab", "vendor": "hologram", "team": "", "site": "Lyon"},
    ]


def test_two_meters_do_not_share_a_registry() -> None:
    first, second = metered(), metered()

    first.event_seen("edge", "fleet.device.appeared")

    assert samples(second)['fleet_events_total{source="edge",type="fleet.device.appeared"}'] == 0
