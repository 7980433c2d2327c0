"""The crash law on the whole: killed at any moment, nothing is lost, and nothing is told twice to who dedupes."""

import random
import time
from collections import defaultdict
from pathlib import Path

import pytest

from end_to_end import config
from end_to_end.parties import Arrival, Party, arrivals, first_of_each, told_offline
from end_to_end.processes import KILLED
from end_to_end.stage import Service, Stage

KILLS = 30
DEVICES = 40


class Storm:
    """Changes at the vendors, and a service that is killed in the midst of them again and again."""

    def __init__(self, stage: Stage, *, seed: int) -> None:
        self._stage = stage
        self._random = random.Random(seed)  # noqa: S311 - a repeatable storm, no secret
        self.vendor = stage.party("jfrog-connect", devices=DEVICES)
        self.sims = stage.party("hologram")
        self.webhook = stage.party("webhook")
        self.jobs: list[int] = []
        self.kills_in_doubt = 0
        self._in_doubt = 0  # requests that were unanswered at the last kill
        self._path = self._configured()
        self._service = stage.service(self._path).swept()

    def go_on(self) -> Service:
        """Start the service again."""
        self._service = self._stage.service(self._path)
        return self._service

    def change(self) -> None:
        """A few devices turn, so that groups open, grow and end at all times."""
        for device in self._random.sample(self.vendor.do("uuids")[:DEVICES], 3):
            online = device in self.vendor.do("uuids", status="online")
            self.vendor.do("set_status", uuid=device, status="offline" if online else "online")

    def fail_a_job(self) -> None:
        self.jobs.append(self.sims.do("start_job"))
        self.sims.do("fail_job", job_id=self.jobs[-1])

    def kill_anywhere(self) -> None:
        """Kill it while changes come."""
        self.change()
        time.sleep(self._random.uniform(0, 0.4))
        self.change()
        time.sleep(self._random.uniform(0, 0.2))
        self._kill()

    def kill_in_doubt(self, *, slow: bool) -> None:
        """Kill it while the receiver has a notification and has not answered."""
        given_up = self.webhook.unanswered()  # at earlier kills: nothing is under way now
        answered = self.webhook.answered()
        self._service.ready()
        # What was in doubt before is told again first, or one notification would be in doubt at every kill.
        in_doubt, self._in_doubt = self._in_doubt, 0
        self._stage.until(lambda: self.webhook.answered() >= answered + in_doubt, "what was in doubt is told again")
        if slow:
            self.webhook.do("slow", seconds=60)
        else:
            self.webhook.do("hold")
        self.change()
        self._stage.until(lambda: self.webhook.unanswered() > given_up, "the receiver has a request")
        self.change()
        time.sleep(self._random.uniform(0, 0.2))
        self._in_doubt = self.webhook.unanswered() - given_up
        self.kills_in_doubt += self._in_doubt > 0
        self._kill()
        self.webhook.do("release")
        self.webhook.do("clear")

    def settle(self) -> set[str]:
        """Let all be told that is to be told, and stop the service; the devices that are offline in the end."""
        offline = set(self.vendor.do("uuids", status="offline"))
        self._stage.until(lambda: told_offline(self.webhook) == offline, "what was told is what is so")
        self._stage.until(lambda: len(told_jobs(self.webhook)) >= len(self.jobs), "every failed job was told")
        code, _ = self._service.process.stop()
        assert code == 0, self._stage.told()
        return offline

    def _kill(self) -> None:
        self._service.process.kill()
        assert self._service.process.code == KILLED, self._stage.told()

    def _configured(self) -> Path:
        return self._stage.configure(
            sources=[config.jfrog(self.vendor.url), config.hologram(self.sims.url)],
            rules=config.rules(FleetDeviceOffline="100ms"),
            route=config.route("pager", group_wait="200ms"),
            receivers=[config.webhook(self.webhook.url)],
        )


def told_jobs(webhook: Party) -> list[str]:
    """The jobs that a receiver was told of which dedupes."""
    found = first_of_each(arrivals(webhook, alertname="FleetJobFailed"))
    return [alert["labels"]["bulk_job"] for one in found for alert in one.news]


def histories(found: list[Arrival]) -> dict[str, list[str]]:
    """What was news of each alert, in order."""
    told = defaultdict(list)
    for arrival in found:
        for alert in arrival.news:
            told[alert["fingerprint"]].append(alert["status"])
    return told


def repeats(found: list[Arrival]) -> dict[str, set[str]]:
    """The bodies that came under an id that came more than once."""
    bodies = defaultdict(list)
    for arrival in found:
        bodies[arrival.id].append(arrival.text)
    return {id_: set(texts) for id_, texts in bodies.items() if len(texts) > 1}


@pytest.mark.timeout(150)
def test_thirty_kills_lose_nothing_and_repeat_nothing_under_another_id(stage: Stage) -> None:
    storm = Storm(stage, seed=7)

    for number in range(KILLS):
        if number % 3:
            storm.kill_in_doubt(slow=number % 2 == 0)
        else:
            storm.kill_anywhere()
        if number % 5 == 0:
            storm.fail_a_job()
        storm.go_on()
    offline = storm.settle()

    found = arrivals(storm.webhook)
    unique = first_of_each(found)
    states = histories(first_of_each(arrivals(storm.webhook, alertname="FleetDeviceOffline")))
    assert told_offline(storm.webhook) == offline
    assert storm.kills_in_doubt >= 15
    assert len(repeats(found)) >= 15
    assert all(len(bodies) == 1 for bodies in repeats(found).values())
    assert len(unique) > KILLS
    for history in states.values():
        assert history == ["firing", "resolved"] * (len(history) // 2) + ["firing"] * (len(history) % 2)
    assert sorted(told_jobs(storm.webhook)) == sorted(map(str, storm.jobs))
