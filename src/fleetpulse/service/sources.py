"""Sources from settings to watches: account, vendor, what the journal remembers, and how it stands for people."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Final
from urllib.parse import urlsplit

import msgspec

from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.metrics.readouts import BudgetReading
from fleetpulse.outbound import Account, Budget, Budgets, Outbound
from fleetpulse.secrets import Secret
from fleetpulse.service.catalogue import VENDORS, credential
from fleetpulse.service.supervision import Agents
from fleetpulse.sweeping.gate import Gate
from fleetpulse.sweeping.remembered import load
from fleetpulse.sweeping.watch import Pace, Watch
from fleetpulse.vendors.settings import SourceSettings
from fleetpulse.web.views import ResourceView, SourceView

_PAGE_DEVICES: Final = 1000  # of a device list, to tell how many requests a sweep needs


class WatchedSource(msgspec.Struct, frozen=True):
    """One source with the watch over it and its account's budget."""

    settings: SourceSettings
    watch: Watch
    budget: Budget

    @property
    def fleet(self) -> KnownFleet:
        """Its devices as they are known."""
        return self.watch.remembered.fleet

    def agents(self) -> Agents:
        """Its endless coroutines, each named as a person would name it."""
        return {name: run() for name, run in self.watch.services.items()}

    def view(self, now: datetime) -> SourceView:
        """How it stands, for people."""
        standing, stale_for = self.watch.standing, self.watch.stale_for()
        record = standing.record
        devices = dict.fromkeys(DeviceStatus, 0)
        for (_, status), number in self.fleet.counts().items():
            devices[status] += number
        return SourceView(
            name=self.settings.name,
            vendor=self.settings.vendor,
            fresh=standing.fresh(now, stale_for),
            stale_after_s=stale_for.total_seconds(),
            resources={
                name: ResourceView(
                    record.good_at.get(name), live.total_seconds(), switched_off=name in record.unavailable_at
                )
                for name, live in self.watch.live_intervals.items()
            },
            troubles=record.troubles,
            devices=devices if len(self.fleet) else {},
        )

    def budget_reading(self) -> BudgetReading:
        """What the account's budget gives, and what the intervals need."""
        return BudgetReading(self.budget.ceiling, self.budget.granted, sum(self._needs()))

    def _needs(self) -> Iterator[float]:
        for name in self.settings.resources:
            pages = math.ceil(len(self.fleet) / _PAGE_DEVICES) if name == self.watch.standing.main else 1
            yield max(1, pages) / self.settings.interval_of(name).total_seconds()


class Watches:
    """Makes watched sources; one object serves the process, so that sources of one account share budget and gate."""

    def __init__(
        self,
        *,
        outbound: Outbound,
        journal: Journal,
        queue: EventQueue,
        evaluator: Consumer,
        pages: FleetPages,
        meters: Meters,
        finished_for: timedelta,
    ) -> None:
        self._outbound = outbound
        self._journal = journal
        self._queue = queue
        self._evaluator = evaluator
        self._pages = pages
        self._meters = meters
        self._finished_for = finished_for
        self._budgets = Budgets()
        self._gates: dict[tuple[str, str], Gate] = {}
        self._secrets: dict[tuple[str, str], list[Secret]] = {}
        self._random = Random()  # noqa: S311 - spreads first sweeps, no secret

    async def source(self, settings: SourceSettings) -> WatchedSource:
        """Take up a source where the journal left it.

        Errors: those of the journal; SecretUnreadableError.
        """
        remembered = await load(self._journal, settings.name, vendor=settings.vendor, scope=settings.scope())
        secret = credential(settings, redactor=self._outbound.redactor)
        host = urlsplit(settings.base_url).netloc
        budget = self._budgets.get(host, secret.reveal(), settings.request_rate, in_flight=settings.in_flight)
        self._meters.expect_source(
            settings.name, vendor=settings.vendor, resources=settings.resources, labels=settings.labels
        )
        watch = Watch(
            remembered=remembered,
            vendor=VENDORS[settings.vendor].build(settings, account=self._account(settings, budget), secret=secret),
            pace=Pace(
                intervals={name: settings.interval_of(name) for name in settings.resources},
                stale_after=settings.stale_after,
                forget_after=settings.forget_after,
                deployments_since=settings.deployments_since,
                finished_for=self._finished_for,
            ),
            gate=self._gate(host, secret),
            journal=self._journal,
            queue=self._queue,
            evaluator=self._evaluator,
            pages=self._pages,
            meters=self._meters,
            redact=self._outbound.redactor.redact,
            random=self._random,
        )
        watched = WatchedSource(settings, watch, budget)
        self._meters.watch_budget(settings.name, watched.budget_reading)
        return watched

    def _gate(self, host: str, secret: Secret) -> Gate:
        """The gate of the account that this key opens; sources that share it read the key again together."""
        account = (host, secret.reveal())
        self._secrets.setdefault(account, []).append(secret)
        if account not in self._gates:
            self._gates[account] = Gate(refresh_secret=partial(_refresh, self._secrets[account]))
        return self._gates[account]

    def _account(self, settings: SourceSettings, budget: Budget) -> Account:
        def observe(code: int | str, seconds: float) -> None:
            answered = code if isinstance(code, int) else None
            self._meters.vendor_answered(settings.name, vendor=settings.vendor, code=answered, seconds=seconds)

        return Account(
            outbound=self._outbound,
            budget=budget,
            base_url=settings.base_url,
            observe=observe,
            ca_file=settings.ca_file,
            proxy=settings.proxy,
            timeout_s=settings.timeout.total_seconds(),
        )


def _refresh(secrets: Sequence[Secret]) -> bool:
    changed = [secret.refresh() for secret in secrets]  # all of them, not only up to the first that changed
    return any(changed)
