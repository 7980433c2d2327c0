"""The other commands, as people call them."""

import json
import tomllib

from end_to_end import config
from end_to_end.asking import ask
from end_to_end.parties import arrivals
from end_to_end.stage import Stage

UNHEARD = "http://127.0.0.1:9"  # the discard port: nobody listens


def test_check_config_prints_what_is_in_force_and_no_secret(stage: Stage) -> None:
    path = stage.configure(
        sources=[config.jfrog(UNHEARD, token="hush-token")],
        rules=config.rules(),
        route=config.route("pager", routes=[{"receiver": "chat", "matchers": ['severity="critical"']}]),
        receivers=[config.webhook(f"{UNHEARD}/hush-path"), config.slack("http://127.0.0.1:9")],
    )

    process = stage.program("check-config", "--config", str(path))

    assert process.ended() == 0, process.told()
    said = process.said()
    assert all(word in said for word in ("edge", "jfrog-connect", "pager", "chat", f"{path} is fine"))
    assert all(word in said for word in ("FleetDeviceOffline", "FleetJobFailed", 'severity="critical"'))
    assert "hush" not in said
    assert "invented" not in said


def test_simulate_serves_a_vendor_and_prints_an_entry_for_a_config(stage: Stage) -> None:
    process = stage.program("simulate", "--vendor", "jfrog-connect", "--devices", "7", "--listen", "127.0.0.1:0")
    stage.until(lambda: "token" in process.said(), "it serves")

    entry = process.said().partition("[[sources]]")
    tables = tomllib.loads("".join(entry[1:]))
    (source,) = tables["sources"]
    service = stage.service(stage.configure(sources=[{**source, "interval": "200ms"}])).ready()
    stage.until(lambda: service.sources()[source["name"]]["devices"]["online"] == 7, "the fleet is known")
    code, _ = process.stop()

    assert code == 0


def test_simulate_refuses_what_nobody_plays(stage: Stage) -> None:
    process = stage.program("simulate", "--vendor", "iomote")

    assert process.ended() == 2
    assert "hologram, jfrog-connect" in process.said()


def test_simulate_says_in_one_line_that_it_cannot_have_an_address(stage: Stage) -> None:
    taken = stage.party("webhook").url.removeprefix("http://")

    tries = [
        stage.program("simulate", "--vendor", "hologram", "--listen", listen)
        for listen in (taken, "192.0.2.1:9721", "nowhere.invalid:9721")
    ]
    codes = [process.ended() for process in tries]
    said = [process.said().splitlines() for process in tries]

    assert codes == [1, 1, 1]
    assert said == [
        [f"fleetpulse: {taken} is taken by another process: stop that one, or set another --listen"],
        ["fleetpulse: 192.0.2.1:9721 is no address of this machine: set --listen to one it has"],
        ["fleetpulse: nowhere.invalid:9721 cannot be listened on: the host is not known; set --listen"],
    ]


def test_test_receiver_tells_what_became_of_one_message(stage: Stage) -> None:
    webhook, slack = stage.party("webhook"), stage.party("slack")
    path = stage.configure(
        route=config.route("pager"),
        receivers=[config.webhook(webhook.url), config.slack(slack.url), config.webhook(UNHEARD, name="deaf")],
    )
    slack.do("refuse_next", error="channel_is_archived")

    tries = {
        name: stage.program("test-receiver", name, "--config", str(path)) for name in ("pager", "chat", "deaf", "pagr")
    }
    codes = {name: process.ended() for name, process in tries.items()}
    said = {name: process.said() for name, process in tries.items()}

    assert codes == {"pager": 0, "chat": 1, "deaf": 1, "pagr": 2}
    assert "took the test notification: HTTP 200" in said["pager"]
    assert [one.event["data"]["reason"] for one in arrivals(webhook)] == ["test"]
    assert "channel_is_archived" in said["chat"]
    assert "did not take it" in said["deaf"]
    assert "no receiver is called 'pagr'; the config has pager, chat, deaf" in said["pagr"]
    assert all(len(text.splitlines()) == 1 for text in said.values())
    assert ask(f"{webhook.url}/_control/state").status == 200
    assert json.loads(arrivals(webhook)[0].text)["type"] == "fleetpulse.notification.firing"
