"""What a `hologram` source may say."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from fleetpulse.durations import Duration, Rate, RequestRate, parse_duration
from fleetpulse.vendors.contract import Kind, Resource
from fleetpulse.vendors.settings import BaseUrl, SourceSettings


class HologramSettings(SourceSettings):
    """One account, or one organisation of it, at Hologram."""

    credential: ClassVar[str] = "api_key"
    resources: ClassVar[Mapping[str, Resource]] = {
        "devices": Resource(kind=Kind.DEVICES, interval=timedelta(seconds=60), census=True, rows_a_request=500),
        "jobs": Resource(kind=Kind.JOBS, interval=timedelta(seconds=60)),
        "changes": Resource(kind=Kind.JOBS, interval=timedelta(minutes=5), rows_a_request=500),
    }
    in_flight: ClassVar[int] = 1  # requests of one key should be serial
    offline_for: ClassVar[timedelta | None] = None  # a device that sleeps has no session, and is healthy
    silent_after: ClassVar[timedelta | None] = timedelta(hours=24)
    scoped_by: ClassVar[tuple[str, ...]] = ("org_id",)

    vendor: Literal["hologram"] = Field(default="hologram", description="Hologram, REST API v1.")
    base_url: BaseUrl = Field(
        default="https://dashboard.hologram.io/api/1", description="Where Hologram's API is, up to its version."
    )
    request_rate: RequestRate = Field(
        default=Rate(1, 1.0), description="The most requests the account may see, evenly spaced."
    )
    timeout: Duration = Field(
        default=parse_duration("120s"), description="How long one request may take; heavy lists need over 30s."
    )
    api_key: SecretStr | None = Field(default=None, description="The API key, from the dashboard's account settings.")
    api_key_file: Path | None = Field(
        default=None, description="A file that holds the API key alone; read again when it changes."
    )
    org_id: int | None = Field(
        default=None, gt=0, description="Only this organisation; all that the key reaches where it is not given."
    )
