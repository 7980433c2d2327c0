"""One row for each vendor: its simulator, its client, its endpoints, and what its simulator knows to be true.

Endpoints are those that a monitor reads; whatever else a vendor offers is not to be asked for.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from fleetpulse.fleet.device import DeviceStatus, Sighting
from fleetpulse.outbound import Account
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.simulator import Hologram as HologramCloud
from fleetpulse.simulator import JFrogConnect as JFrogCloud
from fleetpulse.simulator import JFrogConnectV1 as JFrogV1Cloud
from fleetpulse.simulator.iomote import Iomote as IomoteCloud
from fleetpulse.simulator.scalepad import ScalePad as ScalePadCloud
from fleetpulse.vendors.contract import Kind, Page, ReadsStalestDevices, Vendor
from fleetpulse.vendors.hologram import Hologram, HologramSettings
from fleetpulse.vendors.iomote import Iomote, IomoteSettings
from fleetpulse.vendors.jfrog_connect import JFrogConnect, JFrogConnectSettings
from fleetpulse.vendors.jfrog_connect_v1 import JFrogConnectV1, JFrogConnectV1Settings
from fleetpulse.vendors.scalepad import ScalePad, ScalePadSettings
from fleetpulse.vendors.settings import SourceSettings

KEY: Final = "planted/m4rker+of=n0b0dy&all"  # so spelled that a URL, a form and a header each show it in another way
NAME: Final = "gate 7"  # of one thing on each list, for faults to put something else in its place
SCALEPAD_CLIENT: Final = ScalePadCloud().client_id

Truth = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One endpoint that is read. `path` matches its whole path; `swept` is the resource it belongs to, if any.

    `ask` reaches it through the client's public methods; the simulator beside it tells which things there are.
    """

    name: str
    path: str
    ask: Callable[[Any, Any], Awaitable[object]]
    swept: str = ""

    def matches(self, path: str) -> bool:
        """Whether a request of this path asks this endpoint."""
        return re.fullmatch(self.path, path) is not None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One list that is walked: `limit` rows a page (0: all at once), a cloud with n of its things, and the truth.

    `told` is what a row says, in the words of `truth`: an id and what is known of it.
    """

    name: str
    limit: int
    cloud: Callable[[int], Any]
    walk: Callable[[Any, Any], AsyncIterator[Page[Any]]]
    told: Callable[[Any], tuple[str, object]]
    truth: Callable[[Any], Truth]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One vendor. `base` follows the host in its `base_url`; `census` is the endpoint that decides who is there."""

    name: str
    base: str
    census: str
    settings: Callable[..., SourceSettings]
    build: Callable[..., Vendor]
    cloud: Callable[..., Any]
    stock: Callable[[Any], object]
    endpoints: tuple[Endpoint, ...]
    listings: tuple[Listing, ...]

    def stocked(self) -> Any:
        """A simulated account with a few devices, and one at least of everything else."""
        cloud = self.cloud(5)
        cloud.rename(cloud.uuids()[0], NAME)
        self.stock(cloud)
        return cloud

    def client(self, url: str, *, account: Callable[[str], Account], redactor: Redactor, key: str = KEY) -> Vendor:
        """A client of the API at a host's URL, with the planted key or another one."""
        settings = self.settings(base_url=url + self.base)
        secret = Secret(value=SecretStr(key), redactor=redactor)
        return self.build(settings, account=account(url + self.base), secret=secret)


async def pages(walk: AsyncIterator[Page[Any]]) -> list[Page[Any]]:
    """All pages of a walk."""
    return [page async for page in walk]


async def sweep(client: Any, resource: str, cloud: Any) -> None:
    """Read everything that belongs to a resource, as its poller does."""
    await _SWEEPS[client.resources[resource].kind](client, resource, cloud)


async def read_all(case: Case, client: Any, cloud: Any) -> None:
    """Read all that can be read, swept and on demand."""
    await client.check()
    resources = list(client.resources)
    for resource in resources:
        await sweep(client, resource, cloud)
    if isinstance(client, ReadsStalestDevices):
        await pages(client.stalest_devices(resources[0]))
    for endpoint in case.endpoints:
        await endpoint.ask(client, cloud)


async def _sweep_deployments(client: Any, resource: str, _: Any) -> None:
    for page in await pages(client.deployments(resource)):
        for deployment in page.items:
            for devices in await pages(client.deployment_devices(deployment.id)):
                for device, _status in devices.items:
                    await client.failed_steps(deployment.id, device)


