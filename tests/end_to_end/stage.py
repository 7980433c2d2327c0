"""One test's world: vendors, receivers and the service, each a process, ended with the test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from end_to_end import config
from end_to_end.asking import Answer, ask, until
from end_to_end.parties import Party
from end_to_end.processes import PROGRAM, Process

PATIENCE_S: Final = 15.0  # what is awaited comes within a second or two; a busy machine may take longer

Found = TypeVar("Found")


class Service:
    """`fleetpulse run`, starting or running."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._url = ""

    @property
    def url(self) -> str:
        """Where it serves; waits until it does."""
        self._url = self._url or until(self._listening, "it listens", within_s=PATIENCE_S, tell=self.process.told)
        return self._url

    def get(self, path: str) -> Answer:
        try:
            return ask(f"{self.url}{path}")
        except OSError as error:
            raise AssertionError(f"{path}: {error}\n{self.process.told()}") from error

    def sources(self) -> dict[str, dict[str, Any]]:
        """The rows of `/-/sources` by name."""
        return {row["name"]: row for row in self.get("/-/sources").json()["sources"]}

    def sample(self, series: str) -> float:
        """The value of one series of `/metrics`, spelled as it stands there; 0 where it isn't."""
        lines = self.get("/metrics").text.splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{series} ")), 0.0)

    def ready(self) -> "Service":
        """Wait until it is ready."""
        until(lambda: self.get("/-/ready").status == 200, "it is ready", within_s=PATIENCE_S, tell=self.process.told)
        return self

    def swept(self) -> "Service":
        """Wait until every resource of every source was swept well."""

        def good() -> bool:
            rows = self.sources().values()
            return all(resource["last_success"] for row in rows for resource in row["resources"].values())

        self.ready()
        until(good, "every resource was swept", within_s=PATIENCE_S, tell=self.process.told)
        return self

    def _listening(self) -> str:
        assert self.process.code is None, self.process.told()
        words = self.process.said().partition("event=listening url=")[2].split(maxsplit=1)
        return words[0] if len(words) > 1 else ""


class Stage:
    """Starts processes and remembers them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._processes: list[Process] = []

    def party(self, kind: str, **settings: Any) -> Party:
        """Start a simulated vendor or receiver."""
        party = Party(kind, log=self._log(kind), **settings)
        self._processes.append(party.process)
        return party

    def configure(self, **tables: Any) -> Path:
        """Write a config that listens on a free port and has its journal beside it."""
        path = self.home / "config.toml"
        path.write_text(config.written({"http": {"listen": "127.0.0.1:0"}, **tables}))
        return path

    def service(self, path: Path) -> Service:
        """Start `fleetpulse run`; it is not waited for."""
        return Service(self.program("run", "--config", str(path)))

    def program(self, *arguments: str) -> Process:
        """Start `fleetpulse`."""
        return self.start([PROGRAM, *arguments], name=f"fleetpulse {arguments[0]}")

    def start(self, command: list[str], *, name: str) -> Process:
        """Start any program."""
        process = Process(command, log=self._log(name))
        self._processes.append(process)
        return process

    def until(self, holds: Callable[[], Found], what: str, *, within_s: float = PATIENCE_S) -> Found:
        """Wait for a true answer and give it; a failure shows what everybody said."""
        return until(holds, what, within_s=within_s, tell=self.told)

    def told(self) -> str:
        """What everybody said."""
        return "\n".join(process.told() for process in self._processes if process.said())

    def close(self) -> None:
        """End everybody."""
        for process in reversed(self._processes):
            process.close()

    def _log(self, name: str) -> Path:
        return self.home / f"{len(self._processes):02} {name}.log"


@contextmanager
def staged(home: Path) -> Iterator[Stage]:
    """A stage that is cleared at the end."""
    stage = Stage(home)
    try:
        yield stage
    finally:
        stage.close()
