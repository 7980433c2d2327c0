"""What people do by hand: the commands that ask a running service, and those that look once without one.

The service, the vendors and whatever is sent a signal are processes. Commands run in this one, each as a process would:
with arguments alone, to an exit code and two streams.
"""

import json
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from end_to_end import config
from end_to_end.asking import ask
from end_to_end.parties import Party
from end_to_end.stage import Service, Stage, staged
from fleetpulse.service.cli import app

NOBODY = "http://127.0.0.1:9"  # the discard port: nobody listens
DEVICES = 13


class Ended(NamedTuple):
    """How a command ended. `told` is what a person sees, errors included, `said` what a program reads."""

    code: int
    told: str
    said: str


def command(*words: str) -> Ended:
    """Run a command to its end."""
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return Ended(result.exit_code, result.output, result.stdout)


class Hand:
    """Runs commands against one service, which watches one cloud twice: as `edge` and as `twin`."""

    def __init__(self, stage: Stage, path: Path, cloud: Party, service: Service) -> None:
        self.stage = stage
        self.path = path
        self.cloud = cloud
        self.service = service

    @property
    def token(self) -> Path:
        """The file of the token that the service made."""
        return self.stage.home / "fleetpulse.db.token"

    def run(self, *words: str, code: int = 0) -> str:
        """What a command says; `code` is how it must end."""
        ended = self.tried(*words)
        assert ended.code == code, ended.told
        return ended.told

    def json(self, *words: str) -> Any:
        ended = self.tried(*words, "--json")
        assert ended.code == 0, ended.told
        return json.loads(ended.said)

    def tried(self, *words: str) -> Ended:
        return command(*words, "--config", str(self.path), "--url", self.service.url)


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    """A swept service over a simulated cloud. Who changes anything changes it back: the tests share it."""
    with staged(tmp_path_factory.mktemp("by_hand")) as stage:
        cloud = stage.party("jfrog-connect", devices=DEVICES - 1)
        path = stage.configure(sources=[config.jfrog(cloud.url), config.jfrog(cloud.url, name="twin")])
        cloud.do("add_device", name="front-door", group="Lyon")
        deployment = cloud.do("deploy", devices=cloud.do("uuids")[:3], comment="sensor firmware")
        cloud.do("settle", dp=deployment, failed=1)
        yield Hand(stage, path, cloud, stage.service(path).swept())


def test_sources_are_listed_shown_and_handled(hand: Hand) -> None:
    listed = hand.json("sources", "list")["sources"]
    paused = hand.run("sources", "pause", "edge", "--for", "2h")
    status = hand.service.sources()["edge"]
    page = hand.service.get("/-/sources").status
    shown = hand.run("sources", "show", "edge")
    table = hand.run("sources", "list")
    retried = hand.run("sources", "retry", "edge")
    again = hand.run("sources", "retry", "edge")
    accepted = hand.run("sources", "accept", "edge", code=1)

    assert [(row["name"], row["status"], row["devices"]["online"]) for row in listed] == [
        ("edge", "ok", DEVICES),
        ("twin", "ok", DEVICES),
    ]
    assert "it is paused" in paused
    assert (status["status"], status["paused"]) == ("paused", True)
    assert page == 200
    assert "paused until" in shown
    assert "until 20" in table
    assert "that ended its pause" in retried
    assert "pause" not in again
    assert accepted == "fleetpulse: nothing is doubted of edge; nothing is to accept\n"
    assert hand.service.sources()["edge"]["paused"] is False


def test_a_paused_source_asks_its_vendor_nothing_by_hand_either(hand: Hand) -> None:
    device = hand.cloud.do("uuids")[0]
    for name in ("edge", "twin"):
        hand.run("sources", "pause", name)
    hand.stage.until(lambda: hand.cloud.unanswered() == 0, "what was asked is answered")
    before = hand.cloud.state()["requests"]

    hand.run("sources", "list")
    page = hand.service.get("/-/sources").status
    swept = hand.run("sweep", "edge", code=1)
    probed = hand.run("check-config", "--probe", code=1)
    asked = hand.run("devices", "show", f"edge/{device}", "--ask", code=1)
    after = hand.cloud.state()["requests"]
    for name in ("edge", "twin"):
        hand.run("sources", "resume", name)

    assert after == before
    assert page == 200
    for told in (swept, probed, asked):
        assert "edge is paused" in told
        assert "`fleetpulse sources resume edge`" in told


