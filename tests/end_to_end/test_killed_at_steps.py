"""Each of the five transactions, killed before and after its commit: the outcome is what the table of them says."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from end_to_end import config
from end_to_end.killed_at import ENDED
from end_to_end.parties import Party, arrivals
from end_to_end.stage import Stage, staged

# By step: how often the receiver had the notification when the service was killed, and how often in the end.
OUTCOMES: Final = {
    "page:before-commit": (0, 1),
    "page:after-commit": (0, 1),
    "judge:before-commit": (0, 1),
    "judge:after-commit": (0, 1),
    "flush:before-commit": (0, 1),
    "flush:after-commit": (0, 1),
    "claim:before-commit": (0, 1),
    "claim:after-commit": (0, 1),
    "record:before-commit": (1, 2),
    "record:after-commit": (1, 1),
}


class Scene:
    """A fleet that was looked at already; the tests play in it one after the other."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.vendor = stage.party("jfrog-connect", devices=6)
        self.webhook = stage.party("webhook")
        self.path = stage.configure(
            sources=[config.jfrog(self.vendor.url)],
            rules=config.rules(),
            route=config.route("pager"),
            receivers=[config.webhook(self.webhook.url)],
        )

    def run_until_killed_at(self, step: str) -> int:
        """Run the service until it dies there; the exit code."""
        # The deployments' own commits are pages, too: without them the first one is that of the device.
        self.vendor.do("hang_next", path="/deployments")
        program = str(Path(__file__).with_name("killed_at.py"))
        process = self.stage.start([sys.executable, program, str(self.path), step], name=f"killed at {step}")
        code = process.ended()
        self.vendor.do("clear")
        return code


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with staged(tmp_path_factory.mktemp("steps")) as stage:
        made = Scene(stage)
        code, _ = stage.service(made.path).swept().process.stop()
        assert code == 0, stage.told()
        yield made


def told(webhook: Party) -> list[tuple[str, str]]:
    """What the receiver was told, with the id: (id, status)."""
    return [(one.id, one.alerts[0]["status"]) for one in arrivals(webhook)]


@pytest.mark.parametrize(("step", "times"), OUTCOMES.items())
def test_killed_at_a_step_the_change_is_told_under_one_id(scene: Scene, step: str, times: tuple[int, int]) -> None:
    scene.webhook.do("forget_received")
    (device,) = scene.vendor.do("drop", n=1)
    if step.startswith("claim"):  # a row whose receiver is idle is born claimed; one that was left behind is not
        scene.run_until_killed_at("flush:after-commit")

    code = scene.run_until_killed_at(step)
    before = told(scene.webhook)
    service = scene.stage.service(scene.path)
    scene.stage.until(lambda: len(told(scene.webhook)) >= times[1], "it was told")
    scene.vendor.do("set_status", uuid=device, status="online")
    scene.stage.until(lambda: "resolved" in [status for _, status in told(scene.webhook)], "its end was told")
    service.process.stop()

    firing = [(id_, status) for id_, status in told(scene.webhook) if status == "firing"]
    assert code == ENDED
    assert (len(before), len(firing)) == times
    assert len(set(firing)) == 1
    assert [status for _, status in told(scene.webhook)].count("resolved") == 1
    assert len({one.text for one in arrivals(scene.webhook) if one.id == firing[0][0]}) == 1
