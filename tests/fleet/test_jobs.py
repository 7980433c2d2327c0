"""The known bulk jobs: what the next list changes, and how those end that no list holds any more."""

from datetime import datetime, timedelta

import msgspec
import pytest

from fleet.sightings import T0
from fleetpulse.fleet.events import JobFinished
from fleetpulse.fleet.job import BulkJob, JobStatus
from fleetpulse.fleet.jobs import REMEMBERED_FOR, JobChanges, KnownJobs

RUNNING, SUCCEEDED, FAILED = JobStatus.RUNNING, JobStatus.SUCCEEDED, JobStatus.FAILED
STARTED, PROGRESSED, FINISHED = (f"fleet.job.{word}" for word in ("started", "progressed", "finished"))
DAY = timedelta(days=1)


class Story:
    """Known jobs whose changes are accepted at once; `listed` gives the types of the events."""

    def __init__(self) -> None:
        self.known = KnownJobs("sims")
        self.last = JobChanges()

    def listed(
        self,
        *jobs: BulkJob,
        resource: str = "jobs",
        at: datetime = T0,
        baseline: bool = False,
        complete: bool = True,
    ) -> list[str]:
        self.last = self.known.listed(
            jobs, resource=resource, complete=complete, baseline=baseline, seen_at=at, late=False
        )
        self.known.accept(self.last)
        return [event.type for event in self.last.events]

    def status(self, id_: str) -> JobStatus | None:
        job = self.known.job(id_)
        return None if job is None else job.status


def job(status: JobStatus = RUNNING, *, id_: str = "41", word: str = "", device_count: int = 5) -> BulkJob:
    return BulkJob(id=id_, status=status, word=word, device_count=device_count)


@pytest.mark.parametrize("status", [RUNNING, FAILED])
def test_what_stands_at_the_first_list_is_no_event(status: JobStatus) -> None:
    story = Story()

    assert story.listed(job(status), baseline=True) == []
    assert story.listed(job(status)) == []


def test_a_job_of_the_baseline_that_ends_later_is_news() -> None:
    story = Story()
    story.listed(job(), baseline=True)

    assert story.listed(job(FAILED)) == [FINISHED]


def test_a_job_starts_progresses_and_finishes_once() -> None:
    story = Story()

    told = [
        story.listed(job()),
        story.listed(job()),
        story.listed(job(word="processing")),
        story.listed(job(word="processing", device_count=6)),
        story.listed(job(SUCCEEDED)),
        story.listed(job(SUCCEEDED)),
    ]

    assert told == [[STARTED], [], [PROGRESSED], [PROGRESSED], [FINISHED], []]


def test_a_job_that_is_first_seen_at_its_end_started_and_finished() -> None:
    story = Story()

    assert story.listed(job(FAILED)) == [STARTED, FINISHED]


@pytest.mark.parametrize("word", [RUNNING, SUCCEEDED])
def test_an_end_stands(word: JobStatus) -> None:
    story = Story()
    story.listed(job(FAILED))

    assert story.listed(job(word)) == []
    assert story.status("41") is FAILED
    assert story.listed(job(FAILED)) == []


def test_an_end_in_unknown_words_gives_way_to_a_plainer_one() -> None:
    story = Story()
    story.listed(job(JobStatus.UNKNOWN))

    assert story.listed(job(RUNNING)) == []
    assert story.listed(job(FAILED)) == [FINISHED]


def test_a_running_job_that_two_complete_lists_lack_ends_unseen() -> None:
    story = Story()
    story.listed(job())

    first, second, third = story.listed(), story.listed(), story.listed()

    assert (first, second, third) == ([], [FINISHED], [])
    assert story.status("41") is JobStatus.UNSEEN
    assert story.known.shown(T0, DAY) == []


def test_a_list_that_is_not_complete_says_nothing_of_absent_jobs() -> None:
    story = Story()
    story.listed(job())

    for _ in range(3):
        assert story.listed(complete=False) == []
    assert story.status("41") is RUNNING


def test_a_complete_list_of_one_resource_says_nothing_of_the_jobs_of_another() -> None:
    story = Story()
    story.listed(job())
    story.listed(job(FAILED, id_="c-7"), resource="changes", baseline=True)

    told = [story.listed(resource="changes", at=T0 + days * DAY) for days in range(9)]

    assert told == [[]] * 9
    assert story.status("41") is RUNNING
    assert story.status("c-7") is None  # forgotten, as by its own resource's lists


def test_a_job_kept_before_there_were_two_resources_is_one_of_jobs() -> None:
    row = {"job": {"id": "41"}, "first_seen_at": T0}
    story = Story()
    story.known.load({"41": msgspec.msgpack.encode(row)})

    told = [story.listed(resource="changes"), story.listed(), story.listed()]

    assert told == [[], [], [FINISHED]]


def test_a_job_that_was_listed_in_between_is_not_unseen() -> None:
    story = Story()

    for jobs in ([job()], [], [job()], []):
        story.listed(*jobs)

    assert story.status("41") is RUNNING


def test_an_unseen_job_that_comes_back_goes_on_and_its_failure_is_news() -> None:
    story = Story()
    story.listed(job())
    story.listed()
    story.listed()

    back, failed = story.listed(job()), story.listed(job(FAILED))

    event = story.last.events[0]
    assert (back, failed) == ([PROGRESSED], [FINISHED])
    assert isinstance(event, JobFinished)
    assert event.job.status is FAILED


def test_an_unseen_job_that_comes_back_failed_is_news() -> None:
    story = Story()
    story.listed(job())
    story.listed()
    story.listed()

    assert story.listed(job(FAILED)) == [FINISHED]


def test_an_empty_list_for_days_makes_no_old_failure_news_again() -> None:
    story = Story()
    story.listed(job(FAILED))

    for days in range(7):
        story.listed(at=T0 + timedelta(days=days))

    assert story.listed(job(FAILED), at=T0 + timedelta(days=6, hours=23)) == []


def test_an_ended_job_is_forgotten_a_week_after_it_left_the_list() -> None:
    story = Story()
    story.listed(job(FAILED))
    story.listed(job(FAILED), at=T0 + 30 * DAY)
    story.listed(at=T0 + 31 * DAY)

    story.listed(at=T0 + 31 * DAY + REMEMBERED_FOR - timedelta(seconds=1))
    assert len(story.known) == 1
    story.listed(at=T0 + 31 * DAY + REMEMBERED_FOR)

    assert len(story.known) == 0


def test_running_and_lately_ended_jobs_are_shown() -> None:
    story = Story()
    story.listed(job(id_="1"), job(FAILED, id_="2"))

    early = [each.id for each in story.known.shown(T0 + DAY / 2, DAY)]
    later = [each.id for each in story.known.shown(T0 + DAY, DAY)]

    assert (early, later) == (["1", "2"], ["1"])


def test_what_is_followed_loads_as_it_was_kept() -> None:
    story = Story()
    story.listed(job(), job(FAILED, id_="42"))
    story.listed(job())
    loaded = KnownJobs("sims")

    loaded.load({id_: msgspec.msgpack.encode(followed) for id_, followed in story.known._followed.items()})

    assert loaded._followed == story.known._followed


def test_a_row_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="job 9 of sims"):
        KnownJobs("sims").load({"9": b"\xc1"})
