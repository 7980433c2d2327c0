"""Deployments that devices tell of: when they start, what they come to, and how long they are remembered."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.sightings import T0
from fleetpulse.fleet import reporting
from fleetpulse.fleet.deployment import Deployment, DeploymentStatus, FailedStep, Rollout, RolloutStatus
from fleetpulse.fleet.deployments import DeploymentChanges, KnownDeployments
from fleetpulse.fleet.events import DeploymentDeviceFailed, DeploymentEvent

PENDING, IN_PROGRESS, SUCCEEDED, FAILED, ABORTED, UNKNOWN = RolloutStatus
SINCE = timedelta(days=30)
DAY = timedelta(days=1)
STARTED, PROGRESSED, DEVICE_FAILED, FINISHED = (
    f"fleet.deployment.{word}" for word in ("started", "progressed", "device_failed", "finished")
)


def rollout(
    device: str,
    status: RolloutStatus,
    *,
    id_: str = "dp-1",
    error: str = "",
    contradiction: str = "",
    created_at: datetime | None = T0,
) -> Rollout:
    head = Deployment(id=id_, name="app 2.0", created_at=created_at)
    return Rollout(deployment=head, device=device, status=status, error=error, contradiction=contradiction)


class Story:
    """Known deployments whose changes are accepted at once; methods give the types of the events."""

    def __init__(self) -> None:
        self.known = KnownDeployments("edge-prod")
        self.last = DeploymentChanges()

    def told(
        self,
        *rollouts: Rollout,
        whole: bool = False,
        baseline: bool = False,
        at: datetime = T0,
        news_since: datetime | None = None,
    ) -> list[str]:
        self.last = self.known.reported(
            rollouts,
            whole=whole,
            baseline=baseline,
            seen_at=at,
            late=False,
            since=SINCE,
            news_since=news_since,
        )
        self.known.accept(self.last)
        return [event.type for event in self.last.events]

    def walked(self, *rollouts: Rollout, baseline: bool = False, at: datetime = T0) -> list[str]:
        """A complete walk over devices that tell this, a page for each."""
        told = [event for each in rollouts for event in self.told(each, baseline=baseline, at=at)]
        return told + self.told(whole=True, baseline=baseline, at=at)

    def deployment(self, id_: str = "dp-1") -> Deployment:
        deployment = self.known.deployment(id_)
        assert deployment is not None
        return deployment


def test_what_devices_tell_at_the_baseline_is_no_event_and_settles_at_its_end() -> None:
    story = Story()

    events = story.walked(
        rollout("a", SUCCEEDED), rollout("b", FAILED), rollout("a", PENDING, id_="dp-2"), baseline=True
    )

    assert events == []
    assert story.known.counts() == {"partial": 1, "running": 1}
    assert story.known.unread() == 0


def test_what_was_told_by_a_part_of_the_baseline_is_unread_and_not_shown() -> None:
    story = Story()
    story.told(rollout("a", IN_PROGRESS), baseline=True)

    before = (story.known.unread(), story.known.shown(T0, DAY))
    story.told(whole=True, baseline=True)

    assert before == (1, [])
    assert (story.known.unread(), [each.id for each in story.known.shown(T0, DAY)]) == (0, ["dp-1"])


def test_a_baseline_that_never_was_complete_ends_all_the_same() -> None:
    story = Story()
    story.told(rollout("a", IN_PROGRESS), baseline=True)

    story.told()

    assert story.known.unread() == 0


def test_history_that_ended_before_the_baseline_is_not_shown_as_ended_now() -> None:
    story = Story()

    story.walked(rollout("a", SUCCEEDED, created_at=T0 - 2 * DAY), baseline=True)

    assert story.known.shown(T0, DAY) == []


def test_a_failure_told_after_the_baseline_is_news_with_its_error() -> None:
    story = Story()
    story.walked(rollout("a", FAILED, error="old"), rollout("b", IN_PROGRESS), baseline=True)

    events = story.told(rollout("a", FAILED, error="old"), rollout("b", FAILED, error="disk full"))

    failed = story.last.events[0]
    assert events == [DEVICE_FAILED, PROGRESSED]
    assert isinstance(failed, DeploymentDeviceFailed)
    assert failed.devices == ("b",)
    assert failed.deployment.steps[-1] == FailedStep("b", output="disk full")


def test_one_first_told_of_later_starts_once_and_is_never_looked_at() -> None:
    story = Story()

    events = [story.told(rollout("a", PENDING)), story.told(rollout("b", PENDING)), story.told(rollout("a", PENDING))]

    assert events == [[STARTED], [], []]
    assert story.known.next_look_at() is None
    assert story.known.due(T0 + SINCE) == []
    assert story.deployment().devices == {"a": PENDING, "b": PENDING}


def test_one_older_than_deployments_since_is_never_opened() -> None:
    story = Story()

    assert story.told(rollout("a", FAILED, created_at=T0 - SINCE), whole=True) == []
    assert len(story.known) == 0


def test_a_deployment_finishes_when_its_devices_are_settled_and_a_later_walk_was_whole() -> None:
    story = Story()
    story.walked(rollout("a", IN_PROGRESS), rollout("b", PENDING))

    pages = [story.told(rollout("a", SUCCEEDED)), story.told(rollout("b", FAILED))]
    end, again = story.told(whole=True), story.told(whole=True)

    assert pages == [[PROGRESSED], [DEVICE_FAILED, PROGRESSED]]
    assert (end, again) == ([FINISHED], [])
    assert story.deployment().status is DeploymentStatus.PARTIAL


def test_a_walk_that_heard_of_it_too_late_does_not_finish_it() -> None:
    story = Story()

    first = story.walked(rollout("b", SUCCEEDED))  # a was asked before it began
    second = story.walked(rollout("a", PENDING), rollout("b", SUCCEEDED))
    third = story.walked(rollout("a", SUCCEEDED), rollout("b", SUCCEEDED))

    assert (first, second, third) == ([STARTED], [], [PROGRESSED, FINISHED])


def test_rollouts_told_whole_finish_at_once() -> None:
    story = Story()

    events = story.told(rollout("a", FAILED, error="no space"), whole=True)

    assert events == [STARTED, DEVICE_FAILED, FINISHED]
    assert story.deployment().status is DeploymentStatus.FAILED


def test_rollouts_told_whole_say_nothing_of_other_deployments() -> None:
    story = Story()
    story.told(rollout("a", SUCCEEDED))

    story.told(rollout("b", SUCCEEDED, id_="dp-2"), whole=True)

    assert story.deployment("dp-1").status is DeploymentStatus.RUNNING


def test_a_device_told_after_the_end_is_taken_in_and_its_failure_is_told() -> None:
    story = Story()
    story.walked(rollout("a", IN_PROGRESS))
    story.walked(rollout("a", SUCCEEDED))

    events = [
        story.told(rollout("b", PENDING)),
        story.told(rollout("b", FAILED)),
        story.told(whole=True),
        story.told(rollout("b", FAILED)),
    ]

    assert events == [[], [DEVICE_FAILED], [], []]
    assert story.deployment().status is DeploymentStatus.PARTIAL
    assert [each.id for each in story.known.shown(T0 + DAY, DAY)] == []  # it ended when it ended


def test_errors_of_20_devices_are_kept() -> None:
    story = Story()
    story.told(*(rollout(f"a{number}", FAILED, error="disk full") for number in range(15)))

    story.told(*(rollout(f"b{number}", FAILED, error="disk full") for number in range(15)))

    assert len(story.deployment().steps) == 20
    assert len(story.deployment().failed()) == 30


def test_a_contradicted_success_is_kept_until_it_is_contradicted_no_more() -> None:
    story = Story()
    story.walked(rollout("a", IN_PROGRESS), rollout("b", IN_PROGRESS))
    story.walked(rollout("a", SUCCEEDED, contradiction="app is 1.9"), rollout("b", SUCCEEDED))

    before = story.deployment()
    events = story.told(rollout("a", SUCCEEDED))

    assert before.contradicted == {"a": "app is 1.9"}
    assert before.status is DeploymentStatus.SUCCEEDED  # the vendor's word, beside what speaks against it
    assert (story.deployment().contradicted, events) == ({}, [])


def test_a_contradiction_is_told_without_any_progress_also_after_the_end() -> None:
    story = Story()
    story.walked(rollout("a", SUCCEEDED), rollout("b", PENDING))

    running = story.told(rollout("a", SUCCEEDED, contradiction="app is 1.9"))
    story.walked(rollout("b", SUCCEEDED))
    ended = story.told(rollout("b", SUCCEEDED, contradiction="app is 1.9"))
    told = story.last.events

    assert (running, ended) == ([PROGRESSED], [PROGRESSED])
    assert [event.deployment.contradicted for event in told] == [{"a": "app is 1.9", "b": "app is 1.9"}]
    assert story.deployment().status is DeploymentStatus.SUCCEEDED


def test_a_contradiction_is_told_once_and_its_end_is_not() -> None:
    story = Story()
    story.walked(rollout("a", SUCCEEDED), rollout("b", SUCCEEDED))
    story.told(*(rollout(device, SUCCEEDED, contradiction="app is 1.9") for device in "ab"))

    again = story.told(rollout("a", SUCCEEDED, contradiction="app is 1.9"))
    other = story.told(rollout("a", SUCCEEDED, contradiction="app is 1.8"))
    fewer = story.told(rollout("a", SUCCEEDED))

    assert (again, other, fewer) == ([], [], [])
    assert story.deployment().contradicted == {"b": "app is 1.9"}


def test_one_that_is_contradicted_when_it_is_first_told_of_starts_so() -> None:
    story = Story()

    assert story.told(rollout("a", SUCCEEDED, contradiction="app is 1.9")) == [STARTED]


OLD = T0 - 10 * DAY


@pytest.mark.parametrize("status", [SUCCEEDED, FAILED, ABORTED])
def test_what_was_over_before_anyone_looked_is_taken_in_silently(status: RolloutStatus) -> None:
    story = Story()

    first = story.told(rollout("a", status, created_at=OLD, error="old"), whole=True, news_since=T0)
    again = story.told(rollout("a", status, created_at=OLD, error="old"), whole=True, news_since=T0)

    assert (first, again) == ([], [])
    assert story.deployment().devices == {"a": status}
    assert story.known.shown(T0, DAY) == []  # it ended when nobody looked
    assert [each.id for each in story.known.shown(T0, timedelta.max)] == ["dp-1"]


@pytest.mark.parametrize(("created_at", "news_since"), [(T0, T0), (T0 + DAY, T0), (None, T0), (OLD, None)], ids=str)
def test_what_may_have_happened_since_is_news(created_at: datetime | None, news_since: datetime | None) -> None:
    story = Story()

    events = story.told(rollout("a", FAILED, created_at=created_at), whole=True, news_since=news_since)

    assert events == [STARTED, DEVICE_FAILED, FINISHED]


def test_an_old_one_that_goes_on_is_followed_and_its_failure_is_news() -> None:
    story = Story()

    first = story.told(rollout("a", PENDING, created_at=OLD), whole=True, news_since=T0)
    then = story.told(rollout("a", FAILED, created_at=OLD), whole=True, news_since=T0)

    assert (first, then) == ([STARTED], [DEVICE_FAILED, FINISHED])


def test_an_old_one_that_was_followed_already_is_no_history() -> None:
    story = Story()
    story.told(rollout("a", IN_PROGRESS, created_at=OLD), whole=True, baseline=True)

    events = story.told(rollout("a", FAILED, created_at=OLD), whole=True, news_since=T0)

    assert events == [DEVICE_FAILED, FINISHED]


def test_an_old_failure_beside_a_new_one_is_not_told_with_it() -> None:
    story = Story()
    story.walked(rollout("a", IN_PROGRESS, created_at=OLD), baseline=True)

    events = story.told(
        rollout("a", FAILED, created_at=OLD), rollout("b", FAILED, created_at=OLD), rollout("c", FAILED), news_since=T0
    )

    failed = story.last.events[0]
    assert events == [DEVICE_FAILED, PROGRESSED]
    assert isinstance(failed, DeploymentDeviceFailed)
    assert failed.devices == ("a",)


@pytest.mark.parametrize("by", ["page", "walk"])
def test_after_deployments_since_it_ends_as_incomplete(by: str) -> None:
    story = Story()
    story.told(rollout("a", SUCCEEDED), rollout("b", PENDING))

    events = story.told(whole=by == "walk", at=T0 + SINCE)

    assert events == [FINISHED]
    assert story.deployment().status is DeploymentStatus.INCOMPLETE
    assert story.told(rollout("b", PENDING), at=T0 + SINCE) == []


def test_an_ended_one_is_remembered_while_a_device_tells_of_it() -> None:
    story = Story()
    undated = rollout("a", SUCCEEDED, created_at=None)
    story.walked(undated)
    story.walked(undated)

    for days in range(0, 90, 10):
        assert story.walked(undated, at=T0 + days * DAY) == []
    story.walked(at=T0 + 91 * DAY)

    assert len(story.known) == 0


def test_an_ended_one_with_a_date_is_forgotten_in_time_though_no_walk_is_ever_whole() -> None:
    story = Story()
    story.told(rollout("a", SUCCEEDED), whole=True)

    story.told(rollout("a", SUCCEEDED), at=T0 + SINCE - DAY)
    story.told(at=T0 + SINCE - DAY)
    assert len(story.known) == 1
    story.told(rollout("a", SUCCEEDED), at=T0 + SINCE)
    story.told(at=T0 + SINCE)

    assert len(story.known) == 0 == len(story.known._told)
    assert story.told(rollout("a", SUCCEEDED), at=T0 + SINCE) == []


def test_a_list_does_not_speak_of_reported_ones_nor_a_look() -> None:
    story = Story()
    story.told(rollout("a", PENDING))

    listed = story.known.listed([], complete=True, baseline=False, seen_at=T0 + 2 * SINCE, late=False, since=SINCE)
    looked = story.known.looked("dp-1", {"a": FAILED}, (), seen_at=T0, late=False, since=SINCE)

    assert (listed, looked) == (DeploymentChanges(), DeploymentChanges())
    assert story.known.gone("dp-1", seen_at=T0, late=False) == DeploymentChanges()


def test_devices_that_make_up_deployments_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "MOST_REPORTED", 5)
    story = Story()

    for number in range(10):
        story.told(rollout("a", PENDING, id_=f"dp-{number}"))

    assert len(story.known) == 5
    assert len(story.known._told) == 5


def test_what_is_followed_loads_as_it_was_kept() -> None:
    story = Story()
    story.told(rollout("a", SUCCEEDED, contradiction="app is 1.9"), rollout("b", PENDING))
    rows = {id_: msgspec.msgpack.encode(followed) for id_, followed in story.known._followed.items()}
    loaded = KnownDeployments("edge-prod")

    loaded.load(rows)

    assert loaded._followed == story.known._followed


def test_one_kept_before_devices_told_of_any_was_listed() -> None:
    row = {"deployment": {"id": "dp-1"}, "first_seen_at": T0, "progressed_at": T0, "look_at": T0}
    known = KnownDeployments("edge-prod")

    known.load({"dp-1": msgspec.msgpack.encode(row)})

    assert known.due(T0) == ["dp-1"]


_walks = st.lists(
    st.lists(
        st.builds(
            rollout,
            st.sampled_from("abc"),
            st.sampled_from(list(RolloutStatus)),
            id_=st.sampled_from(["dp-1", "dp-2"]),
            error=st.sampled_from(["", "disk full"]),
        ),
        max_size=6,
        unique_by=lambda each: (each.device, each.deployment.id),
    ),
    max_size=5,
)


def _told_by(story: Story, walks: Sequence[Sequence[Rollout]], *, pages: int) -> list[DeploymentEvent]:
    events: list[DeploymentEvent] = []
    for walk in walks:
        size = len(walk) if pages == 1 else 1
        for start in range(0, len(walk), size or 1):
            story.told(*walk[start : start + size])
            events += story.last.events
        story.told(whole=True)
        events += story.last.events
    return events


@given(_walks)
def test_nobody_is_lost_no_end_is_taken_back_and_every_failure_is_told(walks: list[list[Rollout]]) -> None:
    story = Story()

    events = _told_by(story, walks, pages=2)

    for id_ in ("dp-1", "dp-2"):
        reports = [each for walk in walks for each in walk if each.deployment.id == id_]
        if not reports:
            continue
        deployment = story.deployment(id_)
        kinds = [event.type for event in events if event.subject == id_]
        failed = {
            device
            for event in events
            if isinstance(event, DeploymentDeviceFailed) and event.subject == id_
            for device in event.devices
        }
        assert set(deployment.devices) == {each.device for each in reports}
        assert failed == {each.device for each in reports if each.status is FAILED}
        assert kinds.count(STARTED) == 1 == kinds.index(STARTED) + 1
        assert kinds.count(FINISHED) == (deployment.status is not DeploymentStatus.RUNNING)


@given(_walks)
def test_pages_make_no_difference_to_what_a_deployment_comes_to(walks: list[list[Rollout]]) -> None:
    one, many = Story(), Story()

    _told_by(one, walks, pages=1)
    _told_by(many, walks, pages=2)

    assert one.known._followed == many.known._followed


@given(_walks)
def test_what_was_told_is_no_news_a_second_time(walks: list[list[Rollout]]) -> None:
    story = Story()
    _told_by(story, walks, pages=1)
    last = walks[-1] if walks else []
    story.told(whole=True)

    again = _told_by(story, [last], pages=1)

    assert [event.type for event in again] == []
