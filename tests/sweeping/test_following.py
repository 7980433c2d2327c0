"""What is shown of followed things, and when."""

from datetime import UTC, datetime

from fleetpulse.fleet.deployment import Deployment
from fleetpulse.fleet.deployments import DeploymentChanges, Followed
from fleetpulse.fleet.source import SourceRecord
from fleetpulse.sweeping.following import Following

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def test_all_is_shown_again_where_something_changed_or_a_sweep_ended() -> None:
    accepted: list[DeploymentChanges] = []
    shown: list[int] = []
    following = Following("deployment", accept=accepted.append, show=lambda: shown.append(len(accepted)))
    followed = Followed(deployment=Deployment(id="dp-1"), first_seen_at=T0, progressed_at=T0)

    following.entry(DeploymentChanges(told=frozenset({"dp-1"}))).accept()
    following.entry(DeploymentChanges(followed={"dp-1": followed})).accept()
    following.entry(DeploymentChanges(), record=SourceRecord("edge", "scalepad")).accept()

    assert len(accepted) == 3
    assert shown == [2, 3]
