"""What every `[[sources]]` entry may say; each vendor's own settings add to it."""

import hashlib
import json
import ssl
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fleetpulse.alerting.labels import label_problem
from fleetpulse.durations import Duration, RequestRate, parse_duration
from fleetpulse.vendors.contract import Kind, Resource


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


def _authorities_problem(pem: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cadata=pem.encode("ascii", errors="ignore").decode()  # comments between certificates may hold anything
        )
    except (ssl.SSLError, ValueError):  # ValueError: nothing at all
        return "are no certificates in PEM"
    return ""


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
    bans: ClassVar[bool] = False
    """Whether the vendor threatens to ban who asks too often, so that nobody may ask beside a running service."""
    offline_for: ClassVar[timedelta | None] = timedelta(minutes=5)
    """How long a device of this vendor is offline before that is trouble; None: being offline is none by itself."""
    silent_after: ClassVar[timedelta | None] = None
    """How long a device may be silent, where being offline is healthy (a sleeping laptop, a SIM without a session)."""
    missing_hint: ClassVar[str] = ""
    """Why a device of this vendor may be missing and well all the same: what the message of a missing one adds."""
    scoped_by: ClassVar[tuple[str, ...]] = ()
    """The fields that say, beside the address, which part of the account is watched."""
    file_checks: ClassVar[Mapping[str, Callable[[str], str]]] = {"ca_file": _authorities_problem}
    """By field: what is wrong with what its file holds, as `problems` says it; empty where it is fine."""

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

    def requests_of(self, resource: str, devices: int) -> int:
        """How many requests a sweep of a resource takes for a fleet of so many devices, as far as one can foretell.

        Enrolments are asked for the few devices that are pending or new: how many those are shows in the first sweep.
        """
        kind = self.resources[resource]
        if kind.kind is Kind.ENROLMENTS:
            return 1
        return kind.requests(devices if kind.kind is Kind.DEVICES or kind.per_device else 0)

    def scope(self) -> str:
        """A fingerprint of what the source looks at; where it differs, another fleet is watched under the same name."""
        place = urlsplit(self.base_url)
        fields = {name: getattr(self, name) for name in self.scoped_by}
        listed = {name: sorted(value) if isinstance(value, list) else value for name, value in fields.items()}
        told = json.dumps([self.vendor, place.netloc, place.path, listed], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong in meaning, as (field, text); never the value of a secret."""
        return [
            *self._credential_problems(),
            *((f"labels.{name}", text) for name in self.labels if (text := _label_problem(name))),
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
    return "is given by rules: a source has none of its own" if name == "severity" else label_problem(name)
