"""The known deployments: what lists and looks change, and when each is looked at next."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.sightings import T0
from fleetpulse.fleet import followed
from fleetpulse.fleet.deployment import Deployment, DeploymentStatus, FailedStep, RolloutStatus, overall
from fleetpulse.fleet.deployments import SHORTEST_PAUSE, DeploymentChanges, Followed, KnownDeployments
from fleetpulse.fleet.events import DeploymentDeviceFailed, DeploymentFinished

PENDING, IN_PROGRESS, SUCCEEDED, FAILED, ABORTED, UNKNOWN = RolloutStatus
SINCE = timedelta(days=30)
STARTED, PROGRESSED, DEVICE_FAILED, FINISHED = (
    f"fleet.deployment.{word}" for word in ("started", "progressed", "device_failed", "finished")
)


def seconds(number: float) -> datetime:
    return T0 + timedelta(seconds=number)


class Story:
    """Known deployments whose changes are accepted at once; methods give the types of the events."""

    def __init__(self) -> None:
        self.known = KnownDeployments("edge-prod")
        self.last = DeploymentChanges()

    def listed(
        self, *ids: str, at: datetime = T0, baseline: bool = False, complete: bool = True, created: datetime = T0
    ) -> list[str]:
        return self._accept(
            self.known.listed(
                [Deployment(id=id_, created_at=created) for id_ in ids],
                complete=complete,
                baseline=baseline,
                seen_at=at,
                late=False,
                since=SINCE,
            )
        )

    def looked(
        self,
        id_: str,
        told: Mapping[str, RolloutStatus] | None = None,
        /,
        at: datetime = T0,
        complete: bool = True,
        steps: tuple[str, ...] = (),
        **more: RolloutStatus,
    ) -> list[str]:
        devices = {**(told or {}), **more}
        fetched = tuple(FailedStep(device, "install") for device in steps)
        return self._accept(
            self.known.looked(id_, devices, fetched, seen_at=at, late=False, since=SINCE, complete=complete)
        )

    def gone(self, id_: str, at: datetime = T0) -> list[str]:
        return self._accept(self.known.gone(id_, seen_at=at, late=False))

    def status(self, id_: str) -> DeploymentStatus | None:
        deployment = self.known.deployment(id_)
        return None if deployment is None else deployment.status

    def _accept(self, changes: DeploymentChanges) -> list[str]:
        self.known.accept(changes)
        self.last = changes
        return [event.type for event in changes.events]


def test_what_stands_at_the_first_walk_is_no_event() -> None:
    story = Story()

    events = story.listed("dp-1", "dp-2", baseline=True)

    assert events == []
    assert sorted(story.known.due(T0)) == ["dp-1", "dp-2"]


def test_a_later_one_has_started_once_and_is_looked_at_at_once() -> None:
    story = Story()
    story.listed("dp-1", baseline=True)

    first, second = story.listed("dp-1", "dp-2"), story.listed("dp-1", "dp-2")

    assert (first, second) == ([STARTED], [])
    assert "dp-2" in story.known.due(T0)


def test_one_that_is_listed_twice_on_a_list_starts_once() -> None:
    assert Story().listed("dp-1", "dp-1") == [STARTED]


def test_one_older_than_deployments_since_is_never_opened() -> None:
    story = Story()

    assert story.listed("dp-1", created=T0 - SINCE) == []
    assert len(story.known) == 0


def test_news_are_looked_at_before_history_and_young_history_before_old() -> None:
    story = Story()
    story.listed("dp-old", baseline=True, created=T0 - timedelta(days=9))
    story.listed("dp-young", baseline=True, created=T0 - timedelta(days=1))
    story.listed("dp-new", at=seconds(5))

    assert story.known.due(seconds(5)) == ["dp-new", "dp-young", "dp-old"]


def test_history_that_settled_is_closed_in_silence_and_asked_no_more() -> None:
    story = Story()
    story.listed("dp-1", baseline=True, created=T0 - timedelta(days=2))

    events = story.looked("dp-1", a=SUCCEEDED, b=FAILED)

    assert events == []
    assert story.status("dp-1") is DeploymentStatus.PARTIAL
    assert story.known.next_look_at() is None
    assert story.known.shown(T0, timedelta(days=1)) == []


def test_failures_after_the_baseline_are_news_and_those_of_before_are_not() -> None:
    story = Story()
    story.listed("dp-1", baseline=True)

    first = story.looked("dp-1", a=FAILED, b=IN_PROGRESS, c=IN_PROGRESS)
    second = story.looked("dp-1", at=seconds(30), a=FAILED, b=FAILED, c=IN_PROGRESS)

    failed = story.last.events[0]
    assert (first, second) == ([], [DEVICE_FAILED, PROGRESSED])
    assert isinstance(failed, DeploymentDeviceFailed)
    assert failed.devices == ("b",)


def test_the_failures_of_one_look_are_one_event() -> None:
    story = Story()
    story.listed("dp-1")

    events = story.looked("dp-1", steps=("a",), a=FAILED, b=FAILED, c=PENDING)

    failed = story.last.events[0]
    assert events == [DEVICE_FAILED, PROGRESSED]
    assert isinstance(failed, DeploymentDeviceFailed)
    assert failed.devices == ("a", "b")
    assert failed.deployment.steps == (FailedStep("a", "install"),)


@pytest.mark.parametrize(
    ("devices", "status"),
    [
        ({"a": SUCCEEDED, "b": SUCCEEDED}, DeploymentStatus.SUCCEEDED),
        ({"a": SUCCEEDED, "b": FAILED}, DeploymentStatus.PARTIAL),
        ({"a": FAILED, "b": FAILED}, DeploymentStatus.FAILED),
        ({"a": ABORTED, "b": ABORTED}, DeploymentStatus.ABORTED),
        ({"a": ABORTED, "b": FAILED}, DeploymentStatus.PARTIAL),
        ({"a": ABORTED, "b": SUCCEEDED}, DeploymentStatus.PARTIAL),
        ({"a": SUCCEEDED, "b": PENDING}, DeploymentStatus.RUNNING),
        ({"a": SUCCEEDED, "b": UNKNOWN}, DeploymentStatus.RUNNING),
        ({}, DeploymentStatus.RUNNING),
    ],
)
def test_the_whole_is_derived_from_its_devices(devices: dict[str, RolloutStatus], status: DeploymentStatus) -> None:
    assert overall(devices) is status


def test_a_settled_one_finishes_once_and_is_asked_no_more() -> None:
    story = Story()
    story.listed("dp-1")
    story.looked("dp-1", a=IN_PROGRESS)

    first = story.looked("dp-1", at=seconds(30), a=SUCCEEDED)
    again = story.looked("dp-1", at=seconds(60), a=FAILED)

    assert (first, again) == ([FINISHED], [])
    assert story.known.next_look_at() is None


def pauses(story: Story, *, until: timedelta) -> list[int]:
    """The seconds from each look to the next while nothing happens, the first look at T0."""
    found, at = [], T0
    while at - T0 < until:
        assert story.looked("dp-1", at=at, a=PENDING) == []
        due = story.known.next_look_at()
        assert due is not None
        found.append(int((due - at).total_seconds()))
        at = due
    return found


def test_the_longer_it_makes_no_progress_the_less_often_it_is_asked() -> None:
    story = Story()
    story.listed("dp-1")

    found = pauses(story, until=timedelta(days=2))

    assert Counter(found) == {30: 4, 60: 8, 120: 25, 300: 276, 3600: 24}
    assert found == sorted(found)


def test_within_its_first_hour_it_is_asked_every_two_minutes_at_least() -> None:
    story = Story()
    story.listed("dp-1")

    assert max(pauses(story, until=timedelta(hours=1) - timedelta(seconds=1))) <= 120


def test_history_of_which_nothing_is_heard_is_asked_as_seldom_as_its_age_allows() -> None:
    story = Story()
    story.listed("dp-1", baseline=True, created=T0 - timedelta(days=2))

    story.known.accept(story.known.put_off("dp-1", seen_at=T0))
    failed = story.known.next_look_at()
    story.looked("dp-1", a=PENDING, b=PENDING)
    pending = story.known.next_look_at()
    story.looked("dp-1", a=IN_PROGRESS, b=PENDING)

    assert failed == pending == T0 + timedelta(hours=1)
    assert story.known.next_look_at() == seconds(30)


def test_progress_makes_the_pauses_short_again() -> None:
    story = Story()
    story.listed("dp-1")
    pauses(story, until=timedelta(days=1))

    events = story.looked("dp-1", at=T0 + timedelta(days=1), a=IN_PROGRESS)

    assert events == [PROGRESSED]
    assert story.known.next_look_at() == T0 + timedelta(days=1, seconds=30)


def test_an_empty_map_for_ever_is_no_reason_to_ask_every_30_seconds() -> None:
    story = Story()
    story.listed("dp-1")

    story.looked("dp-1", at=T0 + timedelta(days=1))

    assert story.known.next_look_at() == T0 + timedelta(days=1, hours=1)


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.sampled_from(list(RolloutStatus))), min_size=1, max_size=6))
def test_no_map_loses_a_device_or_takes_an_end_back(maps: list[dict[str, RolloutStatus]]) -> None:
    story = Story()
    story.listed("dp-1")
    told: list[str] = []

    for number, devices in enumerate(maps):
        before = story.known.deployment("dp-1")
        story.looked("dp-1", devices, at=seconds(number))
        after = story.known.deployment("dp-1")

        assert before is not None
        assert after is not None
        assert before.devices.keys() <= after.devices.keys()
        assert all(after.devices[id_].settled for id_, status in before.devices.items() if status.settled)
        told += [
            id_ for event in story.last.events if isinstance(event, DeploymentDeviceFailed) for id_ in event.devices
        ]
    final = story.known.deployment("dp-1")
    assert final is not None
    assert set(final.failed()) <= set(told)


def test_a_map_that_may_lack_devices_settles_nothing() -> None:
    story = Story()
    story.listed("dp-1")

    events = story.looked("dp-1", complete=False, a=FAILED)

    assert events == [DEVICE_FAILED, PROGRESSED]
    assert story.status("dp-1") is DeploymentStatus.RUNNING


@pytest.mark.parametrize("by", ["look", "list"])
def test_after_deployments_since_it_ends_as_incomplete(by: str) -> None:
    story = Story()
    story.listed("dp-1")
    story.looked("dp-1", a=SUCCEEDED, b=PENDING)

    at = T0 + SINCE
    events = story.looked("dp-1", at=at, a=SUCCEEDED, b=PENDING) if by == "look" else story.listed("dp-1", at=at)

    assert events == [FINISHED]
    assert story.status("dp-1") is DeploymentStatus.INCOMPLETE
    assert story.known.next_look_at() is None


def test_one_the_vendor_no_longer_knows_ends_as_incomplete() -> None:
    story = Story()
    story.listed("dp-1")
    story.looked("dp-1", a=SUCCEEDED, b=PENDING)

    events = story.gone("dp-1")

    event = story.last.events[0]
    assert events == [FINISHED]
    assert isinstance(event, DeploymentFinished)
    assert event.deployment.status is DeploymentStatus.INCOMPLETE
    assert event.deployment.devices == {"a": SUCCEEDED, "b": PENDING}
    assert story.gone("dp-1") == []


def test_history_the_vendor_no_longer_knows_is_closed_in_silence() -> None:
    story = Story()
    story.listed("dp-1", baseline=True)

    assert story.gone("dp-1") == []
    assert story.known.next_look_at() is None


def test_a_failed_look_is_put_off_like_one_without_progress() -> None:
    story = Story()
    story.listed("dp-1")

    story.known.accept(story.known.put_off("dp-1", seen_at=T0))
    assert story.known.next_look_at() == seconds(30)
    story.known.accept(story.known.put_off("dp-1", seen_at=T0 + timedelta(minutes=10)))

    assert story.known.next_look_at() == T0 + timedelta(minutes=12)


def test_a_closed_one_never_opens_again_while_it_is_young_or_listed() -> None:
    story = Story()
    story.listed("dp-1")
    story.looked("dp-1", a=SUCCEEDED)

    story.listed(at=T0 + timedelta(days=1))  # an empty list
    assert story.listed("dp-1", at=T0 + timedelta(days=2)) == []
    assert story.listed("dp-1", at=T0 + SINCE) == []
    story.listed(at=T0 + SINCE, complete=False)
    assert len(story.known) == 1
    story.listed(at=T0 + SINCE)

    assert len(story.known) == 0


def test_steps_are_wanted_of_20_newly_failed_devices_in_all() -> None:
    story = Story()
    story.listed("dp-1")
    first = {f"a{number}": FAILED for number in range(15)}
    second = first | {f"b{number}": FAILED for number in range(15)}

    wanted_first = story.known.wanted_steps("dp-1", first)
    story.looked("dp-1", first, slow=PENDING)
    wanted_second = story.known.wanted_steps("dp-1", second)

    assert wanted_first == [f"a{number}" for number in range(15)]
    assert wanted_second == [f"b{number}" for number in range(5)]


def test_no_steps_are_wanted_of_history() -> None:
    story = Story()
    story.listed("dp-1", baseline=True)

    assert story.known.wanted_steps("dp-1", {"a": FAILED}) == []


def test_the_list_renames_without_touching_what_looks_found() -> None:
    story = Story()
    story.listed("dp-1")
    story.looked("dp-1", a=IN_PROGRESS)

    story.known.accept(
        story.known.listed(
            [Deployment(id="dp-1", name="renamed")], complete=True, baseline=False, seen_at=T0, late=False, since=SINCE
        )
    )

    deployment = story.known.deployment("dp-1")
    assert deployment is not None
    assert (deployment.name, deployment.created_at, deployment.devices) == ("renamed", T0, {"a": IN_PROGRESS})


def test_running_and_lately_ended_ones_are_shown() -> None:
    story = Story()
    story.listed("dp-history", baseline=True)
    story.listed("dp-running", "dp-ended")
    story.looked("dp-ended", a=SUCCEEDED)

    day = timedelta(hours=24)
    early = [deployment.id for deployment in story.known.shown(T0 + day / 2, day)]
    later = [deployment.id for deployment in story.known.shown(T0 + day, day)]

    assert (early, later) == (["dp-running", "dp-ended"], ["dp-running"])


def test_what_is_followed_loads_as_it_was_kept() -> None:
    story = Story()
    story.listed("dp-1", baseline=True)
    story.listed("dp-2")
    story.looked("dp-2", steps=("a",), a=FAILED, b=PENDING)
    rows = {id_: msgspec.msgpack.encode(followed) for id_, followed in story.known._followed.items()}
    loaded = KnownDeployments("edge-prod")

    loaded.load(rows)

    assert loaded._followed == story.known._followed
    assert all(isinstance(followed, Followed) for followed in loaded._followed.values())


def test_a_row_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="deployment dp-9 of edge-prod"):
        KnownDeployments("edge-prod").load({"dp-9": b"\xc1"})


def test_maps_that_always_name_other_devices_do_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "MOST_DEVICES", 3)
    story = Story()
    story.listed("dp-1")

    story.looked("dp-1", a=SUCCEEDED, b=PENDING)
    events = story.looked("dp-1", {"b": SUCCEEDED, "c": SUCCEEDED, "d": FAILED}, at=seconds(30))

    deployment = story.known.deployment("dp-1")
    assert deployment is not None
    assert list(deployment.devices) == ["a", "b", "c"]
    assert deployment.status is DeploymentStatus.RUNNING
    assert DEVICE_FAILED not in events


def test_how_many_looks_are_asked_for_goes_by_how_long_each_was_quiet() -> None:
    story = Story()
    story.listed("dp-1", "dp-2", "dp-3")
    for id_ in ("dp-1", "dp-2"):
        story.looked(id_, at=seconds(7200), a=PENDING)
    story.looked("dp-2", at=seconds(7200), a=IN_PROGRESS)

    story.looked("dp-3", at=seconds(7200), a=SUCCEEDED)

    assert story.known.looks(SHORTEST_PAUSE, seconds(7200)) == pytest.approx(30 / 300 + 1)  # dp-1, dp-2; dp-3 ended


def test_where_the_budget_carries_less_the_pauses_to_the_next_look_are_longer() -> None:
    story = Story()
    story.listed("dp-1", "dp-2")

    for changes in (
        story.known.looked("dp-1", {"a": PENDING}, (), seen_at=T0, late=False, since=SINCE, stretch=2.5),
        story.known.put_off("dp-2", seen_at=T0, stretch=3.0),
    ):
        story.known.accept(changes)

    assert story.known.due(seconds(74)) == []
    assert story.known.due(seconds(75)) == ["dp-1"]
    assert story.known.due(seconds(90)) == ["dp-1", "dp-2"]