_SWEEPS: Final[Mapping[Kind, Callable[[Any, str, Any], Awaitable[object]]]] = {
    Kind.DEVICES: lambda client, resource, _: pages(client.devices(resource)),
    Kind.DEPLOYMENTS: _sweep_deployments,
    Kind.JOBS: lambda client, resource, _: pages(client.jobs(resource)),
    Kind.TUNNELS: lambda client, resource, _: pages(client.tunnels(resource)),
    Kind.FLOWS: lambda client, resource, _: pages(client.flows(resource)),
    Kind.GROUPS: lambda client, resource, _: pages(client.groups(resource)),
    Kind.SUMMARY: lambda client, resource, _: client.summary(resource),
    Kind.READINGS: lambda client, resource, cloud: client.readings(resource, cloud.uuids()[0]),
    Kind.ENROLMENTS: lambda client, resource, cloud: client.enrolments(resource, cloud.uuids()[0]),
}


def _settings(kind: type[SourceSettings], **fixed: Any) -> Callable[..., SourceSettings]:
    def made(**more: Any) -> SourceSettings:
        given = {"name": "edge", **fixed, **more}
        if f"{kind.credential}_file" not in given:
            given[kind.credential] = KEY
        return kind.model_validate(given)

    return made


def _state(sighting: Sighting) -> tuple[str, object]:
    return sighting.device.id, (sighting.status.value, sighting.device.name)


def _placed(sighting: Sighting) -> tuple[str, object]:
    return sighting.device.id, (sighting.status.value, sighting.device.name, sighting.device.group)


def _tagged(sighting: Sighting) -> tuple[str, object]:
    device = sighting.device
    return device.id, (sighting.status.value, device.name, device.group, device.tags, device.version)


def _by_id(item: Any) -> tuple[str, object]:
    return item.id, item.name


