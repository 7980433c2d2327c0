"""What a `jfrog-connect` source may say."""

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
        "devices": Resource(Kind.DEVICES, timedelta(seconds=60), census=True),
        "deployments": Resource(Kind.DEPLOYMENTS, timedelta(minutes=2)),
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
        default=None, description="A file that holds the token alone; read again when the vendor refuses the old one."
    )
    groups: list[str] = Field(default=[], description="Only the devices of these groups; all where it is empty.")
    tags: list[str] = Field(default=[], description="Only devices that have one of these tags; all where it is empty.")

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
