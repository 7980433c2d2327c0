import base64
import hashlib
import re
from datetime import UTC, timedelta, tzinfo
from zoneinfo import ZoneInfo

import aiohttp
from msgspec.structs import replace

from fleetpulse.alerting.state import AlertState
from fleetpulse.fleet.events import Problem
from fleetpulse.fleet.source import Trouble
from fleetpulse.fleet.summary import Summary
from fleetpulse.web.overview import MOST_CARDS, Overview
from fleetpulse.web.views import ReceiverView, ResourceView, SourceView
from web.house import T0, House, alert, serving, source

NASTY = "<script>alert(1)</script>\"'\u202e{{ 7*7 }}"


def html(house: House, *, zone: tzinfo = UTC) -> str:
    return Overview(views=house, version="1.2.3", zone=zone).look(T0 + timedelta(minutes=6))()


def test_nothing_that_is_configured_or_told_can_write_html() -> None:
    house = House()
    house.reason = NASTY
    house.known_sources = [source(NASTY, troubles=(Trouble(NASTY, Problem.FAILING, T0, NASTY),))]
    house.known_alerts = [alert(NASTY, severity=NASTY, summary=NASTY)]
    house.known_receivers = [ReceiverView(name=NASTY, kind=NASTY, deliveries={NASTY: 1})]

    page = html(house)

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "49" not in page


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = html(House())

    assert re.findall(r"<(?:script|link|img|iframe|form)\b|src=|url\(|style=|\son\w+=", page) == []


def test_firing_groups_stand_by_severity_then_age() -> None:
    house = House()
    house.known_alerts = [
        alert("d-1", group="new", minutes=5),
        alert("d-2", group="odd", severity="odd"),
        alert("d-3", group="old"),
        alert("d-4", group="worst", severity="critical", minutes=6),
        alert("d-5", state=AlertState.PENDING),
    ]

    page = html(house)

    assert re.findall(r"group=<bdi>([\w-]+)", page) == ["worst", "old", "new", "odd"]
    assert "4 firing, 1 pending" in page


def test_a_group_is_one_card_with_its_count_and_its_first_names_in_their_natural_order() -> None:
    house = House()
    house.known_alerts = [alert(f"d-{number}", group="Lyon", name=f"gate-{number}") for number in range(12, 0, -1)]

    page = html(house)

    assert "FleetDeviceOffline</bdi> (12)" in page
    assert re.findall(r"<bdi>(gate-\d+)", page) == [f"gate-{number}" for number in range(1, 11)]
    assert "and 2 more" in page


def test_every_alert_of_a_group_is_a_place_that_links_lead_to() -> None:
    house = House()
    house.known_alerts = [alert(f"d-{number}", group="Lyon") for number in range(30)]

    page = html(house)

    assert sorted(re.findall(r'id="(d-[\w-]+)"', page)) == sorted(each.fingerprint for each in house.known_alerts)


def test_alerts_that_are_about_no_device_are_told_by_their_sentence() -> None:
    house = House()
    house.known_alerts = [
        replace(alert(f"r-{number}", summary=f"the source is gone: {number}"), labels={"alertname": "FleetSourceDown"})
        for number in range(2)
    ]

    page = html(house)

    assert [f'<p id="r-{n}-warning"><bdi>the source is gone: {n}</bdi></p>' in page for n in (0, 1)] == [True, True]


def test_a_mass_outage_is_counted_not_listed() -> None:
    house = House()
    house.known_alerts = [
        alert(f"{group}-{number}", group=f"g-{group}") for group in range(MOST_CARDS + 2) for number in range(20)
    ]

    page = html(house)

    assert page.count('<span class="word">warning') == MOST_CARDS
    assert "and 2 more groups" in page
    assert "2,040 firing" in page


def test_past_facts_are_told_apart_and_do_not_count_as_firing() -> None:
    house = House()
    house.known_alerts = [alert("d-1"), replace(alert("d-2", summary="First look at edge"), occurrence=True)]

    firing, _, told = html(house).partition("<h2>Told lately</h2>")

    assert "<title>(1) fleetpulse</title>" in firing
    assert "1 firing, 0 pending" in firing
    assert "First look at edge" not in firing
    assert "First look at edge" in told


