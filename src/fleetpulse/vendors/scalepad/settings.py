"""What a `scalepad` source may say."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr

from fleetpulse.durations import Duration, Rate, RequestRate, parse_duration
from fleetpulse.vendors.contract import Kind, Resource
from fleetpulse.vendors.settings import SourceSettings


def _uuid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        msg = "is not a UUID: write it like 0b7e7c1e-2b54-4d0e-9c51-5f3f8a1d2c10"
        raise ValueError(msg) from None


UuidText = Annotated[str, AfterValidator(_uuid)]
"""A UUID in its usual spelling: lower case, with hyphens."""


class ScalePadSettings(SourceSettings):
    """One client organisation at ScalePad AMM, API v2."""

    credential: ClassVar[str] = "token"
    resources: ClassVar[Mapping[str, Resource]] = {
        "devices": Resource(
            kind=Kind.DEVICES,
            interval=timedelta(seconds=60),
            census=True,
            rows_a_request=500,
            whole_every=timedelta(minutes=10),
        ),
        "summary": Resource(kind=Kind.SUMMARY, interval=timedelta(minutes=5)),
        "enrolments": Resource(kind=Kind.ENROLMENTS, interval=timedelta(hours=1), per_device=True),
    }
    offline_for: ClassVar[timedelta | None] = None  # a laptop that is asleep is healthy
    silent_after: ClassVar[timedelta | None] = timedelta(days=14)  # longer than most holidays of its owner
    scoped_by: ClassVar[tuple[str, ...]] = ("client_id", "status", "os_name", "user_id", "q")

    vendor: Literal["scalepad"] = Field(default="scalepad", description="ScalePad AMM, API v2.")
    request_rate: RequestRate = Field(
        default=Rate(8, 1.0),  # under the 50 in 5 s of the same company's other API; this one's limit is not documented
        description="The most requests the account may see, evenly spaced.",
    )
    client_id: UuidText = Field(description="The UUID of the client organisation whose devices are watched.")
    token: SecretStr | None = Field(default=None, description="The API token.")
    token_file: Path | None = Field(
        default=None, description="A file that holds the token alone; read again when it changes."
    )
    offline_after: Duration = Field(
        default=parse_duration("15m"), description="How old a device's last heartbeat may be while it counts as online."
    )
    status: Literal["active", "inactive", "pending"] | None = Field(
        default=None, description="Only devices to which the vendor gives this status; all where it is not given."
    )
    os_name: str | None = Field(
        default=None, min_length=1, max_length=200, description="Only devices with this operating system, as in macOS."
    )
    user_id: UuidText | None = Field(default=None, description="Only the devices of the user with this UUID.")
    q: str | None = Field(
        default=None, min_length=1, max_length=200, description="Only devices whose name contains this, in any case."
    )

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong in meaning, as (field, text)."""
        return [
            *super().problems(),
            *([("offline_after", "must be longer than nothing")] if not self.offline_after else ()),
        ]
