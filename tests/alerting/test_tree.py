"""Promises of the routing tree: what routes inherit, which take an alert, and how the tree reads."""

import string
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.alerting.matchers import Matcher, Operator
from fleetpulse.alerting.routes import Route, group_key, spell
from fleetpulse.alerting.settings import RouteSettings
from fleetpulse.alerting.tree import describe_routes, route_of

TREE = {
    "receiver": "ops",
    "group_wait": "10s",
    "routes": [
        {
            "matchers": ['severity="critical"'],
            "receiver": "oncall",
            "group_by": ["source"],
            "routes": [{"matchers": ["team=edge", 'group=~"Lyon.*"'], "repeat_interval": "1h"}],
        },
        {"matchers": ["severity=critical"], "continue": True},
        {"receiver": "audit"},
    ],
}


def tree(**settings: object) -> Route:
    return route_of(RouteSettings.model_validate(settings or TREE), ["ops", "oncall", "audit"])


def test_a_route_inherits_what_it_does_not_say() -> None:
    root, critical, lyon, *_ = tree().walk()

    assert (root.group_by, root.group_interval) == (("alertname", "source", "group"), timedelta(minutes=5))
    assert (critical.receiver, critical.group_by, critical.group_wait) == (
        "oncall",
        ("source",),
        timedelta(seconds=10),
    )
    assert (lyon.receiver, lyon.group_by, lyon.repeat_interval) == ("oncall", ("source",), timedelta(hours=1))


def test_matchers_and_continue_are_not_inherited() -> None:
    root = tree(routes=[{"matchers": ["a=b"], "continue": True, "routes": [{}]}])

    below = root.routes[0].routes[0]

    assert (below.matchers, below.continue_) == ((), False)


def test_keys_are_spelt_as_alertmanager_does_and_differ_even_where_siblings_match_alike() -> None:
    assert [route.key for route in tree().walk()] == [
        "{}",
        '{}/{severity="critical"}',
        '{}/{severity="critical"}/{group=~"Lyon.*",team="edge"}',
        '{}/{severity="critical"}#2',
        "{}/{}",
    ]


@pytest.mark.parametrize(("receivers", "told"), [([], ""), (["ops"], "ops")])
def test_a_route_may_be_left_out_where_there_is_one_receiver(receivers: list[str], told: str) -> None:
    left_out, silent = route_of(None, receivers), route_of(RouteSettings(group_wait=timedelta()), receivers)

    assert (left_out.receiver, silent.receiver) == (told, told)
    assert left_out == Route(key="{}", receiver=told)


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"severity": "critical", "team": "edge", "group": "Lyon 2"}, ["oncall/lyon"]),
        ({"severity": "critical"}, ["oncall"]),
        ({"severity": "warning"}, ["ops", "audit"]),
        ({"severity": "info"}, ["audit"]),
    ],
)
def test_the_deepest_route_takes_an_alert_and_siblings_after_it_only_by_continue(
    labels: dict[str, str], receivers: list[str]
) -> None:
    root = tree(
        receiver="nobody",
        routes=[
            {
                "matchers": ["severity=critical"],
                "receiver": "oncall",
                "routes": [{"matchers": ['group=~"Lyon.*"'], "receiver": "oncall/lyon"}],
            },
            {"matchers": ["severity=warning"], "receiver": "ops", "continue": True},
            {"receiver": "audit"},
        ],
    )

    assert [route.receiver for route in root.matching(labels)] == receivers


def test_the_root_takes_what_no_other_route_does() -> None:
    root = tree(receiver="ops", routes=[{"matchers": ["severity=critical"], "receiver": "oncall"}])

    assert [route.receiver for route in root.matching({"severity": "info"})] == ["ops"]


def test_every_label_in_group_by_makes_a_group_each() -> None:
    labels = {"device": "d-1", "source": "edge-prod"}

    assert tree(receiver="ops", group_by=["..."]).group_labels(labels) == labels
    assert tree(receiver="ops", group_by=[]).group_labels(labels) == {}


def test_the_tree_reads_as_one() -> None:
    assert describe_routes(tree()).splitlines() == [
        (
            "everything -> ops  (group_by [alertname, source, group], group_wait 10s, group_interval 5m, "
            "repeat_interval 4h)"
        ),
        '  severity="critical" -> oncall  (group_by [source])',
        '    team="edge", group=~"Lyon.*" -> oncall  (repeat_interval 1h)',
        '  severity="critical" -> ops  (continue)',
        "  everything -> audit",
    ]


def test_the_tree_says_that_nobody_is_told() -> None:
    assert describe_routes(route_of(None, [])).startswith("everything -> nobody: there is no receiver")


LABELS = st.dictionaries(
    st.text(string.ascii_lowercase, min_size=1, max_size=3), st.text('ab",={}\\\n', max_size=4), max_size=4
)


@given(LABELS, LABELS)
def test_groups_are_the_same_only_for_the_same_labels(one: dict[str, str], other: dict[str, str]) -> None:
    assert (spell(one) == spell(other)) is (one == other)


def test_the_order_of_labels_makes_no_other_group() -> None:
    route = Route(key="{}", receiver="ops", matchers=(Matcher("a", Operator.EQUAL, "b"),))

    assert group_key(route, {"a": "1", "b": "2"}) == group_key(route, {"b": "2", "a": "1"}) == '{}:{a="1", b="2"}'
