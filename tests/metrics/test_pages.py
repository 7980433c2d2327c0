from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from fleetpulse.fleet.deployment import ENROLMENT, Deployment, DeploymentStatus
from fleetpulse.fleet.device import Aspect, Device, DeviceStatus, Readings, Sighting, SimState
from fleetpulse.fleet.flow import UpdateFlow
from fleetpulse.fleet.job import BulkJob, JobStatus
from fleetpulse.fleet.known import SEGMENT_DEVICES, Changes, KnownFleet
from fleetpulse.fleet.tunnel import Tunnel, TunnelStatus
from fleetpulse.fleet.walk import Walk
from fleetpulse.metrics import wholes
from fleetpulse.metrics.pages import FleetPages
from metrics.fleets import T0, VENDOR, lines, names, rendered, show, shown, sighting

WARM = Readings(cpu_usage_ratio=0.9)
COOL = Readings(cpu_usage_ratio=0.1)


def test_a_fleet_reads_as_written_down_here() -> None:
    pages = shown([sighting("d-1", group="Lyon"), sighting("d-2", DeviceStatus.OFFLINE, group="Lyon", readings=COOL)])

    text = rendered(pages)

    assert text == (
        "# HELP fleet_device_up Whether the vendor reports the device as online (1) or offline (0);"
        " withheld while nobody knows.\n"
        "# TYPE fleet_device_up gauge\n"
        'fleet_device_up{source="edge",device="d-1"} 1\n'
        'fleet_device_up{source="edge",device="d-2"} 0\n'
        "# HELP fleet_device_info What the device is called and runs; always 1.\n"
        "# TYPE fleet_device_info gauge\n"
        'fleet_device_info{source="edge",vendor="jfrog-connect",device="d-1",name="",group="Lyon",model="",version="",'
        'tags=""} 1\n'
        'fleet_device_info{source="edge",vendor="jfrog-connect",device="d-2",name="",group="Lyon",model="",version="",'
        'tags=""} 1\n'
        "# HELP fleet_device_cpu_usage_ratio Share of the processor in use, 0 to 1, as the device last told.\n"
        "# TYPE fleet_device_cpu_usage_ratio gauge\n"
        'fleet_device_cpu_usage_ratio{source="edge",device="d-2"} 0.1\n'
        "# HELP fleet_devices Devices by group and status.\n"
        "# TYPE fleet_devices gauge\n"
        'fleet_devices{source="edge",group="Lyon",status="online"} 1\n'
        'fleet_devices{source="edge",group="Lyon",status="offline"} 1\n'
        'fleet_devices{source="edge",group="Lyon",status="unknown"} 0\n'
        'fleet_devices{source="edge",group="Lyon",status="missing"} 0\n'
    )


def test_nothing_known_is_an_empty_exposition() -> None:
    assert FleetPages().text() == []


def test_two_sources_share_one_head() -> None:
    pages = shown([sighting("d-1")], pages=shown([sighting("d-1")], source="lab"))

    text = rendered(pages)

    assert text.count("# TYPE fleet_device_up gauge") == 1
    assert lines(pages, "fleet_device_up") == [
        'fleet_device_up{source="lab",device="d-1"} 1',
        'fleet_device_up{source="edge",device="d-1"} 1',
    ]


def test_a_changed_status_is_shown() -> None:
    fleet, pages = KnownFleet("edge"), FleetPages()
    show(pages, fleet, [sighting("d-1")])
    rendered(pages)

    show(pages, fleet, [sighting("d-1", DeviceStatus.OFFLINE)])

    assert lines(pages, "fleet_device_up") == ['fleet_device_up{source="edge",device="d-1"} 0']


def test_an_unchanged_page_owes_nothing() -> None:
    fleet, pages = KnownFleet("edge"), FleetPages()
    show(pages, fleet, [sighting("d-1", readings=WARM)])
    rendered(pages)

    show(pages, fleet, [sighting("d-1", readings=WARM)])

    assert pages.behind == 0
    assert not pages.dirty.is_set()


