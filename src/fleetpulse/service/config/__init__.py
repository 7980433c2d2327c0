"""From config.toml and the environment to `Settings`, or to every error at once."""

from fleetpulse.service.config.document import ConfigError
from fleetpulse.service.config.file import find_config
from fleetpulse.service.config.listing import listing
from fleetpulse.service.config.loading import load, load_plain
from fleetpulse.service.config.report import describe

__all__ = ["ConfigError", "describe", "find_config", "listing", "load", "load_plain"]
