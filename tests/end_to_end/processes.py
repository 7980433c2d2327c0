"""Programs as processes of their own, which end with the test that started them, also when that is killed."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PROGRAM: Final = str(Path(sys.executable).with_name("fleetpulse"))
KILLED: Final = -signal.SIGKILL
_TOLD_CHARACTERS: Final = 6_000
_END_S: Final = 30.0


class Process:
    """A running program. What it says, on both streams, goes to a file."""

    def __init__(self, command: Sequence[str], *, log: Path) -> None:
        self.name = log.stem
        self._log = log
        self._from = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self._running = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "COLUMNS": "80", "PYTHONUNBUFFERED": "1"},
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, no lock is taken
            )

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        return self._running.poll()

    def said(self) -> str:
        """All that this process has said."""
        with self._log.open("rb") as stream:
            stream.seek(self._from)
            return stream.read().decode(errors="replace")

    def told(self) -> str:
        """The end of what it has said, for a failure."""
        state = "runs" if self.code is None else f"ended with {self.code}"
        return f"--- {self.name} {state}, and said:\n{self.said()[-_TOLD_CHARACTERS:]}"

    def signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._running.kill()
        self._running.wait()

    def ended(self, *, within_s: float = _END_S) -> int:
        """Wait for its end; the exit code."""
        try:
            return self._running.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {within_s:g} s\n{self.told()}") from None

    def stop(self) -> tuple[int, float]:
        """SIGTERM; the exit code, and after how many seconds it came."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        return self.ended(), time.monotonic() - began

    def close(self) -> None:
        """End it however it stands."""
        if self.code is None:
            self.kill()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
