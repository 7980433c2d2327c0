"""JFrog Connect, with all its documented inconsistencies, over real HTTP."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from fleetpulse import simulator
from fleetpulse.fleet.deployment import FailedStep, RolloutStatus
from fleetpulse.fleet.device import DeviceStatus, Readings
from fleetpulse.outbound import Account
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.vendors.contract import (
    PROTOCOLS,
    AnswerInvalid,
    CredentialsRejected,
    CursorRefused,
    FilterMatchesNothing,
    Kind,
    Page,
    RateLimited,
    ResourceUnavailable,
    SourceUnreachable,
    Vendor,
)
from fleetpulse.vendors.jfrog_connect import JFrogConnect, JFrogConnectSettings, api
from fleetpulse.vendors.jfrog_connect.deployments import failed_steps
from fleetpulse.vendors.jfrog_connect.devices import DeviceRow, sightings
from fleetpulse.vendors.jfrog_connect.place import total_of
from fleetpulse.vendors.wire import Rows
from vendors import jfrog_cloud
from vendors.jfrog_cloud import Build, ids, listed

cloud, build = jfrog_cloud.cloud, jfrog_cloud.build


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of four, so that a walk over nine devices has three."""
    monkeypatch.setattr(api, "_LIMIT", 4)


async def test_it_is_a_vendor_whose_census_is_its_device_list(build: Build) -> None:
    vendor: Vendor = build()

    assert next(iter(vendor.resources)) == "devices"
    assert vendor.resources["devices"].census
    assert {name: resource.kind for name, resource in vendor.resources.items()} == {
        "devices": Kind.DEVICES,
        "deployments": Kind.DEPLOYMENTS,
        "tunnels": Kind.TUNNELS,
        "flows": Kind.FLOWS,
    }
    assert all(isinstance(vendor, PROTOCOLS[resource.kind]) for resource in vendor.resources.values())


# -- devices


async def test_a_device_arrives_in_our_words(cloud: simulator.JFrogConnect, build: Build) -> None:
    uuid = cloud.add_device(name="gate-17", group="Lyon", tags=["lab", "b", "a"])
    cloud.set_row(
        uuid,
        agent_version="7.1",
        device_ip="192.0.2.17",
        last_keepalive="2025-03-02T08:14:55Z",
        cpu_usage=12.5,
        ram_usage=40,
        current_disk_usage=2210,
        disk_size=16000,
        is_update_trigger_set=True,
    )

    [page] = await listed(build().devices("devices"))

    sighting = page.items[-1]
    assert sighting.device.id == uuid
    assert (sighting.device.name, sighting.device.group, sighting.device.tags) == ("gate-17", "Lyon", ("a", "b", "lab"))
    assert (sighting.device.version, sighting.device.address) == ("7.1", "192.0.2.17")
    assert sighting.status is DeviceStatus.ONLINE
    assert sighting.readings == Readings(
        last_seen_at=datetime(2025, 3, 2, 8, 14, 55, tzinfo=UTC),
        cpu_usage_ratio=0.125,
        memory_usage_ratio=0.4,
        disk_used_bytes=2.21e9,
        disk_size_bytes=16e9,
        updates_blocked=True,
    )


async def test_a_fresh_device_has_no_readings(cloud: simulator.JFrogConnect, build: Build) -> None:
    uuid = cloud.add_device()
    cloud.set_row(
        uuid, last_keepalive="", cpu_usage=None, ram_usage=None, current_disk_usage=0, disk_size=0, device_ip=None
    )

    [page] = await listed(build().devices("devices"))

    assert page.items[-1].readings == Readings(updates_blocked=False)


