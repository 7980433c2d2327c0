"""Surveys against simulated clouds, over real HTTP."""

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from rich.console import Console

from fleetpulse.durations import Rate
from fleetpulse.fleet.deployment import Deployment, Rollout, RolloutStatus
from fleetpulse.fleet.device import Aspect, Device, DeviceStatus, Sighting
from fleetpulse.service.survey.alone import guests
from fleetpulse.service.survey.lines import End, Failure, Finding, Line, Progress, read_line
from fleetpulse.service.survey.report import Report
from fleetpulse.service.survey.showing import watching
from fleetpulse.service.survey.survey import LOOKS, PROBE_PAGES, Survey
from fleetpulse.service.survey.tally import Tally
from fleetpulse.simulator import JFrogConnect, serve
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    CursorRefused,
    Kind,
    Page,
    RateLimited,
    Resource,
    ResourceUnavailable,
)
from fleetpulse.vendors.jfrog_connect import JFrogConnectSettings
from fleetpulse.web.views import Depth

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@asynccontextmanager
async def surveyed(cloud: JFrogConnect, depth: Depth, **fields: Any) -> AsyncIterator[list[Line]]:
    async with serve(cloud) as url:
        settings = JFrogConnectSettings(
            name="edge",
            base_url=url,
            project_key=cloud.project_key,
            token=SecretStr("demo-token"),
            request_rate=Rate(1000, 1.0),
            **fields,
        )
        async with guests([settings]) as here, aclosing(here["edge"].survey(depth).lines()) as lines:
            yield [line async for line in lines]


async def report_of(cloud: JFrogConnect, depth: Depth, **fields: Any) -> Report:
    report = Report("edge", "jfrog-connect")
    async with surveyed(cloud, depth, **fields) as lines:
        for line in lines:
            report.take(line)
    return report


async def test_a_sweep_counts_what_the_vendor_has() -> None:
    cloud = JFrogConnect(devices=2500)
    cloud.drop(20)
    cloud.settle(cloud.deploy(cloud.uuids()[:3]), failed=1)
    cloud.deploy(cloud.uuids()[:2])

    report = await report_of(cloud, Depth.SWEEP)

    assert not report.failed, list(report.failures())
    assert (report.number(Kind.DEVICES), report.statuses(Kind.DEVICES)) == ("2,500", "2,480 online, 20 offline")
    assert report.number(Kind.DEPLOYMENTS) == "2"
    assert report.statuses(Kind.DEPLOYMENTS) == "1 partial, 1 running"
    assert next(each.groups for each in report.findings if each.kind == "devices") == 3


async def test_every_request_is_counted() -> None:
    cloud = JFrogConnect(devices=1500)
    cloud.deploy(cloud.uuids()[:2])

    for depth in Depth:
        cloud.forget_requests()
        report = await report_of(cloud, depth)

        assert report.end is not None
        assert report.end.requests == len(cloud.requests)
        assert sum(finding.requests for finding in report.findings) <= report.end.requests


async def test_nothing_is_ever_written() -> None:
    cloud = JFrogConnect(devices=10)
    cloud.deploy(cloud.uuids()[:2])

    for depth in Depth:
        await report_of(cloud, depth)

    assert cloud.writes == []


async def test_deployments_of_long_ago_do_not_count() -> None:
    cloud = JFrogConnect(devices=5)
    cloud.deploy(cloud.uuids()[:1])

    report = await report_of(cloud, Depth.SWEEP, deployments_since=timedelta())

    assert report.number(Kind.DEPLOYMENTS) == "0"


async def test_a_probe_asks_for_one_device_and_says_what_the_key_sees() -> None:
    cloud = JFrogConnect(devices=30)

    report = await report_of(cloud, Depth.PROBE)

    assert not report.failed, list(report.failures())
    assert report.sentence().startswith("30 devices in 3 groups (30 online), 0 deployments since 30d")
    assert [each.resource for each in report.findings if each.kind == "on demand"] == ["device"]


async def test_a_probe_asks_for_one_deployment_and_one_tunnel_where_there_are_any() -> None:
    cloud = JFrogConnect(devices=5)
    deployment, tunnel = cloud.deploy(cloud.uuids()[:1]), cloud.open_tunnel(cloud.uuids()[0])

    report = await report_of(cloud, Depth.PROBE)

    assert not report.failed, list(report.failures())
    assert [each.sampled for each in report.findings if each.kind == "on demand"][1:] == [deployment, tunnel]
    assert {
        path.rsplit("/", 2)[1] for path in (seen.path for seen in cloud.requests) if path.endswith((deployment, tunnel))
    } == {"deployments", "port_tunnel"}


