"""All settings, as one frozen tree: what config.toml holds, and the environment for its plain tables."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fleetpulse.alerting.settings import RouteSettings, RuleSettings
from fleetpulse.durations import Duration
from fleetpulse.receivers.settings import ReceiverSettings
from fleetpulse.service.catalogue import RECEIVERS, VENDORS
from fleetpulse.vendors.settings import SourceSettings
from fleetpulse.web.address import Address, parse_listen

_TABLE = ConfigDict(extra="forbid", frozen=True)
SQLITE: Final = "sqlite:///"
SHORTEST_TOKEN: Final = 16

Problems = list[tuple[str, str]]
PerDevice = Literal["up", "info", "last_seen", "cpu", "memory", "disk", "updates_blocked", "traffic"]


class OneOf:
    """Chooses an entry's settings class by the entry's own word, from the catalogue's rows."""

    def __init__(self, key: str, classes: Mapping[str, type[BaseModel]]) -> None:
        self.key = key
        self.classes = classes

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {word: handler.generate_schema(kind) for word, kind in self.classes.items()}
        return core_schema.tagged_union_schema(choices, discriminator=self.key)


def _token_problem(text: str) -> str:
    token = text.strip()
    if len(token) < SHORTEST_TOKEN:
        return f"has fewer than {SHORTEST_TOKEN} characters: make one with `openssl rand -hex 32`"
    if not (token.isascii() and token.isprintable()) or " " in token:
        return "is no token: one line of letters and digits"
    return ""


class HttpSettings(BaseModel):
    """`[http]`: where people, Prometheus and Kubernetes reach the service."""

    model_config = _TABLE

    file_checks: ClassVar[Mapping[str, Callable[[str], str]]] = {
        "token_file": _token_problem,
        "read_token_file": _token_problem,
    }
    """By field: what is wrong with what its file holds, as `problems` says it; empty where it is fine."""

    listen: str = Field(
        default="127.0.0.1:9720",
        description="Address and port to listen on; :9720 is every address, port 0 takes a free one.",
    )
    external_url: Annotated[str, AfterValidator(lambda url: url.rstrip("/"))] = Field(
        default="", description="Where people reach the service with a browser; without it messages carry no links."
    )
    token_file: Path | None = Field(
        default=None,
        description="The bearer token of those who may change anything; without it one is made beside the journal.",
    )
    read_token_file: Path | None = Field(
        default=None,
        description="A bearer token that reading needs, /metrics and the pages included; without it reading is free.",
    )
    timezone: str = Field(default="UTC", description="The zone of times that people read, like Europe/Paris.")

    @property
    def address(self) -> Address:
        """What `listen` says.

        Errors: ValueError with the cure, where it is no address.
        """
        return parse_listen(self.listen)

    def problems(self) -> Problems:
        """What is wrong in meaning, as (key, text that says the cure)."""
        found: Problems = []
        try:
            _ = self.address
        except ValueError as error:
            found.append(("listen", str(error)))
        if self.external_url and not _is_plain_url(self.external_url):
            found.append(
                ("external_url", "must be a URL like https://fleetpulse.example.com, without user, query or fragment")
            )
        if self.read_token_file is not None and self.read_token_file == self.token_file:
            found.append(("read_token_file", "must be another file than token_file: who may read may not change"))
        if not _is_timezone(self.timezone):
            found.append(("timezone", "must be a zone this machine knows, like UTC or Europe/Paris"))
        return found


class JournalSettings(BaseModel):
    """`[journal]`: what survives a restart."""

    model_config = _TABLE

    url: str = Field(
        default="sqlite:///fleetpulse.db",
        description="The journal's file as sqlite:///PATH, with a fourth slash for an absolute path; on a local disk.",
    )
    retention: Duration = Field(default=timedelta(days=30), description="How long events and notifications are kept.")
    max_events: int = Field(
        default=500_000, ge=1_000, le=100_000_000, description="How many events are kept at most, whatever their age."
    )

    def problems(self) -> Problems:
        """What is wrong in meaning, as (key, text that says the cure)."""
        found: Problems = []
        if self.retention < timedelta(hours=1):
            found.append(("retention", "must be 1h at least"))
        path = self.url.removeprefix(SQLITE)
        if path in {self.url, "", "/", "/:memory:", ":memory:"} or path.endswith("/:memory:") or "?" in path:
            found.append(("url", "must be sqlite:///PATH, the path of a file"))
        return found


class MetricsSettings(BaseModel):
    """`[metrics]`: what /metrics holds."""

    model_config = _TABLE

    per_device: tuple[PerDevice, ...] = Field(
        default=("up", "info", "last_seen", "cpu", "memory", "disk", "updates_blocked", "traffic"),
        description="Which families have a series for each device.",
    )
    max_device_series: int = Field(
        default=200_000,
        ge=0,
        le=20_000_000,
        description="How many series the per-device families may have together; "
        "beyond it whole families of the largest sources are left out.",
    )
    finished_for: Duration = Field(
        default=timedelta(hours=24), description="How long a finished deployment or job keeps its series."
    )

    def problems(self) -> Problems:
        """What is wrong in meaning, as (key, text that says the cure)."""
        return [("per_device", "names a family twice")] if len(set(self.per_device)) < len(self.per_device) else []


class LogSettings(BaseModel):
    """`[log]`: what is written to standard error."""

    model_config = _TABLE

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important lines that are written."
    )
    format: Literal["logfmt", "json"] = Field(default="logfmt", description="How a line is written.")


SourceEntry = Annotated[SourceSettings, OneOf("vendor", {word: entry.settings for word, entry in VENDORS.items()})]
ReceiverEntry = Annotated[ReceiverSettings, OneOf("kind", {word: entry.settings for word, entry in RECEIVERS.items()})]


class Settings(BaseSettings):
    """Everything that can be set. Built from a file by `config.load`; built directly it reads nothing around it."""

    model_config = SettingsConfigDict(
        env_prefix="FLEETPULSE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    http: HttpSettings = Field(default=HttpSettings(), description="Where the service is reached.")
    journal: JournalSettings = Field(default=JournalSettings(), description="What survives a restart.")
    metrics: MetricsSettings = Field(default=MetricsSettings(), description="What /metrics holds.")
    log: LogSettings = Field(default=LogSettings(), description="What is logged.")
    sources: tuple[SourceEntry, ...] = Field(
        default=(), max_length=1_000, description="The vendor accounts that are watched."
    )
    rules: tuple[RuleSettings, ...] = Field(
        default=(), max_length=1_000, description="Rules of your own, and changes of the default ones."
    )
    route: RouteSettings | None = Field(
        default=None, description="Which receiver is told; may be left out when there is one receiver."
    )
    receivers: tuple[ReceiverEntry, ...] = Field(default=(), max_length=1_000, description="Where notifications go.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what it is given: `config.environment` reads the environment that it is handed, and tells its errors."""
        return (init_settings,)


def _is_plain_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    odd = parts.username or parts.password or parts.query or parts.fragment or any(c.isspace() for c in url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not odd


def _is_timezone(name: str) -> bool:
    if name == "UTC":  # known even where no zone database is installed
        return True
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found, a name with .., a directory
        return False
    return True
