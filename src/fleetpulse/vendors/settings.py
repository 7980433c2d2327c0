"""What every `[[sources]]` entry may say; each vendor's own settings add to it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fleetpulse.durations import Duration, RequestRate, parse_duration
from fleetpulse.vendors.contract import Resource

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_SCRAPE_LABELS = frozenset({"job", "instance", "namespace", "pod", "container", "service", "endpoint", "node", "le"})
_OUR_LABELS = frozenset(
    {"alertname", "severity", "source", "vendor", "device", "deployment", "bulk_job", "tunnel", "resource", "group"}
)


def _http_url(value: str) -> str:
    parts = urlsplit(value)  # its ValueError (a broken IPv6 address, say) is a settings error as it stands
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = "is not a URL: write it like https://api.example.com"
        raise ValueError(msg)
    _ = parts.port  # raises ValueError for a port that is none
    return value


def _base_url(value: str) -> str:
    parts = urlsplit(_http_url(value))
    if parts.username is not None or parts.query or parts.fragment:
        msg = "takes no user, query or fragment: credentials have settings of their own"
        raise ValueError(msg)
    return value.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_base_url)]
"""An http or https URL without credentials, kept without its trailing slash."""
ProxyUrl = Annotated[str, AfterValidator(_http_url)]


class SourceSettings(BaseModel):
    """One account at one vendor.

    Shape is checked by pydantic, meaning by `problems`: pydantic skips its model validators when any field failed, and
    people should learn of everything at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    credential: ClassVar[str]
    """The name of the field that holds the secret; its file is the field of that name with `_file`."""
    resources: ClassVar[Mapping[str, Resource]]
    """What can be swept, by the keys that `sweep` may have, the main one first."""
    in_flight: ClassVar[int] = 4
    """How many requests the vendor bears at once."""

    name: str = Field(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$",
        description="How the source is called in labels, messages and on the command line.",
    )
    vendor: str = Field(description="Which vendor's API this is.")
    base_url: BaseUrl = Field(description="Where the API is, without the path of any resource.")
    labels: dict[str, str] = Field(
        default={}, description="Labels that every alert of this source carries, for routes and silences to match."
    )
    enabled: bool = Field(default=True, description="Whether the source is swept at all.")
    interval: Duration = Field(
        default=parse_duration("60s"), description="How often the main resource is swept, from start to start."
    )
    sweep: dict[str, Duration] = Field(default={}, description="Intervals of single resources, by their name.")
    request_rate: RequestRate = Field(
        description="The most requests the account may see, evenly spaced; sources that share a key share the smaller."
    )
    stale_after: Duration | None = Field(
        default=None,
        description="How old the last good sweep may grow before the state counts as stale; "
        "three times the live interval, at least 10m, where it is not given.",
    )
    forget_after: Duration = Field(
        default=parse_duration("7d"), description="How long a missing device is remembered and shown."
    )
    deployments_since: Duration = Field(
        default=parse_duration("30d"), description="How old a deployment may be to be followed still."
    )
    timeout: Duration = Field(
        default=parse_duration("30s"), description="How long one request may take, from connecting to the last byte."
    )
    ca_file: Path | None = Field(
        default=None, description="A PEM file of the authorities to trust instead of the system's."
    )
    proxy: ProxyUrl | None = Field(
        default=None, repr=False, description="An http proxy to go through; it may carry a user and password."
    )

    def interval_of(self, resource: str) -> timedelta:
        """How often a resource is swept: as `sweep` says, else `interval` for the main one, else its default."""
        main = next(iter(self.resources))
        return self.sweep.get(resource, self.interval if resource == main else self.resources[resource].interval)

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong in meaning, as (field, text); never the value of a secret."""
        return [
            *self._credential_problems(),
            *(("labels", text) for name in self.labels if (text := _label_problem(name))),
            *self._sweep_problems(),
            *(
                (field, "must be longer than nothing")
                for field in ("interval", "timeout", "forget_after", "stale_after")
                if (value := getattr(self, field)) is not None and not value
            ),
        ]

    def _credential_problems(self) -> list[tuple[str, str]]:
        inline, file = getattr(self, self.credential), getattr(self, f"{self.credential}_file")
        if inline is not None and file is not None:
            return [(self.credential, f"is given twice: as {self.credential} and as {self.credential}_file")]
        if inline is None and file is None:
            return [(self.credential, f"is missing: give {self.credential}_file, or {self.credential}")]
        if inline is not None and not inline.get_secret_value().strip():
            return [(self.credential, "is empty")]
        return []

    def _sweep_problems(self) -> list[tuple[str, str]]:
        known = ", ".join(self.resources)
        return [
            *(
                ("sweep", f"has no resource {resource!r} at this vendor: there are {known}")
                for resource in self.sweep
                if resource not in self.resources
            ),
            *(
                ("sweep", f"{resource} must be longer than nothing")
                for resource, every in self.sweep.items()
                if not every
            ),
        ]


def _label_problem(name: str) -> str:
    if not _LABEL_NAME.fullmatch(name):
        return f"{name!r} is no label name: letters, digits and _ only, no digit first"
    if name in _SCRAPE_LABELS or name.startswith(("exported_", "__")):
        return f"{name!r} is a name that Prometheus would change at the scrape"
    if name in _OUR_LABELS:
        return f"{name!r} is a label that fleetpulse sets itself"
    return ""