async def test_a_refused_key_is_told_and_not_tried_again() -> None:
    cloud = JFrogConnect(devices=5)
    cloud.revoke()

    for depth in Depth:
        cloud.forget_requests()
        report = await report_of(cloud, depth)

        assert report.failed
        assert "credentials rejected: " in "".join(report.failures())
        assert len(cloud.requests) == 1


async def test_a_failure_is_told_by_name_and_the_next_resource_goes_on() -> None:
    cloud = JFrogConnect(devices=5)
    cloud.faults.always(status=503, path="/api/v2/yard/deployments")

    report = await report_of(cloud, Depth.SWEEP)

    assert report.number(Kind.DEVICES) == "5"
    assert [text.partition(":")[0] for text in report.failures()] == ["deployments"]
    assert "unreachable" in "".join(report.failures())


async def test_a_filter_that_matches_nothing_is_told_with_what_is_there() -> None:
    report = await report_of(JFrogConnect(devices=5), Depth.SWEEP, groups=["Lyon", "Lyom"])

    assert [text for text in report.oddities() if "group 'Lyom' matches no device" in text]


class Scripted:
    """A vendor whose answers are written down here: what a simulated cloud cannot be made to do."""

    def __init__(self, resources: dict[str, Resource], **answers: Any) -> None:
        self.resources = resources
        self.asked = 0
        self.answers = answers

    async def check(self) -> str:
        return str(await self._answer("check", ""))

    async def device(self, device: str) -> Sighting:
        answer: Sighting = await self._answer("device", Sighting(Device(device), DeviceStatus.ONLINE))
        return answer

    async def devices(
        self,
        resource: str,
        *,
        resume: str | None = None,  # noqa: ARG002 - the contract's argument
    ) -> AsyncIterator[Page[Sighting]]:
        async for page in self._pages(resource):
            yield page

    async def deployments(self, resource: str) -> AsyncIterator[Page[Deployment]]:
        async for page in self._pages(resource):
            yield page

    async def deployment_devices(
        self,
        deployment: str,  # noqa: ARG002 - the contract's argument
    ) -> AsyncIterator[Page[tuple[str, RolloutStatus]]]:
        async for page in self._pages("looks"):
            yield page

    async def readings(self, resource: str, device: str) -> Sighting:
        answer: Sighting = await self._answer(resource, Sighting(Device(device)))
        return answer

    async def group_devices(self, group: str) -> list[str]:
        return list(await self._answer("group_devices", [group, "another"]))

    async def groups(self, resource: str) -> AsyncIterator[Page[Any]]:
        async for page in self._pages(resource):
            yield page

    async def _pages(self, resource: str) -> AsyncIterator[Page[Any]]:
        for page in self.answers[resource]:
            self.asked += 1
            if isinstance(page, Exception):
                raise page
            yield page

    async def _answer(self, name: str, usual: Any) -> Any:
        self.asked += 1
        answer = self.answers.get(name, usual)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def told(vendor: Scripted, depth: Depth = Depth.SWEEP) -> Report:
    survey = Survey(
        vendor=vendor,  # type: ignore[arg-type]  # its protocols are those that its resources ask for
        depth=depth,
        since=timedelta(days=30),
        requests=lambda: vendor.asked,
        redact=lambda text: text.replace("s3cr3t", "***"),
    )
    report = Report("edge", "scripted")
    async with aclosing(survey.lines()) as lines:
        async for line in lines:
            report.take(line)
    return report


def resource(kind: Kind, **fields: Any) -> Resource:
    return Resource(kind=kind, interval=timedelta(minutes=1), **fields)


CENSUS = {"devices": resource(Kind.DEVICES, census=True)}


def devices(*ids: str, resume: str | None = None, **fields: Any) -> Page[Sighting]:
    items = [Sighting(Device(id_, group="Lyon"), DeviceStatus.ONLINE) for id_ in ids]
    return Page(items=items, resume=resume, **fields)


async def test_a_probe_of_an_endless_list_ends_and_says_at_least() -> None:
    endless = [devices(f"d-{number}", resume="on") for number in range(100)]

    report = await told(Scripted(CENSUS, devices=endless), Depth.PROBE)

    assert report.number(Kind.DEVICES) == f"at least {PROBE_PAGES}"


