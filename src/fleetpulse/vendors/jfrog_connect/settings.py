"""What a `jfrog-connect` source may say."""

import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from fleetpulse.durations import Rate, RequestRate
from fleetpulse.vendors.contract import Kind, Resource
from fleetpulse.vendors.settings import BaseUrl, SourceSettings


class JFrogConnectSettings(SourceSettings):
    """One project (fleet) at JFrog Connect, API v2."""

    credential: ClassVar[str] = "token"
    resources: ClassVar[Mapping[str, Resource]] = {
        "devices": Resource(kind=Kind.DEVICES, interval=timedelta(seconds=60), census=True, rows_a_request=1000),
        "deployments": Resource(kind=Kind.DEPLOYMENTS, interval=timedelta(minutes=2), rows_a_request=1000),
        "tunnels": Resource(kind=Kind.TUNNELS, interval=timedelta(minutes=2)),
        "flows": Resource(kind=Kind.FLOWS, interval=timedelta(hours=1), rows_a_request=1000),
    }
    scoped_by: ClassVar[tuple[str, ...]] = ("project_key", "groups", "tags")

    vendor: Literal["jfrog-connect"] = Field(default="jfrog-connect", description="JFrog Connect, API v2.")
    base_url: BaseUrl = Field(
        default="https://api.connect.jfrog.io", description="Where JFrog Connect is; the paths /api/v2/... follow it."
    )
    request_rate: RequestRate = Field(
        default=Rate(5, 1.0), description="The most requests the account may see, evenly spaced."
    )
    project_key: str = Field(
        min_length=1, max_length=200, description="The project's (fleet's) key, from its settings."
    )
    token: SecretStr | None = Field(default=None, description="The access token, made in JFrog Connect's web UI.")
    token_file: Path | None = Field(
        default=None, description="A file that holds the token alone; read again when it changes."
    )
    groups: list[str] = Field(default=[], description="Only the devices of these groups; all where it is empty.")
    tags: list[str] = Field(default=[], description="Only devices that have one of these tags; all where it is empty.")
    detail_flag: str = Field(
        default="enrich_info",
        pattern=r"^[A-Za-z0-9_.-]{0,64}$",
        description="The query flag by which one device's detail tells its tags; empty sends none.",
    )

    def requests_of(self, resource: str, devices: int) -> int:
        """As for any source, but each configured group is walked by itself; equal groups are assumed."""
        if self.resources[resource].kind is not Kind.DEVICES or not self.groups:
            return super().requests_of(resource, devices)
        return len(self.groups) * super().requests_of(resource, math.ceil(devices / len(self.groups)))

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong in meaning, as (field, text)."""
        return [
            *super().problems(),
            *(
                (field, "holds an empty name")
                for field in ("groups", "tags")
                if any(not name.strip() for name in getattr(self, field))
            ),
            *(
                (field, "names one of them twice")
                for field in ("groups", "tags")
                if len(set(getattr(self, field))) < len(getattr(self, field))
            ),
        ]
