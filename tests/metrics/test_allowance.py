from fleetpulse.metrics.allowance import fitting

ASPECTS = ("up", "info", "cpu")


def test_everything_fits_up_to_the_limit() -> None:
    assert fitting(ASPECTS, {"up": 40, "info": 40, "cpu": 20}, most=100, shown=3) == 3


def test_the_last_goes_first() -> None:
    assert fitting(ASPECTS, {"up": 40, "info": 40, "cpu": 21}, most=100, shown=3) == 2


def test_none_fits_when_the_first_is_too_many() -> None:
    assert fitting(ASPECTS, {"up": 101, "info": 0, "cpu": 0}, most=100, shown=3) == 0


def test_what_went_returns_only_with_a_tenth_to_spare() -> None:
    assert fitting(ASPECTS, {"up": 40, "info": 40, "cpu": 15}, most=100, shown=2) == 2
    assert fitting(ASPECTS, {"up": 40, "info": 40, "cpu": 10}, most=100, shown=2) == 3