def test_sources_and_receivers_come_before_alerts() -> None:
    house = House()
    house.known_alerts = [alert("d-1")]

    page = html(house)

    assert re.findall(r"<h2[^>]*>(\w+)", page) == ["Sources", "Receivers", "Alerts"]


def test_a_disabled_source_is_listed_as_such() -> None:
    house = House()
    house.known_sources = [
        SourceView(name="lab", vendor="hologram", fresh=False, stale_after_s=0, resources={}, disabled=True)
    ]

    page = html(house)

    assert "Not watched: its configuration disables it." in page
    assert "Stale" not in page
    assert "0 online" not in page


def test_a_source_is_told_with_its_ages_counts_and_troubles() -> None:
    house = House()
    house.known_sources = [
        source(fresh=False, troubles=(Trouble("devices", Problem.RATE_LIMITED, T0, "429 at /devices"),))
    ]

    page = html(house)

    assert "417 online" in page
    assert "devices: rate limited for 6 min: <bdi>429 at /devices</bdi>" in page
    assert "Stale: what is shown is the last known state." in page
    assert "deployments never yet, every 300 s" in page
    assert ">6 min ago</time>, every 60 s" in page


def test_receivers_tell_their_outbox() -> None:
    house = House()
    house.known_receivers = [ReceiverView(name="slack-ops", kind="slack", deliveries={"waiting": 1200}, oldest_at=T0)]

    page = html(house)

    assert "1,200 waiting" in page
    assert "oldest due" in page


def test_times_are_those_of_the_configured_zone() -> None:
    page = html(House(), zone=ZoneInfo("Europe/Paris"))

    assert "as of 2026-03-02 09:06:00 CET" in page


def test_a_page_shows_the_moment_it_was_asked_for() -> None:
    house = House()
    house.known_alerts = [alert("d-1")]
    render = Overview(views=house, version="1.2.3", zone=UTC).look(T0)

    house.known_alerts = []

    assert "1 firing, 0 pending" in render()


def test_what_has_ended_is_not_on_the_page() -> None:
    house = House()
    house.known_alerts = [alert("d-1", state=AlertState.RESOLVED)]

    page = html(house)

    assert "0 firing, 0 pending" in page


def test_an_empty_house_says_so() -> None:
    page = html(House())

    assert page.count("None is configured.") == 2
    assert "Nothing fires." in page
    assert "Not ready" not in page


async def test_the_policy_allows_the_pages_own_style_alone(client: aiohttp.ClientSession) -> None:
    async with serving(House()) as url, client.get(f"{url}/") as answer:
        assert answer.content_type == "text/html"
        policy, page = answer.headers["Content-Security-Policy"], await answer.text()

    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.endswith(f"; style-src 'sha256-{digest}'")


def test_a_paused_source_is_told_as_paused_and_not_as_stale() -> None:
    house = House()
    house.known_sources = [replace(source(fresh=False), paused=True, paused_until=T0 + timedelta(hours=2))]

    page = html(house)

    assert "Paused by hand until 2026-03-02 10:00:00 UTC" in page
    assert "Stale:" not in page


def test_a_stretched_interval_and_a_walk_under_way_are_told() -> None:
    house = House()
    slow = ResourceView(T0, 93.4, asked_interval_s=60.0, progress_rows=2000, progress_total=2961)
    house.known_sources = [replace(source(), resources={"devices": slow})]

    page = html(house)

    assert "every 93.4 s instead of 60 s, for its budget carries no more, 2,000 of 2,961 rows so far" in page


def test_credentials_that_expire_and_the_vendors_own_count_are_told() -> None:
    house = House()
    house.known_sources = [
        replace(source(), credentials_expire_at=T0 + timedelta(days=3), summary=Summary(devices=431))
    ]

    page = html(house)

    assert "Its credentials expire on 2026-03-05 08:00:00 UTC" in page
    assert "the vendor counts 431" in page