async def test_a_total_that_the_vendor_announces_needs_no_at_least() -> None:
    long = [devices(f"d-{number}", resume="on", total=2961) for number in range(100)]

    report = await told(Scripted(CENSUS, devices=long), Depth.PROBE)

    assert report.number(Kind.DEVICES) == "2,961"
    assert not report.failed


async def test_what_is_odd_is_told_once_each() -> None:
    page = devices("d-1", "d-1", odd=2, oddity="a number for a name", unknown_word="Zzz", total=9, guarded="")

    report = await told(Scripted(CENSUS, devices=[page]))

    assert list(report.oddities()) == [
        "devices: 2 rows could not be read: a number for a name",
        "devices: unknown status 'Zzz'",
        "devices: 1 rows came of 9 announced",
        "devices: 1 rows came twice",
    ]


async def test_rows_without_a_status_are_told_in_words() -> None:
    report = await told(Scripted(CENSUS, devices=[devices("d-1", unknown_word="(none)")]))

    assert list(report.oddities()) == ["devices: some rows have no status"]


async def test_a_guard_is_told_instead_of_what_follows_from_it() -> None:
    page = devices("d-1", total=9, guarded="the cursor came again")

    report = await told(Scripted(CENSUS, devices=[page]))

    assert list(report.oddities()) == ["devices: the cursor came again"]


async def test_a_refused_cursor_begins_the_walk_anew_once() -> None:
    tries: Iterator[list[Any]] = iter(
        [
            [devices("d-1", resume="on", odd=1, unknown_word="Zzz"), CursorRefused("too old")],
            [devices("d-1", resume="on"), devices("d-2")],
        ]
    )

    class Tries:
        def __iter__(self) -> Iterator[Any]:
            pages: list[Any] = next(tries)
            return iter(pages)

    report = await told(Scripted(CENSUS, devices=Tries()))

    assert report.number(Kind.DEVICES) == "2"
    assert not report.failed
    assert list(report.oddities()) == []


async def test_a_cursor_refused_twice_is_a_failure() -> None:
    pages = [devices("d-1", resume="on"), CursorRefused("too old")]

    report = await told(Scripted(CENSUS, devices=pages))

    assert list(report.failures()) == ["devices: cursor refused: too old"]


async def test_what_is_kept_from_a_key_is_no_failure_but_on_the_main_resource() -> None:
    refusal = ResourceUnavailable("not in your plan")
    resources = {**CENSUS, "groups": resource(Kind.GROUPS)}

    optional = await told(Scripted(resources, devices=[devices("d-1")], groups=[refusal]))
    main = await told(Scripted(resources, devices=[refusal], groups=[Page(items=[])]))

    assert (optional.failed, main.failed) == (False, True)
    assert list(optional.oddities()) == ["groups: not for this key: not in your plan"]


async def test_what_takes_a_request_for_each_device_is_asked_of_one() -> None:
    resources = {**CENSUS, "stats": resource(Kind.READINGS, per_device=True)}
    vendor = Scripted(resources, devices=[devices("d-1", "d-2")])

    report = await told(vendor)

    assert vendor.asked == 2
    assert list(report.samples()) == ["stats: of d-1 alone, for each device takes a request of its own"]


async def test_without_a_device_nothing_is_asked_of_one() -> None:
    resources = {**CENSUS, "stats": resource(Kind.READINGS, per_device=True)}
    vendor = Scripted(resources, devices=[devices()])

    report = await told(vendor, Depth.PROBE)

    assert not report.failed
    assert list(report.oddities()) == ["stats: not looked at: it is asked for each device, and there is none"]


async def test_a_probe_asks_for_one_group_where_the_vendor_can_tell_of_one() -> None:
    resources = {**CENSUS, "groups": resource(Kind.GROUPS)}
    group = Page(items=[Deployment(id="g-7")])  # anything with an id

    report = await told(Scripted(resources, devices=[devices("d-1")], groups=[group]), Depth.PROBE)

    assert [(each.resource, each.sampled, each.rows) for each in report.findings[-1:]] == [("group", "g-7", 2)]


async def test_a_mistake_of_ours_fails_its_resource_alone_and_hides_keys() -> None:
    resources = {**CENSUS, "groups": resource(Kind.GROUPS)}
    vendor = Scripted(resources, devices=[ZeroDivisionError("s3cr3t")], groups=[Page(items=[])])

    report = await told(vendor)

    assert list(report.failures()) == ["devices: error: ZeroDivisionError: ***"]
    assert [each.resource for each in report.findings] == ["devices", "groups"]


