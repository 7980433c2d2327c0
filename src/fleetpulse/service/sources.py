"""Sources from settings to watches: account, vendor, what the journal remembers, and how it stands for people."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from random import Random
from urllib.parse import urlsplit

import msgspec

from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.metrics.readouts import BudgetReading
from fleetpulse.outbound import Account, Budget, Budgets, Outbound, Priority
from fleetpulse.secrets import Secret
from fleetpulse.service.catalogue import VENDORS, credential
from fleetpulse.service.supervision import Agents
from fleetpulse.sweeping.gate import Gate
from fleetpulse.sweeping.keys import Expiry, KeyWatch, refresh
from fleetpulse.sweeping.neighbours import Neighbours
from fleetpulse.sweeping.pacer import Pacer
from fleetpulse.sweeping.remembered import load
from fleetpulse.sweeping.watch import Pace, Service, Watch
from fleetpulse.vendors.contract import Vendor
from fleetpulse.vendors.settings import SourceSettings
from fleetpulse.web.views import ResourceView, SourceView

Observe = Callable[[int | str, float], None]
"""Told of each request: its status or a word, and the seconds it took."""


class WatchedSource(msgspec.Struct, frozen=True):
    """One source with the watch over it and what it shares with the other sources of its account.

    `services` run beside those of the watch.
    """

    settings: SourceSettings
    watch: Watch
    budget: Budget
    pacer: Pacer
    expiry: Expiry
    visit: Callable[[Observe | None], Vendor]
    services: Mapping[str, Service] = {}

    @property
    def fleet(self) -> KnownFleet:
        """Its devices as they are known."""
        return self.watch.remembered.fleet

    def guest(self, observe: Observe | None = None) -> Vendor:
        """The vendor for somebody who looks by hand: within the same budget, and behind all that its pollers ask.

        `observe` is told of the guest's own requests, which are counted like all others.
        """
        return self.visit(observe)

    def agents(self) -> Agents:
        """Its endless coroutines, each named as a person would name it."""
        return {name: run() for name, run in {**self.watch.services, **self.services}.items()}

    def view(self, now: datetime) -> SourceView:
        """How it stands, for people."""
        watch = self.watch
        standing, stale_for = watch.standing, watch.stale_for()
        record = standing.record
        devices = dict.fromkeys(DeviceStatus, 0)
        for (_, status), number in self.fleet.counts().items():
            devices[status] += number
        return SourceView(
            name=self.settings.name,
            vendor=self.settings.vendor,
            fresh=standing.fresh(now, stale_for),
            stale_after_s=stale_for.total_seconds(),
            resources=self._resources(),
            troubles=record.troubles,
            devices=devices if len(self.fleet) else {},
            paused=watch.paused,
            paused_until=watch.paused_until,
            credentials_expire_at=self.expiry.at,
            summary=watch.summary,
        )

    def budget_reading(self) -> BudgetReading:
        """What the account's budget gives, and what the intervals of all its sources need."""
        return BudgetReading(self.budget.ceiling, self.budget.granted, self.pacer.needed)

    def _resources(self) -> dict[str, ResourceView]:
        record, asked, progress = self.watch.standing.record, self.watch.asked_intervals, self.watch.progress
        return {
            name: ResourceView(
                record.good_at.get(name),
                live.total_seconds(),
                switched_off=name in record.unavailable_at,
                asked_interval_s=asked[name].total_seconds(),
                progress_rows=progress[name].rows if name in progress else None,
                progress_total=progress[name].total if name in progress else None,
            )
            for name, live in self.watch.live_intervals.items()
        }


class _Shared(msgspec.Struct, frozen=True):
    """What the sources of one account share, beside its budget."""

    pacer: Pacer
    gate: Gate
    secrets: list[Secret]
    keys: KeyWatch


class Watches:
    """Makes watched sources.

    One object serves the process, so that sources of one account share what is the account's, and sources of one
    vendor's host know of each other.
    """

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
        self._shared: dict[Budget, _Shared] = {}
        self._neighbours: dict[tuple[str, str], Neighbours] = {}
        self._random = Random()  # noqa: S311 - spreads first sweeps, no secret

    async def source(self, settings: SourceSettings) -> WatchedSource:
        """Take up a source where the journal left it.

        Errors: those of the journal; SecretUnreadableError.
        """
        remembered = await load(self._journal, settings.name, vendor=settings.vendor, scope=settings.scope())
        secret = credential(settings, redactor=self._outbound.redactor)
        host = urlsplit(settings.base_url).netloc.lower()
        budget = self._budgets.get(host, secret.reveal(), settings.request_rate, in_flight=settings.in_flight)
        first = budget not in self._shared
        shared = self._sharing(budget, secret)
        self._meters.expect_source(
            settings.name, vendor=settings.vendor, resources=settings.resources, labels=settings.labels
        )
        visit = partial(self._vendor, settings, budget, secret, Priority.DETAIL)
        watch = Watch(
            remembered=remembered,
            vendor=self._vendor(settings, budget, secret, Priority.STATE),
            pace=Pace(
                intervals={name: settings.interval_of(name) for name in settings.resources},
                stale_after=settings.stale_after,
                forget_after=settings.forget_after,
                deployments_since=settings.deployments_since,
                finished_for=self._finished_for,
            ),
            pacer=shared.pacer,
            requests_of=settings.requests_of,
            gate=shared.gate,
            neighbours=self._neighbours.setdefault((settings.vendor, host), Neighbours()),
            journal=self._journal,
            queue=self._queue,
            evaluator=self._evaluator,
            pages=self._pages,
            meters=self._meters,
            redact=self._outbound.redactor.redact,
            random=self._random,
        )
        expiry = Expiry(secret=secret, standing=watch.standing, meters=self._meters)
        shared.keys.expiries.append(expiry)
        services: Mapping[str, Service] = {f"key watch {settings.name}": shared.keys.run} if first else {}
        watched = WatchedSource(settings, watch, budget, shared.pacer, expiry, visit, services)
        self._meters.watch_budget(settings.name, watched.budget_reading)
        return watched

    def _sharing(self, budget: Budget, secret: Secret) -> _Shared:
        """What the account has; sources that share it have their keys read again together."""
        if budget not in self._shared:
            secrets: list[Secret] = []
            gate = Gate(refresh_secret=lambda: refresh(secrets))
            keys = KeyWatch(gate=gate, secrets=secrets, redact=self._outbound.redactor.redact)
            self._shared[budget] = _Shared(Pacer(budget=budget), gate, secrets, keys)
        self._shared[budget].secrets.append(secret)
        return self._shared[budget]

    def _vendor(
        self,
        settings: SourceSettings,
        budget: Budget,
        secret: Secret,
        lowest: Priority,
        also: Observe | None = None,
    ) -> Vendor:
        def observe(code: int | str, seconds: float) -> None:
            answered = code if isinstance(code, int) else None
            self._meters.vendor_answered(settings.name, vendor=settings.vendor, code=answered, seconds=seconds)
            if also is not None:
                also(code, seconds)

        account = Account(
            outbound=self._outbound,
            budget=budget,
            base_url=settings.base_url,
            observe=observe,
            ca_file=settings.ca_file,
            proxy=settings.proxy,
            timeout_s=settings.timeout.total_seconds(),
            lowest=lowest,
        )
        return VENDORS[settings.vendor].build(settings, account=account, secret=secret)
