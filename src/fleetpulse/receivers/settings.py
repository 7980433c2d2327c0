"""What every `[[receivers]]` entry holds; each kind adds its own."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from fleetpulse.durations import RequestRate


class ReceiverSettings(BaseModel):
    """One `[[receivers]]` entry.

    A kind's own settings class narrows `kind` to its literal and adds its fields, each with a `description`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file_checks: ClassVar[Mapping[str, Callable[[str], str]]] = {}
    """By field: what is wrong with what its file holds, as `problems` says it; empty where it is fine."""

    name: str = Field(
        min_length=1,
        max_length=100,
        description="The receiver's name: what routes, metrics and the outbox call it.",
    )
    kind: str = Field(description="What it is: slack or webhook.")
    send_resolved: bool = Field(default=True, description="Whether it is told of ends too, not only of beginnings.")
    rate: RequestRate | None = Field(
        default=None,
        description="Messages at most in a period, like 1/s; without it as fast as the receiver answers.",
    )

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong in meaning, as (field, text that says the cure); an empty field speaks of the whole entry."""
        return []
