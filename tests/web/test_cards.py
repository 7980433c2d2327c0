from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.web.cards import cards, natural
from web.house import alert

GROUPS = st.lists(st.sampled_from(["Lyon", "Nice", ""]), max_size=40)


@given(GROUPS, st.integers(min_value=1, max_value=4))
def test_grouping_loses_no_alert(groups: list[str], most: int) -> None:
    alerts = [alert(f"d-{number}", group=group) for number, group in enumerate(groups)]

    shown, beyond = cards(alerts, most=most)

    assert len(shown) + beyond == len(set(groups))
    assert sum(card.alerts for card in shown) == len(alerts) or beyond
    assert all(len({*card.anchors, *(e.fingerprint for e in card.entries)}) == card.alerts for card in shown)


def test_numbers_in_names_are_sorted_by_their_value() -> None:
    names = ["gate-10", "gate-9", "Gate-08", "gate", "9", "gate-9b", "", "gate-2 (3)", "7" * 9000]

    assert sorted(names, key=natural) == [
        "",
        "9",
        "7" * 9000,
        "gate",
        "gate-2 (3)",
        "Gate-08",
        "gate-9",
        "gate-9b",
        "gate-10",
    ]
