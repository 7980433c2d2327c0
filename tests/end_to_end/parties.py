"""Simulated vendors and receivers as processes, told over HTTP what to do and asked what they saw."""

import json
import sys
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from end_to_end.asking import ask, until
from end_to_end.processes import Process

_START_S = 20.0


class Party:
    """One vendor or receiver. Its process is starting; whoever asks for its URL waits for it."""

    def __init__(self, kind: str, *, log: Path, **settings: Any) -> None:
        pairs = [word for name, value in settings.items() for word in ("--set", f"{name}={_word(value)}")]
        self.process = Process([sys.executable, "-m", "fleetpulse.simulator", kind, *pairs], log=log)

    @cached_property
    def url(self) -> str:
        until(lambda: "\n" in self.process.said(), "the party serves", within_s=_START_S, tell=self.process.told)
        return str(json.loads(self.process.said().splitlines()[0])["url"])

    def do(self, name: str, /, **arguments: Any) -> Any:
        """Call one of its controls; what that returns."""
        answer = ask(f"{self.url}/_control/{name}", arguments=arguments)
        assert answer.status == 200, answer.text
        return answer.json()["result"]

    def state(self) -> dict[str, Any]:
        """What it counts."""
        return dict(ask(f"{self.url}/_control/state").json())

    def unanswered(self) -> int:
        """How many requests it took and never answered, or has not answered yet."""
        state = self.state()
        return int(state["requests"] - sum(state["statuses"].values()))

    def answered(self) -> int:
        """How many requests it has answered."""
        return int(sum(self.state()["statuses"].values()))

    def mail(self, after: int = 0) -> list[dict[str, Any]]:
        """What it received past the first so many, in order of arrival."""
        return list(ask(f"{self.url}/_control/messages?after={after}").json()["messages"])


class Arrival(NamedTuple):
    """A webhook's request as it arrived."""

    headers: dict[str, str]
    text: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent."""
        return dict(json.loads(self.text))

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return list(self.event["data"]["alerts"])

    @property
    def news(self) -> list[dict[str, Any]]:
        """The alerts that it is about; the others are listed for completeness."""
        return [alert for alert in self.alerts if alert["new"]]


def arrivals(webhook: Party, *, alertname: str = "") -> list[Arrival]:
    """All requests of a webhook receiver in order, of this alert or of all."""
    found = [Arrival(message["headers"], message["body"]) for message in webhook.mail()]
    return [one for one in found if not alertname or one.event["data"]["groupLabels"]["alertname"] == alertname]


def first_of_each(found: list[Arrival]) -> list[Arrival]:
    """What a receiver keeps that dedupes on `webhook-id`."""
    return list({one.id: one for one in reversed(found)}.values())[::-1]


def told_offline(webhook: Party) -> set[str]:
    """The devices that are offline by what a receiver was told that dedupes."""
    told: dict[str, str] = {}
    for arrival in first_of_each(arrivals(webhook, alertname="FleetDeviceOffline")):
        told.update({alert["labels"]["device"]: alert["status"] for alert in arrival.news})
    return {device for device, status in told.items() if status == "firing"}


def slack_texts(slack: Party, *, containing: str = "") -> list[str]:
    """The messages of a Slack receiver, each as all its words."""
    texts = ["\n".join(_words(message["body"])) for message in slack.mail()]
    return [text for text in texts if containing in text]


def _words(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [
            word
            for key, inner in value.items()
            for word in ([inner] if key == "text" and isinstance(inner, str) else _words(inner))
        ]
    return [word for inner in value for word in _words(inner)] if isinstance(value, list) else []


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