def test_devices_are_found_by_what_people_know_of_them(hand: Hand) -> None:
    device = hand.json("devices", "show", "edge/front-door")["id"]

    by_source = hand.run("devices", "show", "edge/front-door")
    asked = hand.run("devices", "show", f"twin/{device}", "--ask")
    ambiguous = hand.run("devices", "show", "front-door", code=1)
    nobody = hand.run("devices", "show", "back-door", code=1)
    no_group = hand.run("devices", "list", "--source", "edge", "--group", "lyon")
    empty = hand.run("devices", "list", "--group", "", code=2)
    lyon = hand.json("devices", "list", "--source", "edge", "--group", "Lyon", "--limit", "0")["devices"]

    assert device in by_source
    assert "front-door" in asked
    assert "asked just now" in asked
    assert [line.split()[0] for line in ambiguous.splitlines()[1:]] == [f"edge/{device}", f"twin/{device}"]
    assert "no device has the id or the name 'back-door'" in nobody
    assert "no group 'lyon'; groups: Lyon, " in no_group
    assert empty == "fleetpulse: group is empty: leave it out, or say which\n"
    assert {row["group"] for row in lyon} == {"Lyon"}


def test_a_deployment_says_what_it_failed_on(hand: Hand) -> None:
    hand.stage.until(
        lambda: hand.service.get("/api/v1/deployments?source=edge&status=partial").json()["deployments"],
        "its end is seen",
    )

    (listed,) = hand.json("deployments", "list", "--source", "edge")["deployments"]
    shown = hand.run("deployments", "show", f"edge/{listed['id']}")

    assert "failed on:" in shown
    assert "1 failed" in shown


def test_a_sweep_goes_through_the_running_service_and_its_budget(hand: Hand) -> None:
    before = hand.service.process.said().count('event="a survey by hand"')

    swept = hand.json("sweep")
    probed = hand.run("check-config", "--probe")

    assert [(each["source"], each["failed"]) for each in swept] == [("edge", False), ("twin", False)]
    assert f"edge: {DEVICES} devices in 3 groups ({DEVICES} online)" in probed
    assert "a drop is told after" in probed
    assert hand.service.process.said().count('event="a survey by hand"') - before == 4
    assert hand.cloud.state()["writes"] == 0