def test_new_readings_owe_their_families_alone() -> None:
    fleet, pages = KnownFleet("edge"), FleetPages(per_device=["up", "info", "cpu", "memory"])
    show(pages, fleet, [sighting("d-1", readings=WARM)])
    rendered(pages)

    show(pages, fleet, [sighting("d-1", readings=COOL)])

    assert pages.behind == 2
    assert lines(pages, "fleet_device_cpu_usage_ratio") == [
        'fleet_device_cpu_usage_ratio{source="edge",device="d-1"} 0.1'
    ]


def test_a_page_that_does_not_speak_of_readings_leaves_them() -> None:
    fleet, pages = KnownFleet("edge"), FleetPages()
    show(pages, fleet, [sighting("d-1", readings=WARM)])

    show(pages, fleet, [sighting("d-1", DeviceStatus.OFFLINE)], aspects=Aspect.STATUS)

    assert lines(pages, "fleet_device_cpu_usage_ratio") == [
        'fleet_device_cpu_usage_ratio{source="edge",device="d-1"} 0.9'
    ]


def test_a_forgotten_device_leaves_no_ghost_and_no_reading() -> None:
    fleet, pages = KnownFleet("edge"), FleetPages()
    show(pages, fleet, [sighting("d-1", readings=WARM), sighting("d-2")])
    for days in (0, 1, 8):
        walk = Walk(started_at=T0)
        walk.note(["d-2"])
        gone = fleet.absent(walk, seen_at=T0 + timedelta(days=days), forget_after=timedelta(days=7))
        fleet.accept(gone)
        pages.devices(fleet, vendor=VENDOR, changes=gone)
    assert fleet.device("d-1") is None

    after = lines(pages)
    show(pages, fleet, [sighting("d-1")], aspects=Aspect.STATUS)
    back = lines(pages, "fleet_device_cpu_usage_ratio")

    assert not [line for line in after if '"d-1"' in line]
    assert back == []


def test_a_fleet_loaded_from_the_journal_is_shown_whole() -> None:
    fleet = KnownFleet("edge")
    page = [sighting(f"d-{number}") for number in range(SEGMENT_DEVICES + 1)]
    fleet.accept(fleet.compare(page, walk=Walk(started_at=T0), seen_at=T0))
    pages = FleetPages()

    pages.devices(fleet, vendor=VENDOR, changes=Changes(segments=fleet.segments()))

    assert len(lines(pages, "fleet_device_up")) == SEGMENT_DEVICES + 1


def test_a_stale_source_withholds_up_and_nothing_else() -> None:
    pages = shown([sighting("d-1", readings=WARM)])
    before = lines(pages)

    pages.stale("edge", is_stale=True)
    stale = lines(pages)
    pages.stale("edge", is_stale=False)

    assert set(before) - set(stale) == {'fleet_device_up{source="edge",device="d-1"} 1'}
    assert lines(pages) == before


def test_a_stale_source_does_not_withhold_the_others() -> None:
    pages = shown([sighting("d-1")], pages=shown([sighting("d-1")], source="lab"))

    pages.stale("edge", is_stale=True)

    assert lines(pages, "fleet_device_up") == ['fleet_device_up{source="lab",device="d-1"} 1']


def test_a_deployment_no_longer_shown_leaves_nothing() -> None:
    pages = FleetPages()
    pages.deployments("edge", [Deployment(id="dp-1"), Deployment(id="dp-2")])
    rendered(pages)

    pages.deployments("edge", [Deployment(id="dp-2", status=DeploymentStatus.FAILED)])

    text = rendered(pages)
    assert "dp-1" not in text
    assert 'fleet_deployments{source="edge",status="failed"} 1' in text
    assert 'deployment="dp-2",name="",kind="",status="failed"' in text


def test_an_unchanged_deployment_is_not_rendered_again() -> None:
    pages, deployment = FleetPages(), Deployment(id="dp-1")
    pages.deployments("edge", [deployment])
    rendered(pages)

    pages.deployments("edge", [deployment])

    assert pages.behind == 1  # the counts


