"""Promises of label names."""

import pytest

from fleetpulse.alerting.labels import label_problem


@pytest.mark.parametrize("name", ["team", "severity", "site_2", "_x", "Job"])
def test_an_own_name_is_free(name: str) -> None:
    assert not label_problem(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("job", "Prometheus"),
        ("le", "Prometheus"),
        ("exported_team", "Prometheus"),
        ("__name__", "Prometheus"),
        ("alertname", "every alert gets"),
        ("bulk_job", "every alert gets"),
        ("tag", "matchers"),
        ("2nd", "no label name"),
        ("a b", "no label name"),
        ("", "no label name"),
        ("équipe", "no label name"),
    ],
)
def test_a_name_that_is_taken_says_why(name: str, why: str) -> None:
    assert why in label_problem(name)