@pytest.mark.parametrize(
    ("raw", "ratio"),
    [(0, 0.0), (100, 1.0), ("55", 0.55), (101, None), (-1, None), ("97%", None), ([], None), (True, None)],
)
async def test_a_percentage_is_a_ratio_or_nothing(
    cloud: simulator.JFrogConnect, build: Build, raw: object, ratio: float | None
) -> None:
    cloud.set_row(cloud.uuids()[0], cpu_usage=raw)

    [page] = await listed(build().devices("devices"))

    assert page.items[0].readings.cpu_usage_ratio == ratio


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("online", DeviceStatus.ONLINE),
        ("Offline ", DeviceStatus.OFFLINE),
        ("OFFLINE", DeviceStatus.OFFLINE),
        ("hibernating", DeviceStatus.UNKNOWN),
        ("", DeviceStatus.UNKNOWN),
        (None, DeviceStatus.UNKNOWN),
        (1, DeviceStatus.UNKNOWN),
    ],
)
async def test_a_word_nobody_documented_is_unknown(
    cloud: simulator.JFrogConnect, build: Build, word: object, status: DeviceStatus
) -> None:
    cloud.set_row(cloud.uuids()[0], device_status=word)

    [page] = await listed(build().devices("devices"))

    assert page.items[0].status is status
    assert page.unknown_word == ("" if status is not DeviceStatus.UNKNOWN else str(word or "(none)"))


