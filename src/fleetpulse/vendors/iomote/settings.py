"""What an `iomote` source may say."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from fleetpulse.durations import Duration, Rate, RequestRate, parse_duration
from fleetpulse.vendors.contract import Kind, Resource
from fleetpulse.vendors.settings import BaseUrl, SourceSettings


class IomoteSettings(SourceSettings):
    """One account at Iomote MyMote."""

    credential: ClassVar[str] = "api_key"
    resources: ClassVar[Mapping[str, Resource]] = {
        "devices": Resource(kind=Kind.DEVICES, interval=timedelta(minutes=5), census=True),
        "stats": Resource(kind=Kind.READINGS, interval=timedelta(hours=6), per_device=True),
        "groups": Resource(kind=Kind.GROUPS, interval=timedelta(hours=1)),
    }
    offline_for: ClassVar[timedelta | None] = timedelta(minutes=10)  # its word on a connection is up to five old
    scoped_by: ClassVar[tuple[str, ...]] = ("user_id",)

    vendor: Literal["iomote"] = Field(default="iomote", description="Iomote MyMote, REST API.")
    base_url: BaseUrl = Field(
        description="Where the API is; the paths /api/user/... follow it. The vendor names no host: no default."
    )
    interval: Duration = Field(
        default=parse_duration("5m"),
        description="How often the device list is read; the vendor itself is up to five minutes behind.",
    )
    request_rate: RequestRate = Field(
        default=Rate(1, 1.0), description="The most requests the account may see, evenly spaced."
    )
    user_id: str = Field(min_length=1, max_length=200, description="The UserID, from the account's profile page.")
    api_key: SecretStr | None = Field(default=None, description="The API key, from the account's profile page.")
    api_key_file: Path | None = Field(
        default=None, description="A file that holds the API key alone; read again when it changes."
    )
    path_id: Literal["device_id", "id"] | None = Field(
        default=None,
        description="Which of a device's two ids its own endpoints take; tried out, device_id first, where not given.",
    )
