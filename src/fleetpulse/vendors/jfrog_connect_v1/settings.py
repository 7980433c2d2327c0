"""What a `jfrog-connect-v1` source may say."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from fleetpulse.durations import Rate, RequestRate
from fleetpulse.vendors.contract import Kind, Resource
from fleetpulse.vendors.settings import BaseUrl, SourceSettings

PAGE_ROWS = 50  # the most the vendor gives
_NAME_LIMIT = 200


class JFrogConnectV1Settings(SourceSettings):
    """One account, or one project or group of it, at JFrog Connect, API v1."""

    credential: ClassVar[str] = "user_token"
    resources: ClassVar[Mapping[str, Resource]] = {
        "states": Resource(kind=Kind.DEVICES, interval=timedelta(seconds=60), census=True, rows_a_request=PAGE_ROWS),
        "details": Resource(kind=Kind.DEVICES, interval=timedelta(hours=1), rows_a_request=PAGE_ROWS),
    }
    in_flight: ClassVar[int] = 1  # three calls a minute leave nothing to be done side by side
    bans: ClassVar[bool] = True
    missing_hint: ClassVar[str] = "API v1 does not list devices whose agent is 7.0 or later: watch those through API v2"
    scoped_by: ClassVar[tuple[str, ...]] = ("project", "group")

    vendor: Literal["jfrog-connect-v1"] = Field(default="jfrog-connect-v1", description="JFrog Connect, API v1.")
    base_url: BaseUrl = Field(
        default="https://api.connect.jfrog.io", description="Where JFrog Connect is; the paths /v1/... follow it."
    )
    request_rate: RequestRate = Field(
        default=Rate(3, 60.0), description="The most requests the account may see; the vendor bans beyond 3/m."
    )
    user_token: SecretStr | None = Field(
        default=None, description="The account's token for API v1, from the web UI's settings."
    )
    user_token_file: Path | None = Field(
        default=None, description="A file that holds the token alone; read again when it changes."
    )
    project: str | None = Field(
        default=None, max_length=_NAME_LIMIT, description="Only this project, spelled as in the web UI."
    )
    group: str | None = Field(
        default=None, max_length=_NAME_LIMIT, description="Only this group of the project, spelled as in the web UI."
    )

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong in meaning, as (field, text)."""
        return [
            *super().problems(),
            *(
                (field, "is empty")
                for field in ("project", "group")
                if (name := getattr(self, field)) is not None and not name.strip()
            ),
            *(
                [("group", "works only with project: the vendor ignores a group alone")]
                if self.group is not None and self.project is None
                else []
            ),
        ]