async def test_an_unknown_word_is_told_short_redacted_and_on_one_line(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    first, second, *_ = cloud.uuids()
    cloud.set_row(first, device_status=None)
    cloud.set_row(second, device_status="up\ndemo-token " + "x" * 1000)

    [page] = await listed(build().devices("devices"))

    assert page.unknown_word.startswith("up ")
    assert "demo-token" not in page.unknown_word
    assert len(page.unknown_word) == 40


def test_an_absurd_total_is_cut_and_stays_more_than_any_list() -> None:
    assert total_of({"total": int("9" * 400)}) == 10**9


async def test_text_is_stripped_also_on_the_fast_path() -> None:
    rows = Rows(items=[DeviceRow(device_uuid="d-1 ", device_name=" a ", group_name="   ", agent_version="1 ")])

    (found,) = (await sightings(rows)).items

    assert (found.device.id, found.device.name, found.device.group, found.device.version) == ("d-1", "a", "", "1")


@pytest.mark.parametrize("form", ["devices", "data", "items", "list"])
async def test_the_list_is_understood_in_every_envelope(cloud: simulator.JFrogConnect, build: Build, form: str) -> None:
    cloud.switch(devices_envelope=form)

    pages = await listed(build().devices("devices"))

    assert ids(pages) == cloud.uuids()


async def test_a_bare_device_is_a_list_of_one(cloud: simulator.JFrogConnect, build: Build) -> None:
    cloud.switch(devices_envelope="single")

    pages = await listed(build().devices("devices"))

    assert ids(pages) == cloud.uuids()[:1]


@pytest.mark.parametrize("form", ["list", "object", "names"])
async def test_tags_are_understood_in_every_form(cloud: simulator.JFrogConnect, build: Build, form: str) -> None:
    cloud.add_device(tags=["lab"])
    cloud.switch(tags_form=form)

    [page] = await listed(build().devices("devices"))

    assert page.items[-1].device.tags == ("lab",)


@pytest.mark.parametrize("form", ["null", "absent"])
async def test_no_tags_are_no_tags(cloud: simulator.JFrogConnect, build: Build, form: str) -> None:
    cloud.switch(tags_form=form)

    [page] = await listed(build().devices("devices"))

    assert {sighting.device.tags for sighting in page.items} == {()}


async def test_odd_rows_cost_no_other_row(cloud: simulator.JFrogConnect, build: Build) -> None:
    for _ in range(11):
        cloud.add_device()
    odd = cloud.odd_rows(15)

    [page] = await listed(build().devices("devices"))

    assert set(cloud.uuids()) - set(odd) <= set(ids([page]))
    assert (len(page.items), page.odd) == (15, 5)  # no id, {}, [], null and a string are no devices
    assert page.oddity
    assert all(sighting.device.name.isprintable() for sighting in page.items)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("total_mode", ["all", "page", "absent"])
async def test_a_total_that_counts_only_its_page_is_odd(
    cloud: simulator.JFrogConnect, build: Build, total_mode: str
) -> None:
    cloud.switch(total_mode=total_mode)

    pages = await listed(build().devices("devices"))

    odd = "the total counts the rows of a page, not those of the list" if total_mode == "page" else ""
    assert [page.oddity for page in pages[:3]] == ["", odd, odd]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("total_mode", ["all", "page", "absent"])
@pytest.mark.parametrize("last_token", [True, False])
@pytest.mark.parametrize("devices", [0, 1, 3, 4, 5, 8, 9])
async def test_a_walk_sees_every_device_once_however_the_vendor_counts(
    cloud: simulator.JFrogConnect, build: Build, total_mode: str, *, last_token: bool, devices: int
) -> None:
    cloud.remove(cloud.uuids()[devices:])
    cloud.switch(total_mode=total_mode, last_token=last_token)

    pages = await listed(build().devices("devices"))

    assert ids(pages) == cloud.uuids()
    assert [page.guarded for page in pages] == [""] * len(pages)
    assert [page.resume is None for page in pages] == [False] * (len(pages) - 1) + [True]


@pytest.mark.usefixtures("small_pages")
async def test_a_walk_keeps_its_limit_and_asks_no_page_too_many(cloud: simulator.JFrogConnect, build: Build) -> None:
    pages = await listed(build().devices("devices"))

    assert [page.total for page in pages] == [9, 9, 9]
    assert [request.parameters["limit"] for request in cloud.requests] == [["4"]] * 3


@pytest.mark.usefixtures("small_pages")
async def test_a_repeated_token_ends_the_walk_by_guard(cloud: simulator.JFrogConnect, build: Build) -> None:
    cloud.switch(repeat_token=True)

    pages = await listed(build().devices("devices"))

    assert pages[-1].guarded
    assert len(pages) == 2


@pytest.mark.usefixtures("small_pages")
async def test_an_endless_list_ends_by_guard(
    cloud: simulator.JFrogConnect, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_PAGES_MAX", 5)
    cloud.switch(endless="fresh")

    pages = await listed(build().devices("devices"))

    assert pages[-1].guarded == "more than 5 pages"


@pytest.mark.usefixtures("small_pages")
async def test_a_broken_walk_goes_on_where_it_was(cloud: simulator.JFrogConnect, build: Build) -> None:
    first = await anext(build().devices("devices"))
    assert first.resume is not None

    rest = await listed(build().devices("devices", resume=first.resume))

    assert ids([first, *rest]) == cloud.uuids()
    assert [page.total for page in rest] == [9, 9]
    assert len(cloud.requests) == 3


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("resume", ["", "nonsense", "[7]", "[-1]", '[0,"x"', '["a"]', "{}"])
async def test_a_place_that_cannot_be_read_is_a_refused_cursor(build: Build, resume: str) -> None:
    with pytest.raises(CursorRefused):
        await listed(build().devices("devices", resume=resume))


@pytest.mark.usefixtures("small_pages")
async def test_a_cursor_the_vendor_refuses_is_told_as_such(cloud: simulator.JFrogConnect, build: Build) -> None:
    walk = build().devices("devices")
    await anext(walk)
    cloud.faults.fail_next(status=400, body='{"message":"the cursor in \'after\' is not valid"}')

    with pytest.raises(CursorRefused, match="no longer takes the cursor"):
        await anext(walk)


# -- groups and tags


@pytest.mark.usefixtures("small_pages")
async def test_groups_are_walked_one_by_one_and_joined(cloud: simulator.JFrogConnect, build: Build) -> None:
    for _ in range(5):
        cloud.add_device(group="Lyon")

    pages = await listed(build(groups=["Lyon", "Porto"]).devices("devices"))

    assert ids(pages) == cloud.uuids(group="Lyon") + cloud.uuids(group="Porto")
    assert pages[-1].total == 8 + 3
    assert [page.resume is None for page in pages] == [False] * (len(pages) - 1) + [True]


@pytest.mark.usefixtures("small_pages")
async def test_a_broken_walk_over_groups_goes_on_in_its_group(cloud: simulator.JFrogConnect, build: Build) -> None:
    whole = await listed(build(groups=["Lyon", "Nantes", "Porto"]).devices("devices"))
    for broken_after in range(1, len(whole)):
        rest = await listed(
            build(groups=["Lyon", "Nantes", "Porto"]).devices("devices", resume=whole[broken_after - 1].resume)
        )

        assert ids(whole[:broken_after] + rest) == ids(whole)
        assert rest[-1].total == 9


async def test_tags_are_sent_each_and_any_of_them_matches(cloud: simulator.JFrogConnect, build: Build) -> None:
    one, two = cloud.add_device(tags=["red"]), cloud.add_device(tags=["blue"])

    pages = await listed(build(tags=["red", "blue"]).devices("devices"))

    assert ids(pages) == [one, two]
    assert cloud.requests[-1].parameters["tags"] == ["red", "blue"]


async def test_a_group_that_matches_nothing_is_told_by_the_last_page_with_what_there_is(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    *pages, last = await listed(build(groups=["Prodction", "Lyon"]).devices("devices"))

    assert last == Page(items=[], unmatched="group 'Prodction' matches no device; the account has Lyon, Nantes, Porto")
    assert ids(pages) == cloud.uuids(group="Lyon")
    assert pages[-1].resume is not None
    assert {page.unmatched for page in pages} == {""}


async def test_a_walk_that_broke_before_its_last_page_tells_what_matches_nothing(build: Build) -> None:
    *_, before, last = await listed(build(groups=["Prodction", "Lyon"]).devices("devices"))

    resumed = await listed(build(groups=["Prodction", "Lyon"]).devices("devices", resume=before.resume))

    assert resumed == [last]


async def test_a_tag_that_matches_nothing_is_told_even_beside_one_that_does(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    cloud.add_device(tags=["red"])

    *_, last = await listed(build(tags=["red", "rde"]).devices("devices"))

    assert last.unmatched.startswith("tag 'rde' matches no device; the account has tags ")
    assert "red" in last.unmatched


async def test_filters_of_which_none_matches_anything_are_an_error(build: Build) -> None:
    with pytest.raises(FilterMatchesNothing, match="group 'Prodction', group 'Lion' match no device; the account has"):
        await listed(build(groups=["Prodction", "Lion"]).devices("devices"))


async def test_a_filter_error_needs_no_second_answer(cloud: simulator.JFrogConnect, build: Build) -> None:
    walk = build(groups=["Prodction"]).devices("devices")
    await anext(walk)
    cloud.faults.fail_next(status=500)

    with pytest.raises(FilterMatchesNothing) as error:
        await anext(walk)

    assert str(error.value) == "group 'Prodction' matches no device"


async def test_tags_that_the_vendor_does_not_tell_prove_nothing(cloud: simulator.JFrogConnect, build: Build) -> None:
    uuid = cloud.add_device(tags=["red"])
    cloud.switch(tags_form="absent")

    pages = await listed(build(tags=["red"]).devices("devices"))

    assert ids(pages) == [uuid]


# -- refusals


async def test_a_refused_token_is_told_at_once_and_a_fresh_one_is_used_at_once(
    cloud: simulator.JFrogConnect, account: Callable[[str], Account], redactor: Redactor, tmp_path: Any
) -> None:
    file = tmp_path / "token"
    file.write_text("old-token")
    secret = Secret(file=file, redactor=redactor)
    async with simulator.serve(cloud) as url:
        settings = JFrogConnectSettings(name="edge", project_key="yard", base_url=url, token_file=file)
        vendor = JFrogConnect(settings, account=account(url), secret=secret)
        with pytest.raises(CredentialsRejected, match=r"rejects the credentials \(401\)"):
            await listed(vendor.devices("devices"))
        file.write_text("demo-token")
        secret.refresh()

        pages = await listed(vendor.devices("devices"))

    assert ids(pages) == cloud.uuids()


async def test_403_is_the_key_on_the_census_and_the_resource_elsewhere(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    cloud.revoke(403)

    with pytest.raises(CredentialsRejected):
        await listed(build().devices("devices"))
    with pytest.raises(ResourceUnavailable):
        await listed(build().deployments("deployments"))


async def test_a_wrong_project_is_named(build: Build) -> None:
    with pytest.raises(ResourceUnavailable, match="project 'yrad/x' not found"):
        await listed(build(project_key="yrad/x").devices("devices"))


async def test_too_many_requests_are_told_with_the_pause(cloud: simulator.JFrogConnect, build: Build) -> None:
    cloud.faults.fail_next(status=429, headers={"Retry-After": "7"})

    with pytest.raises(RateLimited) as error:
        await listed(build().devices("devices"))

    assert error.value.retry_after_s == 7.0


async def test_each_fault_on_the_way_is_told_and_the_next_walk_is_whole(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    vendor = build()
    cloud.faults.reset_next()
    cloud.faults.stall_next()
    cloud.faults.truncate_next()
    cloud.faults.garble_next()

    for error in (SourceUnreachable, SourceUnreachable, AnswerInvalid, AnswerInvalid):
        with pytest.raises(error):
            await listed(vendor.devices("devices"))

    assert ids(await listed(vendor.devices("devices"))) == cloud.uuids()


async def test_nothing_is_ever_written(cloud: simulator.JFrogConnect, build: Build) -> None:
    vendor = build()
    deployment = cloud.deploy(2)

    await listed(vendor.devices("devices"))
    await listed(vendor.deployments("deployments"))
    await listed(vendor.deployment_devices(deployment))

    assert cloud.writes == []


# -- deployments


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_every_deployment_is_listed(cloud: simulator.JFrogConnect, build: Build, order: str) -> None:
    cloud.switch(deployments_order=order)
    made = [cloud.deploy(1, comment=f"release {number}") for number in range(6)]

    pages = await listed(build().deployments("deployments"))

    found = [deployment for page in pages for deployment in page.items]
    assert sorted(deployment.id for deployment in found) == sorted(made)
    assert {deployment.name for deployment in found} == {f"release {number}" for number in range(6)}
    assert all(deployment.created_at is not None and deployment.kind for deployment in found)
    assert all(not deployment.devices for deployment in found)


@pytest.mark.parametrize("nested", [True, False])
async def test_vulnerabilities_are_found_flat_and_nested(
    cloud: simulator.JFrogConnect, build: Build, *, nested: bool
) -> None:
    cloud.switch(cve_nested=nested)
    uuid = cloud.deploy(1, cves={"Critical": 2, "Low": 7})

    [page] = await listed(build().deployments("deployments"))

    assert page.items[0].vulnerabilities == {"Critical": 2, "Low": 7}
    assert page.items[0].name == uuid


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("prefixed", [True, False])
async def test_the_devices_of_a_deployment_have_the_ids_of_the_device_list(
    cloud: simulator.JFrogConnect, build: Build, *, prefixed: bool
) -> None:
    cloud.switch(map_prefix=prefixed)
    deployment = cloud.deploy(9)
    statuses = ["Pending", "In Progress", "Succeeded", "failed", "Aborted", "success", "in_progress", "odd word"]
    for uuid, word in zip(cloud.uuids(), statuses, strict=False):
        cloud.advance(deployment, uuid, word)

    pages = await listed(build().deployment_devices(deployment))

    found = dict(row for page in pages for row in page.items)
    assert list(found) == cloud.uuids()
    assert list(found.values())[:8] == [
        RolloutStatus.PENDING,
        RolloutStatus.IN_PROGRESS,
        RolloutStatus.SUCCEEDED,
        RolloutStatus.FAILED,
        RolloutStatus.ABORTED,
        RolloutStatus.SUCCEEDED,
        RolloutStatus.IN_PROGRESS,
        RolloutStatus.UNKNOWN,
    ]
    assert len(pages) == 3


async def test_a_vanished_deployment_is_unavailable(build: Build) -> None:
    with pytest.raises(ResourceUnavailable, match="There is no such deployment"):
        await listed(build().deployment_devices("dp-0000-0000"))


@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_failed_step_is_told_although_its_exit_code_is_0(
    cloud: simulator.JFrogConnect, build: Build, *, wrapped: bool
) -> None:
    cloud.switch(wrapped_steps=wrapped)
    deployment = cloud.deploy(1)
    [loser] = cloud.settle(deployment, failed=1)

    steps = await build().failed_steps(deployment, loser)

    assert steps == (FailedStep(loser, "install", "sh: 1: /usr/bin/python: not found"),)


async def test_a_device_that_did_not_fail_has_no_failed_steps(cloud: simulator.JFrogConnect, build: Build) -> None:
    deployment = cloud.deploy(1)
    cloud.settle(deployment, failed=0)
    [page] = await listed(build().deployment_devices(deployment))

    steps = await build().failed_steps(deployment, page.items[0][0])

    assert steps == ()


def steps_told(status: str, *steps: dict[str, object]) -> list[str] | None:
    told = failed_steps({"status": status, "steps": list(steps)}, device="d-1", redact=str)
    return None if told is None else [step.name for step in told]


@pytest.mark.parametrize(
    ("status", "named"),
    [
        ("Failed", ["b"]),
        ("Exploded", ["b"]),
        ("Pending", []),
        ("In Progress", []),
        ("Succeeded", []),
        ("Aborted", []),
    ],
)
def test_only_a_device_that_failed_or_may_have_has_a_failed_step(status: str, named: list[str]) -> None:
    assert steps_told(status, {"name": "a", "stdout": "ok"}, {"name": "b", "stdout": "error: no"}) == named


@pytest.mark.parametrize(
    "denial",
    [
        "0 errors; no error found",
        "ok=12 failed=0",
        "0 failed, 12 passed",
        "finished without any error",
        "error-free",
        "no fatal error",
        "failed: 0",
    ],
)
def test_a_step_that_denies_an_error_is_not_the_one_that_failed(denial: str) -> None:
    lint: dict[str, object] = {"name": "lint", "exit_code": 0, "stdout": denial}

    assert steps_told("Failed", lint, {"name": "flash", "stdout": "aborting"}) == ["flash"]
    assert steps_told("Failed", lint | {"stderr": "fatal"}, {"name": "flash"}) == ["lint"]


async def test_an_unknown_status_of_a_deployments_devices_is_told(cloud: simulator.JFrogConnect, build: Build) -> None:
    statuses = {"2c55-e275": {"status": "Rolled Back"}, "435d-3443": {"status": None}, "435d-3444": "pending"}
    body = {"deployment_by_device_uuid": statuses, "pagination_info": {"total": 3}}
    cloud.faults.always(status=200, body=msgspec.json.encode(body), path="/deployments/dp-1/devices")

    [page] = await listed(build().deployment_devices("dp-1"))

    assert page.unknown_word == "Rolled Back"
    assert [status for _, status in page.items] == [
        RolloutStatus.UNKNOWN,
        RolloutStatus.UNKNOWN,
        RolloutStatus.PENDING,
    ]


async def test_walks_that_run_side_by_side_do_not_mix(cloud: simulator.JFrogConnect, build: Build) -> None:
    vendor = build()

    both = await asyncio.gather(listed(vendor.devices("devices")), listed(vendor.devices("devices")))

    assert [ids(pages) for pages in both] == [cloud.uuids()] * 2
