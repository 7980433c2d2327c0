"""Why a deployment failed: which outputs are of one cause, and which line stands for them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.fleet.causes import causes
from fleetpulse.fleet.deployment import FailedStep


def steps(*outputs: str) -> list[FailedStep]:
    """A failed step of each of as many devices."""
    return [FailedStep(f"d-{number}", "install", output) for number, output in enumerate(outputs)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("exit status 1", "exit status 137"),
        ("needs 12.5 MB, has 1,024 kB", "needs 7 MB, has 3.5 kB"),
        ("no container 4f2a9c81be07", "no container 00ff12ab34cd"),
        ("device d-0a1b-2c3d refused", "device d-ffff-0001 refused"),
        ("job 123e4567-e89b-12d3-a456-426614174000 gone", "job 00000000-0000-0000-0000-00000000000a gone"),
        ("segfault at 0x7ffe12", "segfault at 0x0"),
        ("sh: 1: /usr/bin/python: not found", "sh: 2: /opt/python3/bin/python3: not found"),
        ("cannot open 'C:\\apps\\x.dll'", "cannot open 'D:\\y.dll'"),
        ("could not load ~/a.conf", "could not load ../etc/app/b.conf"),
        ("GET https://eu.example.org/v1/x failed", "GET https://us.example.org/pkg failed"),
        ("2026-03-02 08:00:04.123 disk full", "2026-03-02T09:10:11Z disk full"),
        ("Sun, 02 Mar 2026 08:00:04 GMT: disk full", "Monday, 13 April 2026 18:00:04 GMT: disk full"),
        ("Mar  2 08:00:04 disk full", "Nov 12 23:59:59 disk full"),
        ("at 8:05 am disk full", "at 11:15 pm disk full"),
        ("Disk  full", "disk full"),
    ],
)
def test_what_differs_everywhere_makes_no_other_cause(one: str, other: str) -> None:
    assert causes(steps(one, other)) == [(one, 2)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("disk full", "killed"),
        ("I/O error", "TCP/IP error"),
        ("bad face", "bad feed"),  # words, though of hexadecimal letters
        ("not found: python", "not found: perl"),
        ("Mars is down", "May is down"),
    ],
)
def test_what_differs_in_words_is_another_cause(one: str, other: str) -> None:
    assert causes(steps(one, other)) == [(one, 1), (other, 1)]


def test_the_most_frequent_cause_comes_first_and_the_first_of_equals() -> None:
    assert causes(steps("killed", "no route", "disk full 1", "disk full 2")) == [
        ("disk full 1", 2),
        ("killed", 1),
        ("no route", 1),
    ]


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("+ set -e\nsh: 1: python: not found\n", "sh: 1: python: not found"),
        ("compiling\nerror: no such thing\n    ^\n------\n}\n\n", "error: no such thing"),
        ("\x1b[31mdisk full\n\x1b[0m\n", "disk full"),
        ("10 %\r50 %\rdisk full", "disk full"),
        ("  \n", "install"),
        ("", "install"),
    ],
)
def test_the_last_telling_line_stands_for_the_output_and_the_name_for_none(output: str, line: str) -> None:
    assert causes(steps(output)) == [(line, 1)]


def test_a_step_without_words_is_left_out() -> None:
    assert causes([FailedStep("d-1"), FailedStep("d-2", output="---")]) == []


def test_a_device_on_which_several_steps_failed_of_one_cause_counts_once() -> None:
    failed = [FailedStep("d-1", "fetch", "disk full"), FailedStep("d-1", "install", "disk full")]

    assert causes([*failed, FailedStep("d-2", "fetch", "disk full")]) == [("disk full", 2)]


_outputs = st.lists(st.text(max_size=60) | st.text("0aF-:/\\. \n", max_size=60), max_size=8)


@given(_outputs)
def test_grouping_loses_nobody_and_invents_nothing(outputs: list[str]) -> None:
    counted = causes(steps(*outputs))

    assert sum(times for _, times in counted) == len(outputs)
    assert all(line == "install" or any(line in output for output in outputs) for line, _ in counted)
    assert [times for _, times in counted] == sorted((times for _, times in counted), reverse=True)


@given(st.text("ab: 7-/.", max_size=40).map(lambda text: f"x {text}"), st.sampled_from(string.digits))
def test_another_digit_is_no_other_cause(output: str, digit: str) -> None:
    assert len(causes(steps(output, output.replace("7", digit)))) == 1


@pytest.mark.parametrize("piece", ["a", "0", "a/", "-", "0a-", "\\", "mon ", "1-", "\x1b["])
def test_a_hostile_output_is_grouped_in_time(piece: str) -> None:
    output = f"x{piece * 200_000}!"

    assert len(causes(steps(output, output))) == 1
