from datetime import timedelta

import pytest

from fleetpulse.web.ages import age
from web.house import T0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 days")],
)
def test_an_age_is_told_in_one_unit(seconds: int, text: str) -> None:
    assert age(T0, now=T0 + timedelta(seconds=seconds)) == text