async def test_a_refused_key_ends_the_survey_wherever_it_is_met() -> None:
    resources = {"groups": resource(Kind.GROUPS), **CENSUS}
    vendor = Scripted(resources, groups=[CredentialsRejected("no")], devices=[devices("d-1")])

    report = await told(vendor, Depth.PROBE)

    assert vendor.asked == 2
    assert [each.resource for each in report.findings] == ["groups"]


async def test_a_check_that_fails_ends_a_probe() -> None:
    vendor = Scripted(CENSUS, check=RateLimited("slower"), devices=[devices("d-1")])

    report = await told(vendor, Depth.PROBE)

    assert list(report.failures()) == ["rate limited: slower"]
    assert vendor.asked == 1


async def test_only_the_youngest_deployments_are_looked_at() -> None:
    page = Page(items=[Deployment(id=f"dp-{number}") for number in range(LOOKS + 5)])
    look: Page[Any] = Page(items=[("d-1", RolloutStatus.SUCCEEDED)])
    vendor = Scripted({"deployments": resource(Kind.DEPLOYMENTS)}, deployments=[page], looks=[look])

    report = await told(vendor)

    assert report.statuses(Kind.DEPLOYMENTS) == f"{LOOKS} succeeded, 5 not looked at"
    assert vendor.asked == 1 + LOOKS


async def test_deployments_that_devices_tell_of_are_counted() -> None:
    nightly = Deployment(id="nightly")
    told_of = [
        Rollout(deployment=nightly, device="d-1", status=RolloutStatus.SUCCEEDED),
        Rollout(deployment=nightly, device="d-2", status=RolloutStatus.FAILED),
        Rollout(
            deployment=Deployment(id="old", created_at=T0 - timedelta(days=900)),
            device="d-1",
            status=RolloutStatus.FAILED,
        ),
    ]

    report = await told(Scripted(CENSUS, devices=[devices("d-1", "d-2", rollouts=told_of)]))

    assert (report.number(Kind.DEPLOYMENTS), report.statuses(Kind.DEPLOYMENTS)) == ("1", "1 partial")


def test_a_page_without_statuses_counts_no_status() -> None:
    tally = Tally(now=T0, since=timedelta(days=1))

    tally.devices(devices("d-1", aspects=Aspect.ATTRIBUTES))

    assert (dict(tally.counts), tally.groups, tally.rows) == ({}, {"Lyon"}, 1)


@pytest.mark.parametrize(
    "line",
    [
        Progress(resource="devices", rows=3, total=None, requests=1),
        Finding(resource="devices", kind="devices", odd=("a", "b"), failure=Failure("unreachable", "it was not there")),
        End(account="eve", requests=3, seconds=0.5),
    ],
)
def test_lines_travel_as_json(line: Line) -> None:
    assert read_line(msgspec.json.encode(line)) == line


@given(raw=st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(msgspec.json.encode))
def test_what_is_no_line_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match="is no line of a survey"):
        read_line(raw)


def test_a_survey_that_broke_off_is_a_failure() -> None:
    report = Report("edge", "jfrog-connect")

    report.take(Finding(resource="devices", kind="devices", rows=3))

    assert report.failed


async def test_an_answer_that_is_none_fails_only_what_it_answered() -> None:
    vendor = Scripted(CENSUS, devices=[devices("d-1")], device=AnswerInvalid("HTML"))

    report = await told(vendor, Depth.PROBE)

    assert list(report.failures()) == ["device: answer invalid: HTML"]
    assert report.number(Kind.DEVICES) == "1"


async def test_where_nobody_watches_each_finding_is_a_line_in_the_words_of_its_kind() -> None:
    nightly = Rollout(deployment=Deployment(id="nightly"), device="d-1", status=RolloutStatus.PENDING)
    resources = {**CENSUS, "stats": resource(Kind.READINGS, per_device=True), "groups": resource(Kind.GROUPS)}
    vendor = Scripted(
        resources, devices=[devices("d-1", "d-2", rollouts=[nightly])], groups=[ResourceUnavailable("no")]
    )
    printed = StringIO()

    report = await told(vendor)
    with watching(Console(file=printed, width=40), ["edge"]) as watcher:
        for finding in report.findings:
            watcher.line(report, msgspec.structs.replace(finding, seconds=0.0))

    assert printed.getvalue().splitlines() == [
        "edge devices: 2 devices, 1 request, 0.0 s",
        "edge devices: 1 deployment",
        "edge stats: 1 row, 1 request, 0.0 s",
        "edge groups: not for this key, 1 request, 0.0 s",
    ]
