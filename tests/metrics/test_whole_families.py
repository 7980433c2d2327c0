from datetime import timedelta

from fleetpulse.fleet.deployment import ENROLMENT, Deployment, DeploymentStatus, RolloutStatus
from fleetpulse.fleet.device import DeviceStatus, SimState
from fleetpulse.fleet.flow import UpdateFlow
from fleetpulse.fleet.job import BulkJob, JobAction, JobStatus
from fleetpulse.metrics import wholes
from metrics.fleets import T0

MINUTE = timedelta(minutes=1)
DEPLOYMENT = Deployment(
    id="dp-1",
    name="app 2.0",
    kind="app",
    created_at=T0,
    vulnerabilities={"Critical": 2},
    devices={"d-1": RolloutStatus.FAILED, "d-2": RolloutStatus.SUCCEEDED, "d-3": RolloutStatus.SUCCEEDED},
    status=DeploymentStatus.PARTIAL,
)


def test_every_group_has_all_four_statuses() -> None:
    counts = {("Lyon", DeviceStatus.ONLINE): 12, ("Lyon", DeviceStatus.OFFLINE): 3, ("", DeviceStatus.MISSING): 1}

    pieces = wholes.devices_pieces("edge", counts, {})

    assert pieces["fleet_devices"].decode() == (
        'fleet_devices{source="edge",group="",status="online"} 0\n'
        'fleet_devices{source="edge",group="",status="offline"} 0\n'
        'fleet_devices{source="edge",group="",status="unknown"} 0\n'
        'fleet_devices{source="edge",group="",status="missing"} 1\n'
        'fleet_devices{source="edge",group="Lyon",status="online"} 12\n'
        'fleet_devices{source="edge",group="Lyon",status="offline"} 3\n'
        'fleet_devices{source="edge",group="Lyon",status="unknown"} 0\n'
        'fleet_devices{source="edge",group="Lyon",status="missing"} 0\n'
    )


def test_every_state_of_sims_is_told_where_there_is_a_sim() -> None:
    pieces = wholes.devices_pieces("sims", {}, {SimState.PAUSED_BY_SYSTEM: 2})

    assert pieces["fleet_sims"].decode() == (
        'fleet_sims{source="sims",state="active"} 0\n'
        'fleet_sims{source="sims",state="paused"} 0\n'
        'fleet_sims{source="sims",state="paused_by_system"} 2\n'
        'fleet_sims{source="sims",state="inactive"} 0\n'
        'fleet_sims{source="sims",state="retired"} 0\n'
        'fleet_sims{source="sims",state="pending"} 0\n'
        'fleet_sims{source="sims",state="unknown"} 0\n'
    )
    assert wholes.devices_pieces("edge", {}, {})["fleet_sims"] == b""


def test_deployments_are_counted_at_every_status() -> None:
    pieces = wholes.deployments_pieces("edge", [DEPLOYMENT])

    assert pieces["fleet_deployments"].decode() == (
        'fleet_deployments{source="edge",status="running"} 0\n'
        'fleet_deployments{source="edge",status="succeeded"} 0\n'
        'fleet_deployments{source="edge",status="partial"} 1\n'
        'fleet_deployments{source="edge",status="failed"} 0\n'
        'fleet_deployments{source="edge",status="aborted"} 0\n'
        'fleet_deployments{source="edge",status="incomplete"} 0\n'
    )


def test_a_deployment_reads_as_written_down_here() -> None:
    pieces = wholes.deployment_pieces("edge", DEPLOYMENT)

    own = 'source="edge",deployment="dp-1"'
    assert {name: piece.decode() for name, piece in pieces.items()} == {
        "fleet_deployment_devices": (
            f'fleet_deployment_devices{{{own},status="pending"}} 0\n'
            f'fleet_deployment_devices{{{own},status="in_progress"}} 0\n'
            f'fleet_deployment_devices{{{own},status="succeeded"}} 2\n'
            f'fleet_deployment_devices{{{own},status="failed"}} 1\n'
            f'fleet_deployment_devices{{{own},status="aborted"}} 0\n'
            f'fleet_deployment_devices{{{own},status="unknown"}} 0\n'
        ),
        "fleet_deployment_info": f'fleet_deployment_info{{{own},name="app 2.0",kind="app",status="partial"}} 1\n',
        "fleet_deployment_created_timestamp_seconds": (
            f"fleet_deployment_created_timestamp_seconds{{{own}}} 1772438400.0\n"
        ),
        "fleet_deployment_vulnerabilities": f'fleet_deployment_vulnerabilities{{{own},severity="Critical"}} 2\n',
    }


