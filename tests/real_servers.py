"""Starts the real programs that tests speak to; knows nothing of pytest.

Loopback and free ports only. A server dies with the test run that started it, also when that is killed.
"""

import ctypes
import json
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_S = 20.0
TOOLS = Path(__file__).resolve().parents[1] / ".tools"
"""Programs that no Debian package has; `.ci/servers` puts them there."""
_TRIES = 3
_PR_SET_PDEATHSIG = 1


class MissingProgramError(Exception):
    """A program isn't installed; the text names it and how to install it."""


def program(name: str, *, package: str) -> str:
    """The path of a program."""
    path = shutil.which(name)
    if path is None:
        raise MissingProgramError(f"{name} is not installed: apt-get install {package}")
    return path


def promtool() -> str:
    """Prometheus' own checker."""
    return program("promtool", package="prometheus")


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The instant vector of an expression."""
        asked = urllib.parse.urlencode({"query": expression})
        return list(_get(f"{self.url}/api/v1/query?{asked}")["data"]["result"])

    def targets(self) -> list[dict[str, Any]]:
        """The targets it scrapes, with their health and last error."""
        return list(_get(f"{self.url}/api/v1/targets")["data"]["activeTargets"])


@contextmanager
def prometheus(directory: Path, *, target: str, interval: str = "200ms") -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes `target` (host:port), which must be known before it starts."""
    path = program("prometheus", package="prometheus")
    config = directory / "prometheus.yml"
    scrape = {"job_name": "fleetpulse", "static_configs": [{"targets": [target]}]}
    settings = {"global": {"scrape_interval": interval, "scrape_timeout": interval}, "scrape_configs": [scrape]}
    config.write_text(json.dumps(settings))  # JSON is YAML
    for attempt in range(_TRIES):
        port = free_port()
        data = directory / f"data-{attempt}"
        command = [
            path,
            f"--config.file={config}",
            f"--storage.tsdb.path={data}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
        with _running(command, log=directory / "prometheus.log") as process:
            if _ready(process, f"http://127.0.0.1:{port}/-/ready"):
                yield Prometheus(f"http://127.0.0.1:{port}")
                return
    raise RuntimeError(f"prometheus did not start: {(directory / 'prometheus.log').read_text()[-2000:]}")


@contextmanager
def prism(directory: Path, *, document: Path) -> Iterator[str]:
    """Run a mock server that answers as an OpenAPI document says, and give its URL; paths begin after the base path."""
    path = shutil.which("prism", path=TOOLS / "node_modules" / ".bin")
    if path is None or shutil.which("node") is None:
        raise MissingProgramError("prism is not installed: .ci/servers installs it where there is npm")
    for _ in range(_TRIES):
        url = f"http://127.0.0.1:{(port := free_port())}"
        command = [path, "mock", "--host=127.0.0.1", f"--port={port}", "--multiprocess=false", str(document)]
        with _running(command, log=directory / "prism.log") as process:
            if _ready(process, url, refusing=True):
                yield url
                return
    raise RuntimeError(f"prism did not start: {(directory / 'prism.log').read_text()[-2000:]}")


def free_port() -> int:
    """A port that was free a moment ago; who loses it to another tries again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], *, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, preexec_fn=_die_with_parent)  # noqa: PLW1509 - one system call, no lock is taken
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _ready(process: subprocess.Popen[bytes], url: str, *, refusing: bool = False) -> bool:
    """Wait until the URL answers; `refusing`: an answer of any status will do."""
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - our own loopback URL
                return True
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
                if refusing:
                    return True
            time.sleep(0.02)
    return False


def _get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own loopback URL
        return dict(json.load(answer))
