"""Sources from settings to agents: account, vendor, what the journal remembers of it, and its pollers."""

import math
from collections.abc import Iterator, Mapping, Sequence
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
from fleetpulse.sweeping import remembered
from fleetpulse.sweeping.deployments import DeploymentsPoller
from fleetpulse.sweeping.devices import DevicesPoller
from fleetpulse.sweeping.gate import Gate
from fleetpulse.sweeping.jobs import JobsPoller
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.schedule import Schedule
from fleetpulse.sweeping.staleness import Staleness
from fleetpulse.sweeping.standing import Standing
from fleetpulse.vendors.contract import Kind, Vendor
from fleetpulse.vendors.settings import SourceSettings
from fleetpulse.web.views import ResourceView, SourceView

_PAGE_DEVICES: Final = 1000  # of a device list, to tell how many requests a sweep needs


class Keys:
    """The accounts' gates: sources that share a host and a key share the gate, and read the key again together."""

    def __init__(self) -> None:
        self._gates: dict[tuple[str, str], Gate] = {}
        self._secrets: dict[tuple[str, str], list[Secret]] = {}

    def gate(self, host: str, secret: Secret) -> Gate:
        """The gate of the account that this key opens."""
        account = (host, secret.reveal())
        self._secrets.setdefault(account, []).append(secret)
        if account not in self._gates:
            self._gates[account] = Gate(refresh_secret=partial(_refresh, self._secrets[account]))
        return self._gates[account]


def _refresh(secrets: Sequence[Secret]) -> bool:
    changed = [secret.refresh() for secret in secrets]  # all of them, not only up to the first that changed
    return any(changed)


class WatchedSource(msgspec.Struct, frozen=True):
    """One source with everything that watches it. `rounds` by resource, the main one first."""

    settings: SourceSettings
    fleet: KnownFleet
    standing: Standing
    rounds: Mapping[str, Rounds]
    pollers: Mapping[str, DevicesPoller | DeploymentsPoller | JobsPoller]
    budget: Budget

    def agents(self) -> Agents:
        """Its endless coroutines, each named as a person would name it."""
        staleness = Staleness(standing=self.standing, stale_for=self.stale_for)
        return {
            **{f"poller {self.settings.name}/{name}": poller.run() for name, poller in self.pollers.items()},
            f"staleness {self.settings.name}": staleness.run(),
        }

    def stale_for(self) -> timedelta:
        """How old the last good sweep may be now."""
        main = self.rounds[self.standing.main]
        return main.schedule.stale_for(main.live_interval)

    def view(self, now: datetime) -> SourceView:
        """How it stands, for people."""
        record = self.standing.record
        devices = dict.fromkeys(DeviceStatus, 0)
        for (_, status), number in self.fleet.counts().items():
            devices[status] += number
        resources = {
            name: ResourceView(record.good_at.get(name), rounds.live_interval.total_seconds())
            for name, rounds in self.rounds.items()
        }
        return SourceView(
            name=self.settings.name,
            vendor=self.settings.vendor,
            fresh=not self.standing.stale and now < self.standing.fresh_until(self.stale_for()),
            stale_after_s=self.stale_for().total_seconds(),
            resources=resources,
            troubles=record.troubles,
            devices=devices if len(self.fleet) else {},
        )

    def budget_reading(self) -> BudgetReading:
        """What the account's budget gives, and what the intervals need."""
        return BudgetReading(self.budget.ceiling, self.budget.granted, sum(self._needs()))

    def _needs(self) -> Iterator[float]:
        for name, rounds in self.rounds.items():
            pages = math.ceil(len(self.fleet) / _PAGE_DEVICES) if name == self.standing.main else 1
            yield max(1, pages) / rounds.schedule.interval_s


class Watch:
    """Makes watched sources; one object serves the process, so that sources of one account share what they must."""

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
        self._keys = Keys()
        self._random = Random()  # noqa: S311 - spreads first sweeps, no secret

    async def source(self, settings: SourceSettings) -> WatchedSource:
        """Take up a source where the journal left it.

        Errors: those of the journal; SecretUnreadableError.
        """
        known = await remembered.load(self._journal, settings.name, vendor=settings.vendor)
        remembered.show(known, self._pages)
        secret = credential(settings, redactor=self._outbound.redactor)
        host = urlsplit(settings.base_url).netloc
        budget = self._budgets.get(host, secret.reveal(), settings.request_rate, in_flight=settings.in_flight)
        vendor = VENDORS[settings.vendor].build(settings, account=self._account(settings, budget), secret=secret)
        main = next(iter(vendor.resources))
        self._meters.expect_source(
            settings.name, vendor=settings.vendor, resources=vendor.resources, labels=settings.labels
        )
        standing = Standing(
            record=known.record,
            main=main,
            journal=self._journal,
            queue=self._queue,
            evaluator=self._evaluator,
            pages=self._pages,
            meters=self._meters,
        )
        gate = self._keys.gate(host, secret)
        rounds = {
            name: Rounds(
                resource=name,
                schedule=Schedule(settings.interval_of(name), settings.stale_after),
                standing=standing,
                gate=gate,
                meters=self._meters,
                random=self._random,
            )
            for name in vendor.resources
        }
        pollers = {name: self._poller(settings, vendor, known, each) for name, each in rounds.items()}
        watched = WatchedSource(settings, known.fleet, standing, rounds, pollers, budget)
        standing.show_remembered(watched.stale_for())
        self._meters.watch_budget(settings.name, watched.budget_reading)
        return watched

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

    def _poller(
        self, settings: SourceSettings, vendor: Vendor, known: remembered.Remembered, rounds: Rounds
    ) -> DevicesPoller | DeploymentsPoller | JobsPoller:
        pages, finished_for = self._pages, self._finished_for
        match vendor.resources[rounds.resource].kind:
            case Kind.DEVICES:
                return DevicesPoller(
                    vendor=vendor, fleet=known.fleet, pages=pages, rounds=rounds, forget_after=settings.forget_after
                )
            case Kind.DEPLOYMENTS:
                return DeploymentsPoller(
                    vendor=vendor,
                    deployments=known.deployments,
                    pages=pages,
                    rounds=rounds,
                    since=settings.deployments_since,
                    finished_for=finished_for,
                )
            case Kind.JOBS:
                return JobsPoller(vendor=vendor, jobs=known.jobs, pages=pages, rounds=rounds, finished_for=finished_for)
