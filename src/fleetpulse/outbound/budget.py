"""One account's budget of requests: evenly spaced, fair, slower after a refusal, never above its ceiling."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

from asyncio_throttle.throttler import Throttler

from fleetpulse import clock
from fleetpulse.durations import Rate
from fleetpulse.outbound.turns import Priority, Turns

_IN_FLIGHT = 4
# The throttle's window is a hundredth short: a grant that the loop delivers some microseconds late must not make
# spacing and ceiling disagree, for then the throttle would poll.
_WINDOW_SLACK = 0.99
# Turns are a hundredth further apart than the rate says: requests that spend their time on the way unevenly arrive
# closer together than they left, and a vendor that counts three in a minute would see a fourth one in it.
_APART = 1.01


class Budget:
    """Grants turns to send one request each.

    It sleeps to its own due time and polls nothing; asyncio-throttle stands behind it as the hard ceiling of a window.
    """

    def __init__(self, *, rate: Rate, in_flight: int = _IN_FLIGHT) -> None:
        self.ceiling = rate.per_second
        """Requests per second at full speed."""
        self._turns: Turns[asyncio.Future[None]] = Turns(
            spacing_s=_APART / rate.per_second, in_flight=in_flight, now=clock.monotonic()
        )
        self._throttle = _throttle(rate)
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def speed(self) -> float:
        """Requests per second at the present speed, also during a pause."""
        return self._turns.speed * _APART

    @property
    def granted(self) -> float:
        """Requests per second at the present speed; 0 during a pause the vendor asked for."""
        return self._turns.granted(clock.monotonic()) * _APART

    @asynccontextmanager
    async def turn(self, priority: Priority) -> AsyncIterator[None]:
        """Wait for a turn and hold it while its request is in flight.

        Cancellation: safe; a turn that was granted and not used goes to the next in line.
        """
        await self._wait(priority)
        try:
            async with self._throttle:
                yield
        finally:
            self._turns.finish()
            self._serve()

    def slow_down(self, retry_after_s: float | None = None) -> None:
        """A request was refused as one too many: double the spacing, and keep the pause asked for (1 h at most)."""
        self._turns.slow_down(clock.monotonic(), pause_s=retry_after_s)
        self._serve()

    def speed_up(self) -> None:
        """A request succeeded: creep back towards the ceiling."""
        self._turns.speed_up()
        self._serve()

    def narrow(self, *, rate: Rate, in_flight: int) -> None:
        """Another source shares the account: the smaller limits hold for both."""
        self._turns.in_flight = min(self._turns.in_flight, in_flight)
        if rate.per_second < self.ceiling:
            self.ceiling = rate.per_second
            self._turns.spacing_s = _APART / rate.per_second
            self._throttle = _throttle(rate)

    async def _wait(self, priority: Priority) -> None:
        ticket = asyncio.get_running_loop().create_future()
        self._turns.join(ticket, priority)
        self._serve()
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.cancelled():
                self._turns.leave(ticket)
            else:  # granted in the same breath
                self._turns.hand_back(ticket)
            self._serve()
            raise

    def _serve(self) -> None:
        """Grant what is due, and set the alarm to the next due time."""
        while (ticket := self._turns.grant(clock.monotonic())) is not None:
            if ticket.cancelled():  # its waiter has not yet run to say so
                self._turns.hand_back(ticket)
            else:
                ticket.set_result(None)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due_at = self._turns.due_at()
        if due_at is not None:
            wait_s = max(0.0, due_at - clock.monotonic())
            self._alarm = asyncio.get_running_loop().call_later(wait_s, self._serve)


class Budgets:
    """One budget per account, that is per (host, credential), whichever sources share it."""

    def __init__(self) -> None:
        self._by_account: dict[tuple[str, bytes], Budget] = {}

    def get(self, host: str, credential: str, rate: Rate, *, in_flight: int = _IN_FLIGHT) -> Budget:
        """The account's budget; where it exists already, the smaller rate and number in flight win."""
        key = (host.lower(), sha256(credential.encode()).digest())  # the credential itself is not kept
        if key not in self._by_account:
            self._by_account[key] = Budget(rate=rate, in_flight=in_flight)
        budget = self._by_account[key]
        budget.narrow(rate=rate, in_flight=in_flight)
        return budget


def _throttle(rate: Rate) -> Throttler:
    count = math.ceil(rate.count)
    return Throttler(rate_limit=count, period=_WINDOW_SLACK * count / rate.per_second)
