"""What a refusal means where the body alone tells it, and ids that must not lead to another path."""

import pytest

from fleetpulse.vendors.contract import CredentialsRejected, RateLimited, ResourceUnavailable, SourceError
from fleetpulse.vendors.wire import Refusals, segment

REFUSALS = Refusals(
    by_status={503: ResourceUnavailable},
    by_text=(("slow", RateLimited),),
    by_body=lambda body: CredentialsRejected if b"no" in body else None,
)


@pytest.mark.parametrize(
    ("status", "text", "body", "meaning"),
    [
        (200, "", b"no", CredentialsRejected),
        (500, "", b"no", CredentialsRejected),
        (400, "", b"no", CredentialsRejected),
        (503, "", b"no", ResourceUnavailable),
        (500, "go slow", b"no", RateLimited),
        (404, "", b"yes", ResourceUnavailable),
    ],
)
def test_a_body_is_judged_after_text_and_status_and_before_the_common_table(
    status: int, text: str, body: bytes, meaning: type[SourceError]
) -> None:
    assert REFUSALS.meaning(status, text, cursor=True, body=body) is meaning


@pytest.mark.parametrize(
    ("value", "quoted"), [("d-1", "d-1"), ("a/b?c", "a%2Fb%3Fc"), ("...", "..."), ("\ud800", "%3F")]
)
def test_a_segment_stays_one_segment(value: str, quoted: str) -> None:
    assert segment(value) == quoted


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_segment_that_would_lead_elsewhere_names_nothing(value: str) -> None:
    with pytest.raises(ResourceUnavailable):
        segment(value)