def test_deployments_without_series_of_their_own_are_counted() -> None:
    pages = FleetPages()
    enrolments = [Deployment(id=f"e-{number}", kind=ENROLMENT) for number in range(20_000)]

    pages.deployments("edge", [*enrolments, Deployment(id="dp-1")])

    samples = lines(pages)
    assert 'fleet_deployments{source="edge",status="running"} 20001' in samples
    assert not [line for line in samples if 'deployment="e-' in line]
    assert len(lines(pages, "fleet_deployment_info")) == 1


def test_a_deployment_pushed_out_by_newer_ones_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wholes, "MOST_DEPLOYMENTS", 2)
    pages = FleetPages()
    deployments = [Deployment(id=f"dp-{number}", created_at=T0 + timedelta(days=number)) for number in range(3)]
    pages.deployments("edge", deployments[:2])
    rendered(pages)

    pages.deployments("edge", deployments)

    text = rendered(pages)
    assert "dp-0" not in text
    assert 'fleet_deployments{source="edge",status="running"} 3' in text


def test_jobs_replace_those_before_them() -> None:
    pages = FleetPages()
    pages.jobs("sims", [BulkJob(id="7"), BulkJob(id="8")])
    rendered(pages)

    pages.jobs("sims", [BulkJob(id="8", status=JobStatus.FAILED), BulkJob(id="8", status=JobStatus.FAILED)])

    assert lines(pages, "fleet_bulk_job_devices") == ['fleet_bulk_job_devices{source="sims",bulk_job="8"} 0']
    assert 'fleet_bulk_jobs{source="sims",action="other",status="failed"} 1' in lines(pages)


def test_sims_are_counted_where_there_are_any_and_leave_nothing_when_they_go() -> None:
    fleet, pages = KnownFleet("sims"), FleetPages()
    show(pages, fleet, [Sighting(Device(f"d-{number}", sim=SimState.PAUSED)) for number in range(2)])

    told = lines(pages, "fleet_sims")
    show(pages, fleet, [Sighting(Device(f"d-{number}")) for number in range(2)])

    assert told == [
        f'fleet_sims{{source="sims",state="{state}"}} {2 if state is SimState.PAUSED else 0}' for state in SimState
    ]
    assert lines(pages, "fleet_sims") == []


def test_tunnels_and_flows_replace_those_before_them() -> None:
    pages = FleetPages()
    pages.tunnels("edge", [Tunnel(id="t-1", device="d-1", status=TunnelStatus.OPEN)])
    pages.flows("edge", [UpdateFlow(id="f-1", severity="Critical"), UpdateFlow(id="f-2", severity="Low")])
    rendered(pages)

    pages.tunnels("edge", [Tunnel(id="t-1", device="d-1", status=TunnelStatus.TERMINATED)] * 2)
    pages.flows("edge", [UpdateFlow(id="f-2", severity="High")] * 2)

    assert lines(pages, "fleet_tunnels") == [
        'fleet_tunnels{source="edge",status="pending"} 0',
        'fleet_tunnels{source="edge",status="open"} 0',
        'fleet_tunnels{source="edge",status="closed"} 0',
        'fleet_tunnels{source="edge",status="terminated"} 1',
    ]
    assert lines(pages, "fleet_update_flow_info") == [
        'fleet_update_flow_info{source="edge",flow="f-2",severity="High"} 1'
    ]


def test_a_removed_source_leaves_nothing_rendered_or_owed() -> None:
    pages = shown([sighting("d-1", readings=WARM)], pages=shown([sighting("d-1")], source="lab"))
    pages.deployments("edge", [Deployment(id="dp-1")])
    rendered(pages)
    pages.jobs("edge", [BulkJob(id="7")])

    pages.removed("edge")
    pages.removed("nowhere")

    assert pages.behind == 0
    assert lines(pages)
    assert not [line for line in lines(pages) if 'source="lab"' not in line]


