"""The config file itself: where it is looked for, and its text."""

from collections.abc import Mapping
from pathlib import Path

from fleetpulse.service.config.document import ConfigError

VARIABLE = "FLEETPULSE_CONFIG"
_LARGEST_BYTES = 1024 * 1024  # hundreds of sources fit; what is larger is not a config
_PLACES = ("config.toml", "/etc/fleetpulse/config.toml")


def find_config(environ: Mapping[str, str], cwd: Path) -> Path:
    """The config to use where none was named: FLEETPULSE_CONFIG, else ./config.toml, else /etc/fleetpulse/config.toml.

    Errors: ConfigError which names all three.
    """
    if named := environ.get(VARIABLE):
        return Path(named)
    for place in _PLACES:
        if (cwd / place).exists():
            return cwd / place
    raise ConfigError(
        [f"no config file: name it with --config or {VARIABLE}, or put it to {_PLACES[0]} in {cwd} or to {_PLACES[1]}"]
    )


def read(path: Path) -> str:
    """The text of the file.

    Errors: ConfigError which says why it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(_LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError([f"{path}: there is no such file"]) from error
    except IsADirectoryError as error:
        raise ConfigError([f"{path}: is a directory; name the file in it, like {path / 'config.toml'}"]) from error
    except PermissionError as error:
        raise ConfigError([f"{path}: this user may not read it"]) from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise ConfigError([f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'no valid name'}"]) from error
    if len(raw) > _LARGEST_BYTES:
        raise ConfigError([f"{path}: is larger than 1 MiB, so it is no config"])
    try:
        return raw.decode("utf-8-sig")  # editors on Windows put a mark in front, which TOML does not know
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}:{line} is not UTF-8: save the file in that encoding"]) from error
