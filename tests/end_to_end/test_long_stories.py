"""What takes many seconds of real time; the demo plays while a revoked key is confirmed."""

import signal
import socket
import tomllib
from collections.abc import Iterator

import pytest

from end_to_end import config
from end_to_end.asking import ask
from end_to_end.parties import arrivals
from end_to_end.processes import Process
from end_to_end.stage import Stage, staged
from fleetpulse.simulator import VENDORS

PATIENCE_S = 40.0  # the demo is paced for readers
KEPT_PORT = ("127.0.0.1", 9720)


def headlines(said: str) -> list[str]:
    """The first lines of the messages that a demo has shown."""
    return [shown.splitlines()[1].strip("│ ") for shown in said.split("Slack took this")[1:]]


@pytest.fixture(scope="module", autouse=True)
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A demo that found its port taken."""
    with socket.socket() as taken, staged(tmp_path_factory.mktemp("demo")) as stage:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(KEPT_PORT)
            taken.listen()
        except OSError:
            pass  # somebody else has taken it, which is as good
        yield stage.program("demo", "--devices", "30")


def test_a_revoked_key_is_told_once_costs_no_more_requests_and_its_successor_works_at_once(stage: Stage) -> None:
    vendor, healthy, webhook = stage.party("jfrog-connect", devices=6), stage.party("hologram"), stage.party("webhook")
    key = stage.home / "token"
    key.write_text("demo-token\n")
    path = stage.configure(
        sources=[config.jfrog(vendor.url, token=None, token_file="token"), config.hologram(healthy.url)],
        rules=config.rules(),
        route=config.route("pager"),
        receivers=[config.webhook(webhook.url)],
    )
    service = stage.service(path).swept()
    assert service.get("/-/sources").status == 200

    vendor.do("revoke")
    stage.until(lambda: arrivals(webhook), "people were told of the key", within_s=PATIENCE_S)
    confirmed = vendor.state()["requests"]
    swept = healthy.state()["requests"]
    row, overall = service.sources()["edge"], service.get("/-/sources").status
    ready = service.get("/-/ready").status
    stage.until(lambda: healthy.state()["requests"] > swept + 10, "the other source was swept for ten more intervals")
    after = vendor.state()["requests"]
    vendor.do("set_token", token="another-token")
    key.write_text("another-token\n")
    stage.until(lambda: service.get("/-/sources").status == 200, "the new key is taken")
    stage.until(lambda: len(arrivals(webhook)) > 1, "people were told of the end")

    firing, resolved = arrivals(webhook)
    assert (row["credentials"], overall, ready) == ("rejected", 503, 200)
    assert after == confirmed
    assert [alert["labels"]["alertname"] for alert in firing.alerts] == ["FleetCredentialsRejected"]
    assert "rejects the token of edge" in firing.alerts[0]["annotations"]["summary"]
    assert resolved.event["data"]["status"] == "resolved"
    assert "demo-token" not in service.process.said()
    assert "another-token" not in service.process.said()


def test_the_demo_takes_a_free_port_tells_a_story_and_ends_with_what_makes_it_yours(
    stage: Stage, demo: Process
) -> None:
    told, scene = "FleetDeviceOffline", "At JFrog Connect, edge-prod"
    stage.until(lambda: scene in demo.said(), "the story began", within_s=PATIENCE_S)
    stage.until(lambda: told in demo.said().partition(scene)[2], "it was told", within_s=PATIENCE_S)
    url = demo.said().partition("http://")[2].partition("/")[0]
    sources = ask(f"http://{url}/-/sources").json()["sources"]

    demo.signal(signal.SIGINT)
    code = demo.ended()
    said = demo.said()
    ran_with = tomllib.loads(said[said.index("[http]") : said.index("To make it yours")])
    commands = [line.strip() for line in said.partition("To make it yours")[2].splitlines()[1:] if line.strip()]

    assert code == 0, demo.told()
    assert ":9720" not in said.partition("[http]")[0]
    assert {source["vendor"] for source in ran_with["sources"]} == set(VENDORS)
    assert {row["name"]: row["fresh"] for row in sources} == {each["name"]: True for each in ran_with["sources"]}
    assert headlines(said)[0] == "First look at several sources"
    assert "FleetDeviceOffline · edge-prod · Lyon" in headlines(said)[1]
    assert len(commands) == 3
    assert commands[-1].endswith("fleetpulse run --config config.toml")
    assert "Traceback" not in said
