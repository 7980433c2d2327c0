"""Promises of what check-config foretells of a fleet of a given size."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleetpulse.alerting.settings import RouteSettings, RuleSettings
from fleetpulse.fleet.device import Device, DeviceStatus, Sighting
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.fleet.walk import Walk
from fleetpulse.outbound import Budget
from fleetpulse.service.forecast import Forecast, forecasts
from fleetpulse.service.settings import Settings
from fleetpulse.sweeping.lanes import Lanes
from fleetpulse.sweeping.pacer import Pacer
from fleetpulse.vendors.hologram import HologramSettings
from fleetpulse.vendors.jfrog_connect import JFrogConnectSettings
from fleetpulse.vendors.scalepad import ScalePadSettings

KEY = {"edge": "one", "lab": "one", "other": "two", "sims": "three", "desks": "four"}
DESKS: dict[str, Any] = {
    "name": "desks",
    "base_url": "https://desks.example.com/v2",
    "client_id": "0c1e7c1e-2b54-4d0e-9c51-5f3f8a1d2c10",
}
T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def jfrog(name: str = "edge", **fields: Any) -> JFrogConnectSettings:
    given = {"sweep": {"deployments": "10m", "tunnels": "10m", "flows": "1h"}, "request_rate": "1/s", **fields}
    known = {key: every for key, every in given["sweep"].items() if key in JFrogConnectSettings.resources}
    return JFrogConnectSettings(name=name, project_key="yard", **{**given, "sweep": known})


def foretold(*sources: Any, devices: int = 1000, **tables: Any) -> dict[str, Forecast]:
    settings = Settings(sources=tuple(sources), **tables)
    names = {source.name: devices for source in sources}
    return {each.source: each for each in forecasts(settings, names, credentials=KEY)}


def test_what_fits_has_the_intervals_it_asks_for() -> None:
    edge = foretold(jfrog(interval="60s"))["edge"]

    assert edge.intervals == edge.asked
    assert list(edge.stretched()) == []
    assert edge.needed < edge.allowed == 1.0


def test_what_does_not_fit_is_stretched_and_said_so() -> None:
    edge = foretold(jfrog(interval="10s"), devices=100_000)["edge"]

    assert edge.needed > 10
    assert edge.intervals["devices"] > timedelta(seconds=100)
    assert "10 req/s needed, 1 allowed" in edge.sentence()
    assert "instead of 10 s" in next(edge.stretched())


def test_sources_of_one_key_share_a_budget_and_the_smaller_rate_holds() -> None:
    found = foretold(jfrog("edge", request_rate="5/s"), jfrog("lab"), jfrog("other", request_rate="5/s"))

    assert (found["edge"].allowed, found["lab"].allowed, found["other"].allowed) == (1.0, 1.0, 5.0)
    assert found["edge"].needed == pytest.approx(2 * found["other"].needed)
    assert (found["edge"].shared, found["other"].shared) == (("lab",), ())


def test_a_drop_is_told_after_for_the_look_that_confirms_it_and_group_wait() -> None:
    edge = foretold(jfrog(interval="60s"))["edge"]

    assert edge.told == (timedelta(minutes=5, seconds=30), timedelta(minutes=6, seconds=30))
    assert "a drop is told after 330-390 s (FleetDeviceOffline waits 5m, group_wait 30s)" in edge.sentence()


@pytest.mark.parametrize(
    ("for_", "told_s"), [("0s", (30, 90)), ("1s", (90, 150)), ("60s", (90, 150)), ("61s", (150, 210))]
)
def test_for_runs_out_at_a_look_alone(for_: str, told_s: tuple[int, int]) -> None:
    rule = RuleSettings.model_validate({"name": "FleetDeviceOffline", "for": for_})

    edge = foretold(jfrog(interval="60s"), rules=(rule,))["edge"]

    assert edge.told == tuple(timedelta(seconds=each) for each in told_s)


def test_the_route_that_takes_the_alert_gives_its_group_wait() -> None:
    quick = {"matchers": ['source="edge"'], "group_wait": "0s"}
    route = RouteSettings.model_validate({"group_wait": "2m", "routes": [quick]})

    found = foretold(jfrog("edge"), jfrog("lab"), route=route)

    assert (found["edge"].wait, found["lab"].wait) == (timedelta(), timedelta(minutes=2))


def test_a_rule_for_other_sources_tells_nothing_of_this_one() -> None:
    rule = RuleSettings(name="FleetDeviceOffline", matchers=('source="lab"',))

    found = foretold(jfrog("edge"), jfrog("lab"), rules=(rule,))

    assert found["edge"].told is None
    assert found["lab"].told is not None
    assert "no rule tells a drop" in found["edge"].sentence()


def test_where_being_offline_is_healthy_silence_is_told_of() -> None:
    sims = foretold(HologramSettings(name="sims"))["sims"]

    assert sims.told is None
    assert "being offline is no trouble here" in sims.sentence()


def test_a_census_by_its_stalest_takes_a_request_each_interval_and_now_and_then_all_pages() -> None:
    desks = foretold(ScalePadSettings(**DESKS), devices=3000)["desks"]

    requests_a_day = {"stalest": 1440, "whole": 6 * 144, "summary": 288, "enrolments": 24}
    assert desks.needed == pytest.approx(sum(requests_a_day.values()) / 86_400)
    assert desks.intervals == desks.asked
    assert desks.intervals["devices whole"] == timedelta(minutes=10)
    assert "devices every 60 s, all of them every 10m, being offline is no trouble here" in desks.sentence()


def test_whole_walks_that_the_budget_does_not_carry_are_stretched_with_the_rest_of_their_priority() -> None:
    desks = foretold(ScalePadSettings(**{**DESKS, "request_rate": "6/m"}), devices=100_000)["desks"]

    assert desks.intervals["devices whole"] > timedelta(minutes=30)
    assert "devices whole every" in "".join(desks.stretched())
    assert desks.document()["asked_interval_s"]["devices whole"] == 600


def test_a_rule_about_devices_offline_speaks_of_no_vendor_where_that_is_healthy_whatever_its_for() -> None:
    rule = RuleSettings.model_validate({"name": "FleetDeviceOffline", "for": "10m"})

    desks = foretold(ScalePadSettings(**DESKS), rules=(rule,))["desks"]

    assert desks.told is None


def test_what_a_rule_says_of_silence_is_told_instead_of_what_is_usual() -> None:
    rule = RuleSettings.model_validate({"name": "FleetDeviceSilent", "after": "3d"})

    desks = foretold(ScalePadSettings(**DESKS), rules=(rule,))["desks"]

    assert "being silent for 3d is" in desks.sentence()


def test_where_no_rule_tells_of_silence_nothing_is_promised() -> None:
    desks = foretold(ScalePadSettings(**DESKS), rules=(RuleSettings(name="FleetDeviceSilent", enabled=False),))["desks"]

    assert "no rule tells a drop" in desks.sentence()


async def test_the_live_plan_expects_the_same() -> None:
    source = ScalePadSettings(**DESKS)
    fleet = KnownFleet("desks")
    walk = Walk(started_at=T0)
    page = [Sighting(Device(f"d-{number}"), DeviceStatus.ONLINE) for number in range(3000)]
    fleet.accept(fleet.compare(page, walk=walk, seen_at=T0))
    pacer = Pacer(budget=Budget(rate=source.request_rate))
    lanes = Lanes(
        pacer=pacer,
        resources=source.resources,
        fleet=fleet,
        requests_of=source.requests_of,
        asleep=lambda: False,
    )

    for resource, what in source.resources.items():
        lanes.sweeps(resource, source.interval_of(resource))
        if what.whole_every is not None:
            lanes.whole(resource, what.whole_every)
    lanes.search("enrolments")

    assert pacer.needed == pytest.approx(foretold(source, devices=3000)["desks"].needed)


def test_no_forecast_shows_a_key() -> None:
    edge = foretold(jfrog(), jfrog("lab"))["edge"]

    assert "one" not in f"{edge.sentence()}{edge.document()}".replace("None", "")
