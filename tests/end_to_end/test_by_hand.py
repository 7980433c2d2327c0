"""What people do by hand: the commands that ask a running service, and those that look once without one."""

import json
import signal
from pathlib import Path
from typing import Any

from end_to_end import config
from end_to_end.asking import ask
from end_to_end.stage import Service, Stage

NOBODY = "http://127.0.0.1:9"  # the discard port: nobody listens


class Hand:
    """Runs commands against one service."""

    def __init__(self, stage: Stage, path: Path, service: Service) -> None:
        self.stage = stage
        self._path = path
        self._service = service

    def run(self, *words: str, code: int = 0) -> str:
        """What a command says; `code` is how it must end."""
        process = self.stage.program(*words, "--config", str(self._path), "--url", self._service.url)
        assert process.ended() == code, process.told()
        return process.said()

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))


def at_hand(stage: Stage, *, devices: int = 12, **http: Any) -> tuple[Hand, Any, Service]:
    """A swept service over a simulated cloud, and the hand that asks it."""
    cloud = stage.party("jfrog-connect", devices=devices)
    path = stage.configure(
        http={"listen": "127.0.0.1:0", **http}, sources=[config.jfrog(cloud.url), config.jfrog(cloud.url, name="twin")]
    )
    service = stage.service(path).swept()
    return Hand(stage, path, service), cloud, service


def test_sources_are_listed_shown_and_handled(stage: Stage) -> None:
    hand, _, service = at_hand(stage)

    listed = hand.json("sources", "list")["sources"]
    paused = hand.run("sources", "pause", "edge", "--for", "2h")
    status = service.sources()["edge"]
    shown = hand.run("sources", "show", "edge")
    hand.run("sources", "resume", "edge")
    hand.run("sources", "retry", "edge")
    hand.run("sources", "accept", "edge")

    assert [(row["name"], row["status"], row["devices"]["online"]) for row in listed] == [
        ("edge", "ok", 12),
        ("twin", "ok", 12),
    ]
    assert "it is paused" in paused
    assert (status["status"], status["paused"]) == ("paused", True)
    assert service.get("/-/sources").status == 200
    assert "paused until" in shown
    assert service.sources()["edge"]["paused"] is False


def test_a_paused_source_asks_its_vendor_nothing(stage: Stage) -> None:
    hand, cloud, service = at_hand(stage)
    for name in ("edge", "twin"):
        hand.run("sources", "pause", name)
    stage.until(lambda: cloud.unanswered() == 0, "what was asked is answered")
    before = cloud.state()["requests"]

    hand.run("sources", "list")

    assert cloud.state()["requests"] == before
    assert service.get("/-/sources").status == 200


def test_devices_are_found_by_what_people_know_of_them(stage: Stage) -> None:
    hand, cloud, service = at_hand(stage)
    device = cloud.do("add_device", name="front-door", group="Lyon")
    stage.until(lambda: len(service.get("/api/v1/devices?q=front-door").json()["devices"]) == 2, "both sources list it")

    by_source = hand.run("devices", "show", "edge/front-door")
    asked = hand.run("devices", "show", f"twin/{device}", "--ask")
    ambiguous = hand.run("devices", "show", "front-door", code=1)
    nobody = hand.run("devices", "show", "back-door", code=1)
    lyon = hand.json("devices", "list", "--source", "edge", "--group", "Lyon", "--limit", "0")["devices"]

    assert device in by_source
    assert "front-door" in asked
    assert "asked just now" in asked
    assert [line.split()[0] for line in ambiguous.splitlines()[1:]] == [f"edge/{device}", f"twin/{device}"]
    assert "no device has the id or the name 'back-door'" in nobody
    assert {row["group"] for row in lyon} == {"Lyon"}


def test_a_deployment_says_what_it_failed_on(stage: Stage) -> None:
    hand, cloud, service = at_hand(stage)
    deployment = cloud.do("deploy", devices=cloud.do("uuids")[:3], comment="sensor firmware")
    cloud.do("settle", dp=deployment, failed=1)

    stage.until(
        lambda: service.get("/api/v1/deployments?source=edge&status=partial").json()["deployments"], "its end is seen"
    )
    listed = hand.json("deployments", "list", "--source", "edge")["deployments"]
    shown = hand.run("deployments", "show", f"edge/{deployment}")

    assert [row["id"] for row in listed] == [deployment]
    assert "failed on:" in shown
    assert "1 failed" in shown


def test_a_sweep_goes_through_the_running_service_and_its_budget(stage: Stage) -> None:
    hand, cloud, service = at_hand(stage)
    journal = stage.home / "fleetpulse.db"

    swept = hand.json("sweep")
    probed = hand.run("check-config", "--probe")

    assert [(each["source"], each["failed"]) for each in swept] == [("edge", False), ("twin", False)]
    assert "edge: 12 devices in 3 groups (12 online)" in probed
    assert "a drop is told after" in probed
    assert service.process.said().count('event="a survey by hand"') == 4
    assert journal.exists()
    assert cloud.state()["writes"] == 0


