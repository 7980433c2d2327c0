"""The other commands, as people call them."""

import json
import re
import tomllib
from typing import Any

from end_to_end import config
from end_to_end.asking import ask
from end_to_end.parties import arrivals
from end_to_end.processes import Process
from end_to_end.stage import Stage
from fleetpulse.simulator import VENDORS

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


def test_simulate_serves_every_vendor_and_prints_an_entry_for_a_config(stage: Stage) -> None:
    processes = [
        stage.program("simulate", "--vendor", vendor, "--devices", "7", "--no-limits", "--listen", "127.0.0.1:0")
        for vendor in VENDORS
    ]

    def simulated() -> list[dict[str, Any]]:
        """What they printed as TOML, once all of them serve."""
        printed = ["".join(process.said().partition("[[sources]]")[1:]) for process in processes]
        return tomllib.loads("\n".join(printed))["sources"] if all("restore" in text for text in printed) else []

    sources = stage.until(simulated, "they serve")
    path = stage.configure(sources=[{**source, "interval": "1s", "request_rate": "20/s"} for source in sources])
    check = stage.program("check-config", "--config", str(path))
    checked = check.ended()
    service = stage.service(path).ready()

    def known() -> dict[str, int]:
        return {name: sum(row["devices"].values()) for name, row in service.sources().items()}

    everybody = {f"simulated-{vendor}": 7 for vendor in VENDORS}
    stage.until(lambda: known() == everybody, "every fleet is known")
    codes = [process.stop()[0] for process in processes]

    assert {source["vendor"] for source in sources} == set(VENDORS)
    assert checked == 0, check.told()
    assert codes == [0] * len(VENDORS)


def test_simulate_keeps_the_documented_limits_unless_it_is_told_not_to(stage: Stage) -> None:
    command = ["simulate", "--vendor", "jfrog-connect-v1", "--devices", "1", "--listen", "127.0.0.1:0"]
    strict, lenient = stage.program(*command), stage.program(*command, "--no-limits")

    def asked(process: Process) -> list[int]:
        """The statuses of five requests at once: at three a minute, two of them are too many."""
        (url,) = stage.until(lambda: re.findall(r"simulated at (\S+) until", process.said()), "it serves")
        return [ask(f"{url}/v1/get_devices_state").status for _ in range(5)]

    statuses = {"strict": asked(strict), "lenient": asked(lenient)}

    assert statuses == {"strict": [400, 400, 400, 429, 429], "lenient": [400] * 5}


def test_simulate_refuses_what_nobody_plays(stage: Stage) -> None:
    process = stage.program("simulate", "--vendor", "acme")

    assert process.ended() == 2
    assert "hologram, iomote, jfrog-connect, jfrog-connect-v1, scalepad" in process.said()


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