def test_only_wanted_aspects_are_there() -> None:
    pages = shown([sighting("d-1", readings=WARM)], pages=FleetPages(per_device=["cpu", "up"]))

    assert names(lines(pages)) == {"fleet_device_cpu_usage_ratio", "fleet_device_up", "fleet_devices"}


def test_too_many_series_leave_out_whole_families_and_say_so_once() -> None:
    page = [sighting(f"d-{number}", readings=Readings(cpu_usage_ratio=0.5)) for number in range(10)]

    with capture_logs() as logs:
        pages = shown(page, pages=FleetPages(max_device_series=25))
        rendered(pages)
        again = lines(pages)

    assert names(again) == {"fleet_device_up", "fleet_device_info", "fleet_devices"}
    assert [(line["log_level"], line["source"], line["left_out"]) for line in logs] == [
        ("warning", "edge", "cpu, memory, disk, updates_blocked, traffic")
    ]


def test_a_source_of_ghosts_does_not_drop_the_families_of_another() -> None:
    pages = shown([sighting("d-1", readings=WARM)], source="yard", pages=FleetPages(max_device_series=50))

    shown([sighting(f"d-{number}") for number in range(60)], pages=pages)

    kept = [line for line in lines(pages) if line.startswith("fleet_device_")]
    assert {line.partition('source="')[2].partition('"')[0] for line in kept} == {"yard"}
    assert names(kept) == {"fleet_device_up", "fleet_device_info", "fleet_device_cpu_usage_ratio"}


def test_half_a_family_is_never_shown_while_it_returns() -> None:
    fleet, pages = KnownFleet("edge"), FleetPages(per_device=["up", "cpu"], max_device_series=3 * SEGMENT_DEVICES)
    silent = [sighting(f"d-{number}") for number in range(2 * SEGMENT_DEVICES)]
    many = [sighting(f"d-{number}", readings=WARM) for number in range(2 * SEGMENT_DEVICES)]
    show(pages, fleet, many)
    assert names(lines(pages)) == {"fleet_device_up", "fleet_devices"}

    show(pages, fleet, [each for number, each in enumerate(silent) if number % 20])
    seen = [len(b"".join(pages.text()).decode().split("\nfleet_device_cpu_usage_ratio{")) - 1]
    while pages.refresh(budget_s=0):
        seen.append(len(b"".join(pages.text()).decode().split("\nfleet_device_cpu_usage_ratio{")) - 1)

    assert set(seen) == {0}
    assert len(lines(pages, "fleet_device_cpu_usage_ratio")) == 2 * SEGMENT_DEVICES / 20


def test_an_aspect_nobody_has_is_refused() -> None:
    with pytest.raises(ValueError, match="choose from"):
        FleetPages(per_device=["temperature"])


def test_odd_names_are_read_back_by_a_parser() -> None:
    odd = 'é"\\\n</script>\u202e'

    families = list(text_string_to_metric_families(rendered(shown([sighting(odd, group=odd)], source=odd))))

    assert {sample.labels["source"] for family in families for sample in family.samples} == {odd}


SIGHTINGS = st.lists(
    st.builds(
        sighting,
        st.sampled_from(["d-1", "d-2", "d-3"]),
        st.sampled_from(list(DeviceStatus)[:3]),
        group=st.sampled_from(["", "Lyon"]),
        readings=st.sampled_from([Readings(), WARM, COOL]),
    ),
    max_size=3,
    unique_by=lambda each: each.device.id,
)


@given(st.lists(st.tuples(SIGHTINGS, st.booleans()), max_size=6))
def test_pages_rendered_piecemeal_are_those_rendered_at_once(walked: list[tuple[list[Sighting], bool]]) -> None:
    fleet, pages = KnownFleet("edge"), FleetPages()
    told: dict[str, Readings] = {}
    for page, scraped in walked:
        show(pages, fleet, page)
        told |= {each.device.id: each.readings for each in page}
        if scraped:
            pages.refresh(budget_s=0)

    whole = FleetPages()
    whole.devices(fleet, vendor=VENDOR, changes=Changes(segments=fleet.segments(), readings=told))

    assert rendered(pages) == rendered(whole)