def test_a_deployment_without_dates_or_findings_has_no_samples_of_them() -> None:
    pieces = wholes.deployment_pieces("edge", Deployment(id="dp-2"))

    assert pieces["fleet_deployment_created_timestamp_seconds"] == b""
    assert pieces["fleet_deployment_vulnerabilities"] == b""


def test_an_enrolment_has_series_of_its_own_once_it_failed() -> None:
    deployments = [
        Deployment(id="e-1", kind=ENROLMENT, devices={"d-1": RolloutStatus.PENDING}),
        Deployment(
            id="e-2", kind=ENROLMENT, devices={"d-2": RolloutStatus.SUCCEEDED}, status=DeploymentStatus.SUCCEEDED
        ),
        Deployment(id="e-3", kind=ENROLMENT, devices={"d-3": RolloutStatus.FAILED}, status=DeploymentStatus.FAILED),
        Deployment(id="dp-1", kind="app", devices={"d-4": RolloutStatus.PENDING}),
    ]

    singled_out = wholes.singled_out(deployments)

    assert [each.id for each in singled_out] == ["e-3", "dp-1"]


def test_of_too_many_deployments_the_newest_have_series_of_their_own() -> None:
    dated = [
        Deployment(id=f"dp-{number}", created_at=T0 + number * MINUTE) for number in range(wholes.MOST_DEPLOYMENTS)
    ]
    undated = [Deployment(id="undated"), *dated, Deployment(id="oldest", created_at=T0 - MINUTE)]

    singled_out = wholes.singled_out(undated)

    assert {each.id for each in singled_out} == {each.id for each in dated}
    assert len(wholes.singled_out(undated[: wholes.MOST_DEPLOYMENTS])) == wholes.MOST_DEPLOYMENTS


def test_of_too_many_update_flows_the_newest_are_shown() -> None:
    flows = [UpdateFlow(id=f"f-{number}", created_at=T0 + number * MINUTE) for number in range(wholes.MOST_FLOWS + 5)]

    lines = wholes.flows_pieces("edge", [UpdateFlow(id="undated"), *flows])["fleet_update_flow_info"].decode()

    assert {line.split('"')[3] for line in lines.splitlines()} == {flow.id for flow in flows[5:]}


def test_jobs_read_as_written_down_here() -> None:
    jobs = [
        BulkJob(id="7", action=JobAction.PAUSE, status=JobStatus.RUNNING, device_count=40, started_at=T0),
        BulkJob(id="8", action=JobAction.PAUSE, status=JobStatus.RUNNING, device_count=2),
    ]

    pieces = wholes.jobs_pieces("sims", jobs)

    counted = pieces["fleet_bulk_jobs"].decode().splitlines()
    assert len(counted) == len(JobAction) * len(JobStatus)
    assert [line for line in counted if not line.endswith(" 0")] == [
        'fleet_bulk_jobs{source="sims",action="pause",status="running"} 2'
    ]
    assert pieces["fleet_bulk_job_devices"].decode() == (
        'fleet_bulk_job_devices{source="sims",bulk_job="7"} 40\nfleet_bulk_job_devices{source="sims",bulk_job="8"} 2\n'
    )
    assert pieces["fleet_bulk_job_start_timestamp_seconds"].decode() == (
        'fleet_bulk_job_start_timestamp_seconds{source="sims",bulk_job="7"} 1772438400.0\n'
    )