def test_a_failed_source_is_told_and_ends_the_sweep_with_1(stage: Stage) -> None:
    cloud = stage.party("jfrog-connect", devices=3)
    path = stage.configure(
        sources=[config.jfrog(cloud.url), config.jfrog(cloud.url, name="odd", project_key="nowhere")]
    )

    process = stage.program("sweep", "--config", str(path), "--url", NOBODY)

    assert process.ended() == 1, process.told()
    said = process.said()
    assert "3: 3 online" in said
    assert "odd failed:" in said
    assert "1 of 2 sources failed: odd" in said
    assert not (stage.home / "fleetpulse.db").exists()
    assert "demo-token" not in said


def test_a_source_that_the_service_does_not_watch_is_an_error(stage: Stage) -> None:
    _, cloud, service = at_hand(stage)
    other = stage.home / "other"
    other.mkdir()
    path = other / "config.toml"
    path.write_text(config.written({"sources": [config.jfrog(cloud.url, name="elsewhere")]}))

    process = stage.program(
        "sweep", "--config", str(path), "--url", service.url, "--token-file", str(stage.home / "fleetpulse.db.token")
    )

    assert process.ended() == 1, process.told()
    assert "no source is called 'elsewhere'; the service has edge, twin" in process.said()


def test_who_interrupts_a_sweep_ends_it_in_the_service_too(stage: Stage) -> None:
    hand, cloud, service = at_hand(stage)
    cloud.do("slow", seconds=4)
    path = str(stage.home / "config.toml")
    process = stage.program("sweep", "edge", "--config", path, "--url", service.url)
    stage.until(lambda: 'event="a survey by hand"' in service.process.said(), "the survey has begun")

    busy = hand.run("sweep", "edge", code=1)
    process.signal(signal.SIGINT)
    process.ended()
    cloud.do("slow", seconds=0)
    hand.run("sweep", "edge")

    assert "edge is being surveyed already" in busy


def test_a_token_is_made_and_changes_need_it(stage: Stage) -> None:
    _, _, service = at_hand(stage)
    token = stage.home / "fleetpulse.db.token"
    wrong = stage.home / "wrong"
    wrong.write_text("an-invented-wrong-token")

    without = ask(f"{service.url}/api/v1/sources/edge/retry", arguments={})
    refused = stage.program("sources", "retry", "edge", "--url", service.url, "--token-file", str(wrong))
    code = refused.ended()

    assert token.stat().st_mode & 0o777 == 0o600
    assert without.status == 401
    assert code == 1
    assert f"does not take the token in {wrong}" in refused.said()
    assert token.read_text().strip() not in service.process.said()


def test_reading_is_closed_where_a_read_token_is_set(stage: Stage) -> None:
    reading = stage.home / "reading"
    reading.write_text("an-invented-read-token")
    path = stage.configure(http={"listen": "127.0.0.1:0", "read_token_file": str(reading)})
    service = stage.service(path).ready()

    closed = {where: service.get(where).status for where in ("/", "/metrics", "/-/sources", "/api/v1/sources")}
    process = stage.program("sources", "list", "--url", service.url, "--token-file", str(reading), "--json")

    assert set(closed.values()) == {401}
    assert service.get("/-/healthy").status == 200
    assert process.ended() == 0, process.told()


def test_nobody_there_is_one_clear_line(stage: Stage) -> None:
    process = stage.program("sources", "list", "--url", NOBODY)

    assert process.ended() == 1
    assert process.said().count("\n") == 1
    assert "is the service running there?" in process.said()


def test_something_else_there_is_told(stage: Stage) -> None:
    webhook = stage.party("webhook")
    path = stage.configure(sources=[config.jfrog(NOBODY)])

    listed = stage.program("sources", "list", "--url", webhook.url)
    swept = stage.program("sweep", "--config", str(path), "--url", webhook.url)

    assert (listed.ended(), swept.ended()) == (1, 1)
    assert "is no fleetpulse" in listed.said()
    assert "is no fleetpulse" in swept.said()


def test_check_config_says_beforehand_what_a_fleet_takes(stage: Stage) -> None:
    path = stage.configure(sources=[config.jfrog(NOBODY, interval="10s", request_rate="1/s", sweep=None)])

    process = stage.program("check-config", "--config", str(path), "--devices", "100000")

    assert process.ended() == 0, process.told()
    assert "req/s needed, 1 allowed: devices every" in process.said()
    assert "a drop is told after" in process.said()