def _mixed(cloud: Any) -> Any:
    """The cloud with every third of its online devices gone offline."""
    cloud.drop(len(cloud.uuids("online")) // 3)
    return cloud


# -- JFrog Connect, API v2


def _jfrog(devices: int = 0, **more: Any) -> JFrogCloud:
    return JFrogCloud(devices=devices, token=KEY, **more)


def _jfrog_stock(cloud: JFrogCloud) -> None:
    cloud.deploy(1)
    cloud.settle(cloud.deploy(3, comment=NAME), failed=1)
    cloud.open_tunnel(cloud.uuids()[0])
    cloud.open_tunnel(cloud.uuids()[1])
    cloud.add_flow(NAME)


def _jfrog_deployment(cloud: JFrogCloud) -> str:
    return cloud.deployments.newest_first()[0].uuid


def _jfrog_failed(cloud: JFrogCloud) -> str:
    rows = cloud.deployments[_jfrog_deployment(cloud)].rows
    return next(row.device for row in rows if row.status == "Failed")


def _jfrog_tunnel(cloud: JFrogCloud) -> str:
    return str(cloud.tunnels.rows("null")[0]["port_tunnel_id"])


def _jfrog_deployed(n: int) -> JFrogCloud:
    cloud = _jfrog(1)
    for number in range(n):
        cloud.deploy(1, comment=f"rollout {number}")
    return cloud


def _jfrog_rolled_out(n: int) -> JFrogCloud:
    cloud = _jfrog(n)
    cloud.settle(cloud.deploy(n), failed=n // 2)
    return cloud


def _jfrog_tunnelled(n: int) -> JFrogCloud:
    cloud = _jfrog(1)
    for number in range(n):
        tunnel = cloud.open_tunnel(cloud.uuids()[0], status="opened" if number % 2 else "pending")
        if number % 3 == 0:
            cloud.close_tunnel(tunnel, "terminated")
    return cloud


def _jfrog_flowing(n: int) -> JFrogCloud:
    cloud = _jfrog(flows_paging=True)
    for number in range(n - len(cloud.flows.rows)):
        cloud.add_flow(f"flow {number}", severity="High" if number % 2 else None)
    return cloud


_TUNNEL_WORDS: Final = {"opened": "open"}  # where theirs is not ours
_JFROG: Final = "/api/v2/yard"
JFROG: Final = Case(
    name="jfrog-connect",
    base="",
    census="devices",
    settings=_settings(JFrogConnectSettings, project_key="yard"),
    build=JFrogConnect,
    cloud=_jfrog,
    stock=_jfrog_stock,
    endpoints=(
        Endpoint(
            name="devices",
            path=f"{_JFROG}/devices",
            ask=lambda client, _: pages(client.devices("devices")),
            swept="devices",
        ),
        Endpoint(
            name="device",
            path=f"{_JFROG}/devices/d-[^/]+",
            ask=lambda client, cloud: client.device(cloud.uuids()[0]),
        ),
        Endpoint(
            name="deployments",
            path=f"{_JFROG}/deployments",
            ask=lambda client, _: pages(client.deployments("deployments")),
            swept="deployments",
        ),
        Endpoint(
            name="deployment",
            path=f"{_JFROG}/deployments/[^/]+",
            ask=lambda client, cloud: client.deployment(_jfrog_deployment(cloud)),
        ),
        Endpoint(
            name="its devices",
            path=f"{_JFROG}/deployments/[^/]+/devices",
            ask=lambda client, cloud: pages(client.deployment_devices(_jfrog_deployment(cloud))),
            swept="deployments",
        ),
        Endpoint(
            name="its device's steps",
            path=f"{_JFROG}/deployments/[^/]+/devices/[^/]+",
            ask=lambda client, cloud: client.failed_steps(_jfrog_deployment(cloud), _jfrog_failed(cloud)),
            swept="deployments",
        ),
        Endpoint(
            name="port tunnels",
            path=f"{_JFROG}/port_tunnel",
            ask=lambda client, _: pages(client.tunnels("tunnels")),
            swept="tunnels",
        ),
        Endpoint(
            name="tunnel",
            path=f"{_JFROG}/port_tunnel/[^/]+",
            ask=lambda client, cloud: client.tunnel(_jfrog_tunnel(cloud)),
        ),
        Endpoint(
            name="update-flows",
            path=f"{_JFROG}/update-flows",
            ask=lambda client, _: pages(client.flows("flows")),
            swept="flows",
        ),
    ),
    listings=(
        Listing(
            name="devices",
            limit=1000,
            cloud=lambda n: _mixed(_jfrog(n)),
            walk=lambda client, _: client.devices("devices"),
            told=_tagged,
            truth=lambda cloud: {
                each.uuid: (each.status, each.name, each.group, tuple(sorted(each.tags)), each.like.version)
                for each in cloud.fleet.rows
            },
        ),
        Listing(
            name="deployments",
            limit=1000,
            cloud=_jfrog_deployed,
            walk=lambda client, _: client.deployments("deployments"),
            told=_by_id,
            truth=lambda cloud: {each.uuid: each.comment for each in cloud.deployments.newest_first()},
        ),
        Listing(
            name="its devices",
            limit=1000,
            cloud=_jfrog_rolled_out,
            walk=lambda client, cloud: client.deployment_devices(_jfrog_deployment(cloud)),
            told=lambda row: (row[0], row[1].value),
            truth=lambda cloud: {
                row.device: row.status.lower() for row in cloud.deployments[_jfrog_deployment(cloud)].rows
            },
        ),
        Listing(
            name="port tunnels",
            limit=0,
            cloud=_jfrog_tunnelled,
            walk=lambda client, _: client.tunnels("tunnels"),
            told=lambda tunnel: (tunnel.id, (tunnel.device, tunnel.status.value)),
            truth=lambda cloud: {
                row["port_tunnel_id"]: (row["device_id"], _TUNNEL_WORDS.get(row["status"], row["status"]))
                for row in cloud.tunnels.rows("null")
            },
        ),
        Listing(
            name="update-flows",
            limit=1000,
            cloud=_jfrog_flowing,
            walk=lambda client, _: client.flows("flows"),
            told=lambda flow: (flow.id, (flow.name, flow.severity)),
            truth=lambda cloud: {each.uuid: (each.name, each.severity or "") for each in cloud.flows.rows},
        ),
    ),
)


# -- JFrog Connect, API v1


def _jfrog_v1(devices: int = 0, **more: Any) -> JFrogV1Cloud:
    return JFrogV1Cloud(devices=devices, user_token=KEY, **more)


def _jfrog_v1_updated(n: int) -> JFrogV1Cloud:
    cloud = _jfrog_v1(n)
    cloud.settle(cloud.deploy(n), failed=n // 2)
    return cloud


JFROG_V1: Final = Case(
    name="jfrog-connect-v1",
    base="",
    census="get_devices_state",
    settings=_settings(JFrogConnectV1Settings),
    build=JFrogConnectV1,
    cloud=_jfrog_v1,
    stock=lambda cloud: cloud.settle(cloud.deploy(3, comment=NAME), failed=1),
    endpoints=(
        Endpoint(
            name="get_devices_state",
            path="/v1/get_devices_state",
            ask=lambda client, _: pages(client.devices("states")),
            swept="states",
        ),
        Endpoint(
            name="devices_details",
            path="/v1/devices_details",
            ask=lambda client, _: pages(client.devices("details")),
            swept="details",
        ),
        Endpoint(
            name="get_device_state",
            path="/v1/get_device_state",
            ask=lambda client, cloud: client.device(cloud.uuids()[0]),
        ),
    ),
    listings=(
        Listing(
            name="get_devices_state",
            limit=50,
            cloud=lambda n: _mixed(_jfrog_v1(n)),
            walk=lambda client, _: client.devices("states"),
            told=_state,
            truth=lambda cloud: {each.uuid: (each.status, each.name) for each in cloud.fleet.rows if each.served()},
        ),
        Listing(
            name="devices_details",
            limit=50,
            cloud=_jfrog_v1_updated,
            walk=lambda client, _: client.devices("details"),
            told=_tagged,
            truth=lambda cloud: {
                each.uuid: ("unknown", each.name, each.group, tuple(sorted(each.tags)), each.version)
                for each in cloud.fleet.rows
                if each.served()
            },
        ),
    ),
)


# -- Hologram


def _hologram(devices: int = 0, **more: Any) -> HologramCloud:
    return HologramCloud(devices=devices, api_key=KEY, **more)


def _hologram_stock(cloud: HologramCloud) -> None:
    cloud.start_job()
    cloud.start_job()
    cloud.start_change()
    cloud.set_row(cloud.uuids()[1], without=["lastsession"])  # whose session only the list of open ones tells


def _hologram_working(n: int) -> HologramCloud:
    cloud = _hologram()
    for number in range(n):
        job = cloud.start_job(devices=number)
        if number % 2:
            cloud.finish_job(job)
    return cloud


def _hologram_changing(n: int) -> HologramCloud:
    cloud = _hologram()
    for number in range(n):
        change = cloud.start_change(devices=1)
        if number % 2:
            cloud.finish_change(change)
    return cloud


_HOLOGRAM: Final = "/api/1"
HOLOGRAM: Final = Case(
    name="hologram",
    base=_HOLOGRAM,
    census="devices",
    settings=_settings(HologramSettings),
    build=Hologram,
    cloud=_hologram,
    stock=_hologram_stock,
    endpoints=(
        Endpoint(
            name="devices",
            path=f"{_HOLOGRAM}/devices",
            ask=lambda client, _: pages(client.devices("devices")),
            swept="devices",
        ),
        Endpoint(
            name="batch/state",
            path=f"{_HOLOGRAM}/devices/batch/state",
            ask=lambda client, _: pages(client.jobs("jobs")),
            swept="jobs",
        ),
        Endpoint(
            name="asyncchangerequests",
            path=f"{_HOLOGRAM}/asyncchangerequests",
            ask=lambda client, _: pages(client.jobs("changes")),
            swept="changes",
        ),
        Endpoint(
            name="opensessions",
            path=f"{_HOLOGRAM}/devices/opensessions",
            ask=lambda client, cloud: client.device(cloud.uuids()[1]),
        ),
        Endpoint(
            name="users/me",
            path=f"{_HOLOGRAM}/users/me",
            ask=lambda client, _: client.check(),
        ),
        Endpoint(
            name="device",
            path=rf"{_HOLOGRAM}/devices/\d+",
            ask=lambda client, cloud: client.device(cloud.uuids()[0]),
        ),
    ),
    listings=(
        Listing(
            name="devices",
            limit=500,
            cloud=_hologram,
            walk=lambda client, _: client.devices("devices"),
            told=_state,
            truth=lambda cloud: {str(each.number): (each.status, each.name) for each in cloud.fleet.rows},
        ),
        Listing(
            name="batch/state",
            limit=100,
            cloud=_hologram_working,
            walk=lambda client, _: client.jobs("jobs"),
            told=lambda job: (job.id, (job.status.ended, job.word, job.device_count)),
            truth=lambda cloud: {
                str(each.number): (each.ended_at is not None, each.status, each.devices) for each in cloud.jobs.values()
            },
        ),
        Listing(
            name="asyncchangerequests",
            limit=500,
            cloud=_hologram_changing,
            walk=lambda client, _: client.jobs("changes"),
            told=lambda job: (job.id, (job.word, job.device_count)),
            truth=lambda cloud: {f"change-{each.number}": (each.state, 1) for each in cloud.changes},
        ),
    ),
)


# -- Iomote


def _iomote(devices: int = 0, **more: Any) -> IomoteCloud:
    return IomoteCloud(devices=devices, api_key=KEY, **more)


def _iomote_truth(cloud: IomoteCloud) -> Truth:
    return {each.device_id: (each.status, each.name, cloud.groups[each.group_id]) for each in cloud.fleet.rows}


_IOMOTE: Final = f"/api/user/u-1/{re.escape(KEY)}"
_GATEWAY: Final = "X400_[0-9a-f]+"
IOMOTE: Final = Case(
    name="iomote",
    base="",
    census="devices",
    settings=_settings(IomoteSettings, user_id="u-1", base_url="http://127.0.0.1"),
    build=Iomote,
    cloud=_iomote,
    stock=lambda cloud: cloud.rename_group("Lyon", NAME),
    endpoints=(
        Endpoint(
            name="devices",
            path=f"{_IOMOTE}/devices",
            ask=lambda client, _: pages(client.devices("devices")),
            swept="devices",
        ),
        Endpoint(
            name="device",
            path=f"{_IOMOTE}/devices/{_GATEWAY}",
            ask=lambda client, cloud: client.device(cloud.uuids()[0]),
        ),
        Endpoint(
            name="status",
            path=f"{_IOMOTE}/devices/{_GATEWAY}/status",
            ask=lambda client, cloud: client.device(cloud.uuids()[0]),
        ),
        Endpoint(
            name="stat",
            path=f"{_IOMOTE}/devices/{_GATEWAY}/stat",
            ask=lambda client, cloud: client.readings("stats", cloud.uuids()[0]),
            swept="stats",
        ),
        Endpoint(
            name="groups",
            path=f"{_IOMOTE}/groups",
            ask=lambda client, _: pages(client.groups("groups")),
            swept="groups",
        ),
        Endpoint(
            name="devices/group",
            path=f"{_IOMOTE}/devices/group/[^/]+",
            ask=lambda client, _: client.group_devices("g-1"),
        ),
    ),
    listings=(
        Listing(
            name="devices",
            limit=0,
            cloud=lambda n: _mixed(_iomote(n)),
            walk=lambda client, _: client.devices("devices"),
            told=_placed,
            truth=_iomote_truth,
        ),
        Listing(
            name="groups",
            limit=0,
            cloud=lambda n: _iomote(groups=[f"group {number}" for number in range(n)]),
            walk=lambda client, _: client.groups("groups"),
            told=_by_id,
            truth=lambda cloud: dict(cloud.groups),
        ),
    ),
)


# -- ScalePad


def _scalepad(devices: int = 0, **more: Any) -> ScalePadCloud:
    return ScalePadCloud(devices=devices, token=KEY, **more)


_SCALEPAD_STATUSES: Final = {"active": DeviceStatus.ONLINE, "inactive": DeviceStatus.OFFLINE}
_SCALEPAD: Final = f"/v2/clients/{SCALEPAD_CLIENT}/devices"
_LAPTOP: Final = "[0-9a-f-]{36}"


def _scalepad_mixed(n: int) -> ScalePadCloud:
    cloud = _scalepad(n)
    cloud.drop(n // 3)
    return cloud


SCALEPAD: Final = Case(
    name="scalepad",
    base="/v2",
    census="devices",
    settings=_settings(ScalePadSettings, client_id=SCALEPAD_CLIENT, base_url="http://127.0.0.1"),
    build=ScalePad,
    cloud=_scalepad,
    stock=lambda cloud: cloud.enrol(cloud.uuids()[0]),
    endpoints=(
        Endpoint(
            name="devices",
            path=_SCALEPAD,
            ask=lambda client, _: pages(client.devices("devices")),
            swept="devices",
        ),
        Endpoint(
            name="device",
            path=f"{_SCALEPAD}/{_LAPTOP}",
            ask=lambda client, cloud: client.device(cloud.uuids()[0]),
        ),
        Endpoint(
            name="summary",
            path=f"{_SCALEPAD}/summary",
            ask=lambda client, _: client.summary("summary"),
            swept="summary",
        ),
        Endpoint(
            name="its deployments",
            path=f"{_SCALEPAD}/{_LAPTOP}/deployments",
            ask=lambda client, cloud: client.enrolments("enrolments", cloud.uuids()[0]),
            swept="enrolments",
        ),
    ),
    listings=(
        Listing(
            name="devices",
            limit=500,
            cloud=_scalepad_mixed,
            walk=lambda client, _: client.devices("devices"),
            told=_state,
            truth=lambda cloud: {
                each.uuid: (_SCALEPAD_STATUSES[str(each.status)].value, each.name) for each in cloud.fleet.rows
            },
        ),
    ),
)

CASES: Final[Sequence[Case]] = (JFROG, JFROG_V1, HOLOGRAM, IOMOTE, SCALEPAD)