def test_a_source_that_the_service_does_not_watch_is_an_error(hand: Hand, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(config.written({"sources": [config.jfrog(hand.cloud.url, name="elsewhere")]}))

    ended = command("sweep", "--config", str(path), "--url", hand.service.url, "--token-file", str(hand.token))

    assert ended.code == 1, ended.told
    assert "no source is called 'elsewhere'; the service has edge, twin" in ended.told


def test_a_token_is_made_and_changes_need_it(hand: Hand, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("an-invented-wrong-token")

    without = ask(f"{hand.service.url}/api/v1/sources/edge/retry", arguments={})
    refused = command("sources", "retry", "edge", "--url", hand.service.url, "--token-file", str(wrong))

    assert hand.token.stat().st_mode & 0o777 == 0o600
    assert without.status == 401
    assert refused.code == 1
    assert f"does not take the token in {wrong}" in refused.told
    assert hand.token.read_text().strip() not in hand.service.process.said()


def test_who_interrupts_a_sweep_ends_it_in_the_service_too(stage: Stage) -> None:
    cloud = stage.party("jfrog-connect", devices=3)
    path = stage.configure(sources=[config.jfrog(cloud.url, request_rate="1/m")])  # no survey ends by itself
    service = stage.service(path).ready()

    def begun(number: int) -> bool:
        return service.process.said().count('event="a survey by hand"') == number

    for number in (1, 2):
        process = stage.program("sweep", "edge", "--config", str(path), "--url", service.url)
        stage.until(partial(begun, number), "the survey has begun")
        busy = command("sweep", "edge", "--config", str(path), "--url", service.url)
        process.signal(signal.SIGINT)
        code = process.ended()

        assert code == 130, process.told()
        assert process.told().splitlines()[-1] == "stopped"
        assert busy.code == 1
        assert "edge is being surveyed already" in busy.told


def test_a_failed_source_is_told_and_ends_the_sweep_with_1(stage: Stage) -> None:
    cloud = stage.party("jfrog-connect", devices=3)
    path = stage.configure(
        sources=[config.jfrog(cloud.url), config.jfrog(cloud.url, name="odd", project_key="nowhere")],
        http={"listen": "127.0.0.1:9"},
    )

    named = command("sweep", "--config", str(path), "--url", NOBODY)
    process = stage.program("sweep", "--config", str(path))

    assert named.code == 1
    assert named.told.startswith(f"fleetpulse: no service answers at {NOBODY}, where --url")
    assert process.ended() == 1, process.told()
    said = process.said()
    assert f"no service at {NOBODY}: asking the vendors from here" in said
    assert "3: 3 online" in said
    assert "odd failed:" in said
    assert "1 of 2 sources failed: odd" in said
    assert not (stage.home / "fleetpulse.db").exists()
    assert "demo-token" not in said


def test_reading_is_closed_where_a_read_token_is_set(stage: Stage) -> None:
    reading = stage.home / "reading"
    reading.write_text("an-invented-read-token")
    path = stage.configure(http={"listen": "127.0.0.1:0", "read_token_file": str(reading)})
    service = stage.service(path).ready()

    closed = {where: service.get(where).status for where in ("/", "/metrics", "/-/sources", "/api/v1/sources")}
    listed = command("sources", "list", "--url", service.url, "--token-file", str(reading), "--json")

    assert set(closed.values()) == {401}
    assert service.get("/-/healthy").status == 200
    assert listed.code == 0, listed.told


def test_nobody_there_is_one_clear_line(stage: Stage) -> None:
    process = stage.program("sources", "list", "--url", NOBODY)

    assert process.ended() == 1
    assert process.said().count("\n") == 1
    assert "is the service running there?" in process.said()


def test_every_error_begins_with_the_programs_name(stage: Stage) -> None:
    path = stage.configure(sources=[config.jfrog(NOBODY)], http={"listen": "127.0.0.1:9"})

    for name in ("sweep", "test-receiver"):
        ended = command(name, "nobody", "--config", str(path))

        assert ended.code == 2
        assert ended.told.startswith("fleetpulse: no ")
    for words in (("devices", "show"), ("sources", "show"), ("sources", "pause")):
        ended = command(*words, "", "--url", NOBODY)

        assert ended.code == 2
        assert ended.told.startswith("fleetpulse: say which")


def test_a_key_that_cannot_be_read_is_in_the_way_of_nobody_who_does_without(stage: Stage) -> None:
    cloud, webhook = stage.party("jfrog-connect", devices=3), stage.party("webhook")
    unreadable = config.jfrog(cloud.url, name="odd", token=None, token_file=str(stage.home / "absent"))
    path = stage.configure(
        sources=[config.jfrog(cloud.url), unreadable],
        receivers=[config.webhook(webhook.url)],
        http={"listen": "127.0.0.1:9"},
    )
    words = ("--config", str(path))

    swept = command("sweep", "edge", *words)
    tried = command("test-receiver", "pager", *words)
    odd = command("sweep", "odd", *words)
    checked = command("check-config", *words)

    assert (swept.code, tried.code, odd.code, checked.code) == (0, 0, 1, 2), swept.told + tried.told
    assert f"fleetpulse: cannot read {stage.home / 'absent'}" in odd.told


def test_a_probe_that_fails_is_not_called_fine(stage: Stage) -> None:
    cloud = stage.party("jfrog-connect", devices=3)
    http = {"listen": "127.0.0.1:9"}
    good = stage.configure(sources=[config.jfrog(cloud.url)], http=http)
    fine = command("check-config", "--probe", "--config", str(good))
    bad = stage.configure(sources=[config.jfrog(cloud.url, project_key="nowhere")], http=http)
    failed = command("check-config", "--probe", "--config", str(bad))

    assert (fine.code, failed.code) == (0, 1)
    assert f"{good} is fine" in fine.told
    assert "is fine" not in failed.told


def test_something_else_there_is_told(stage: Stage) -> None:
    webhook = stage.party("webhook")
    path = stage.configure(sources=[config.jfrog(NOBODY)])

    listed = command("sources", "list", "--url", webhook.url)
    swept = command("sweep", "--config", str(path), "--url", webhook.url)

    assert (listed.code, swept.code) == (1, 1)
    assert "is no fleetpulse" in listed.told
    assert "is no fleetpulse" in swept.told


def test_check_config_says_beforehand_what_a_fleet_takes(stage: Stage) -> None:
    path = stage.configure(sources=[config.jfrog(NOBODY, interval="10s", request_rate="1/s", sweep=None)])

    ended = command("check-config", "--config", str(path), "--devices", "100000")

    assert ended.code == 0, ended.told
    assert "req/s needed, 1 allowed: devices every" in ended.told
    assert "a drop is told after" in ended.told
