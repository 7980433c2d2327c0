from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.metrics.allowance import fitting

ASPECTS = 3
FLEETS = st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(0, 50), min_size=ASPECTS, max_size=ASPECTS))


def fits(samples: list[int], *, most: int = 100, shown: int = ASPECTS) -> int:
    return fitting({"edge": samples}, most=most, shown={"edge": shown})["edge"]


def test_everything_fits_up_to_the_limit() -> None:
    assert fits([40, 40, 20]) == 3


def test_the_last_goes_first() -> None:
    assert fits([40, 40, 21]) == 2


def test_none_fits_when_the_first_is_too_many() -> None:
    assert fits([101, 0, 0]) == 0


def test_what_went_returns_only_with_a_tenth_to_spare() -> None:
    assert fits([40, 40, 15], shown=2) == 2
    assert fits([40, 40, 10], shown=2) == 3


def test_a_small_source_does_not_pay_for_a_large_one() -> None:
    samples = {"large": [101, 101, 101], "small": [5, 5, 5]}

    assert fitting(samples, most=100, shown={"large": 3, "small": 3}) == {"large": 0, "small": 3}


def test_sources_alike_in_size_pay_alike() -> None:
    samples = {name: [20, 20, 20] for name in ("a", "b")}

    assert fitting(samples, most=80, shown={"a": 3, "b": 3}) == {"a": 2, "b": 2}


@given(FLEETS, st.integers(0, 300), st.data())
def test_what_is_shown_fits_and_stays_so(samples: dict[str, list[int]], most: int, data: st.DataObject) -> None:
    before = {source: data.draw(st.integers(0, ASPECTS)) for source in samples}

    after = fitting(samples, most=most, shown=before)

    assert sum(sum(numbers[: after[source]]) for source, numbers in samples.items()) <= most
    assert fitting(samples, most=most, shown=after) == after
