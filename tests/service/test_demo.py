"""Promises of the demo: its config, its story, and what it leaves a person with."""

import tomllib
from pathlib import Path

import pytest

from fleetpulse.service.config import load
from fleetpulse.service.demo.config import demo_config
from fleetpulse.service.demo.fleets import Fleets, invented
from fleetpulse.service.demo.playing import as_typed
from fleetpulse.service.demo.scenes import SCENES
from fleetpulse.service.demo.showing import slack_text
from fleetpulse.service.simulate import source_entry
from fleetpulse.simulator import VENDORS

HERE = Path("/srv/ada/fleetpulse")
HOST = "http://127.0.0.1:9"  # the discard port: nobody listens


def condition(fleets: Fleets) -> dict[str, object]:
    """How the fleets fare, as far as a scene may change it; what a scene leaves to the past is not in it."""
    devices = {name: vendor.state()["devices"] for name, vendor in fleets.by_source().items()}
    faults = {name: len(vendor.faults) for name, vendor in fleets.by_source().items()}
    sims = [device.sim for device in fleets.sims.fleet.rows]
    tunnels = [row["status"] for row in fleets.edge.tunnels.rows("null") if row["status"] == "opened"]
    return {"devices": devices, "faults": faults, "sims": sims, "tunnels": tunnels}


@pytest.mark.parametrize("devices", [10, 60, 200_000])
def test_its_config_is_fine_and_watches_one_account_at_every_vendor(tmp_path: Path, devices: int) -> None:
    fleets = invented(10).by_source()
    entries = {name: source_entry(name, vendor.kind, vendor.settings(HOST)) for name, vendor in fleets.items()}
    text = demo_config(listen="127.0.0.1:0", devices=devices, entries=entries, slack_url=HOST, webhook_url=HOST)
    (tmp_path / "config.toml").write_text(text)

    settings = load(tmp_path / "config.toml", {})

    assert [source.name for source in settings.sources] == list(fleets)
    assert {source.vendor for source in settings.sources} == set(VENDORS)
    assert tomllib.loads(text)["sources"][0]["interval"] == f"{max(2, devices // 5_000)}s"


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("devices", [10, 60])
def test_a_scene_leaves_the_fleets_as_they_were_so_that_the_story_may_go_on_for_ever(name: str, devices: int) -> None:
    fleets = invented(devices)
    before = condition(fleets)
    scene = SCENES[name]

    beats = [beat for _ in range(3) for beat in scene(fleets)]

    assert condition(fleets) == before
    assert {beat.source for beat in beats} <= set(fleets.by_source())
    assert all(beat.told and beat.pause_s > 0 for beat in beats)


def test_something_happens_at_every_vendor() -> None:
    fleets = invented(10)

    places = {beat.source for scene in SCENES.values() for beat in scene(fleets)}

    assert places == set(fleets.by_source())


def test_a_message_is_shown_as_its_reader_sees_it() -> None:
    body = {
        "text": "for a lock screen",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "[FIRING 2 → 1] gates"}},
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "seen <!date^1^{time}|14:02 UTC> &amp; lost\n*Ended*"},
            },
            {"type": "section", "text": {"type": "mrkdwn", "text": "```\ndisk *full*\n```"}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "<http://127.0.0.1/x|Why>"}]},
        ],
    }

    shown = slack_text(body)

    assert shown == "[FIRING 2 → 1] gates\nseen 14:02 UTC & lost\nEnded\ndisk *full*\nWhy"


@pytest.mark.parametrize(
    ("called", "found", "typed"),
    [
        ("/srv/ada/fleetpulse/.venv/bin/fleetpulse", None, ".venv/bin/fleetpulse"),
        ("/srv/ada/fleetpulse/.venv/bin/fleetpulse", "/usr/bin/fleetpulse", ".venv/bin/fleetpulse"),
        ("/usr/bin/fleetpulse", "/usr/bin/fleetpulse", "fleetpulse"),
        ("/opt/fleet pulse/bin/fleetpulse", None, "'/opt/fleet pulse/bin/fleetpulse'"),
        ("/srv/ada/fleetpulse/fleetpulse", None, "./fleetpulse"),
    ],
)
def test_its_commands_work_as_they_are_typed(called: str, found: str | None, typed: str) -> None:
    assert as_typed(called, cwd=HERE, found=found) == typed
