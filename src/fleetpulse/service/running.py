"""`fleetpulse run`: the order in which the house comes up, and the order in which it goes down."""

import asyncio
import gc
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import tzinfo
from typing import Final, TextIO
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import structlog

from fleetpulse.alerting.judge import Alerting
from fleetpulse.alerting.rulebook import rules_of
from fleetpulse.alerting.state import Remembered
from fleetpulse.alerting.tree import route_of
from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.lag import LagMeter
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.metrics.renderer import Renderer, catch_up
from fleetpulse.notifying.dispatcher import Dispatcher
from fleetpulse.notifying.evaluator import Evaluator
from fleetpulse.notifying.outcomes import OUTCOMES
from fleetpulse.outbound import Outbound
from fleetpulse.receivers.contract import Receiver
from fleetpulse.secrets import Redactor
from fleetpulse.service import logging
from fleetpulse.service.catalogue import RECEIVERS
from fleetpulse.service.config.report import warnings
from fleetpulse.service.facts import facts_of
from fleetpulse.service.failures import CrashedError, plain
from fleetpulse.service.housekeeping import keep_retention, read_outbox, watch_journal
from fleetpulse.service.operating import Operating
from fleetpulse.service.settings import Settings
from fleetpulse.service.sources import Watches
from fleetpulse.service.supervision import Agents, keep_running, stop_on_signals, unless_stopped
from fleetpulse.service.tokens import access
from fleetpulse.service.version import VERSION
from fleetpulse.service.views import Fleets, State
from fleetpulse.sweeping.remembered import remove_others
from fleetpulse.web.server import WebServer

GARBAGE: Final = (50_000, 20, 100)
"""Thresholds of the garbage collector. A page of 1,000 devices makes thousands of objects and no cycle; with Python's
own thresholds each page was searched several times, and with it the whole known fleet: a fifth of a sweep's time."""
DRAIN_S: Final = 5.0  # with the web's and the pollers' own ends this stays below ten seconds
CATCH_UP_S: Final = 1.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def _no_guests(_url: str) -> Agents:
    return {}


async def run_service(
    settings: Settings,
    *,
    guests: Callable[[str], Agents] = _no_guests,
    log_stream: TextIO | None = None,
    hangup_stops: bool = False,
    at_step: Callable[[str], None] = lambda _: None,
) -> None:
    """Run until SIGTERM or SIGINT, or SIGHUP where `hangup_stops`.

    `guests` are further agents, made with the server's URL once all is ready; `at_step` is for the journal.
    Errors: what `failures.plain` knows; CrashedError after a traceback was logged.
    """
    gc.set_threshold(*GARBAGE)
    redactor = Redactor()
    logging.configure(settings.log, redactor, stream=log_stream)
    for warning in warnings(settings):
        _log.warning(warning)
    stop = asyncio.Event()
    try:
        with stop_on_signals(stop, hangup_stops=hangup_stops):
            await House(settings, redactor=redactor, at_step=at_step).live(stop, guests)
    except Exception as error:
        if plain(error):
            raise
        _log.critical("crashed", exc_info=error)
        raise CrashedError("crashed; the log has the traceback") from error
    _log.info("stopped")


class _Up(msgspec.Struct, frozen=True):
    """What a house that has come up runs on."""

    journal: Journal
    web: WebServer
    consumer: Consumer
    dispatcher: Dispatcher
    evaluator: Evaluator


class House:
    """Everything wired together; lives once."""

    def __init__(self, settings: Settings, *, redactor: Redactor, at_step: Callable[[str], None]) -> None:
        self._settings = settings
        self._redactor = redactor
        self._at_step = at_step
        self._zone = _zone(settings.http.timezone)
        self._rules = rules_of(settings.rules)
        self._meters = Meters(version=VERSION)
        self._pages = FleetPages(
            per_device=settings.metrics.per_device,
            max_device_series=settings.metrics.max_device_series,
        )
        self._fleets = Fleets()
        self._state = State(sources=settings.sources, receivers=settings.receivers, rules=self._rules)
        self._producers_stop = asyncio.Event()
        self._consumers_stop = asyncio.Event()

    async def live(self, stop: asyncio.Event, guests: Callable[[str], Agents]) -> None:
        """Come up, run until `stop`, go down: producers, what is due, consumers, resources in reverse.

        A stop while still coming up is obeyed at once: what waits then may wait for a journal that can't be written.
        """
        async with AsyncExitStack() as resources:
            up = await unless_stopped(stop, self._come_up(resources))
            if up is not None:
                consumers = self._consumers(up)
                producers = {**self._producers(), **guests(up.web.url)}
                self._state.rendered = True
                await self._run(stop, consumers, producers, up.consumer, up.dispatcher)

    async def _come_up(self, resources: AsyncExitStack) -> _Up:
        journal = await Journal.open(self._settings.journal.url, redact=self._redactor.redact, at_step=self._at_step)
        resources.push_async_callback(journal.close)
        self._state.journal = journal
        outbound = await resources.enter_async_context(Outbound(version=VERSION, redactor=self._redactor))
        web = await resources.enter_async_context(
            WebServer(
                address=self._settings.http.address,
                views=self._state,
                operations=Operating(watched=lambda: self._state.watched, redact=self._redactor.redact),
                access=access(self._settings, redactor=self._redactor),
                pages=self._pages,
                meters=self._meters,
                version=VERSION,
                zone=self._zone,
            )
        )
        _log.info("listening", url=web.url)
        doubtful = await journal.release_claims()
        if doubtful:
            _log.warning("deliveries were under way when the last process ended; they are sent again", rows=doubtful)
        queue = EventQueue(journal)
        memory = await journal.remember()
        consumer = queue.consumer("evaluator", after=memory.cursor)
        await self._watch(journal, outbound, queue, consumer)
        alerting = self._alerting(memory)
        receivers = self._receivers(outbound)
        dispatcher = Dispatcher(receivers=receivers, journal=journal, meters=self._meters)
        owed = await journal.oldest_owed()
        owed_since = {name: at for name, at in owed.items() if name not in receivers}
        evaluator = Evaluator(
            alerting=alerting,
            consumer=consumer,
            journal=journal,
            receivers=receivers,
            dispatcher=dispatcher,
            meters=self._meters,
            owed_since=owed_since,
        )
        self._state.alerting = alerting
        self._meters.watch_journal(lambda: journal.writable)
        self._meters.watch_queues(lambda: {"evaluator": consumer.backlog})
        self._meters.watch_alerts(self._state.alert_counts)
        self._meters.watch_outbox(lambda: tuple(self._state.outbox.values()))
        await catch_up(self._pages)
        gc.freeze()  # the known fleet and all modules stay: they need not be looked through again
        return _Up(journal, web, consumer, dispatcher, evaluator)

    def _consumers(self, up: _Up) -> Agents:
        receivers = [receiver.name for receiver in self._settings.receivers]
        return {
            "evaluator": up.evaluator.run(),
            "dispatcher": _dispatch(up),
            "renderer": Renderer(pages=self._pages).run(),
            "loop lag": LagMeter(meters=self._meters).run(),
            "retention": keep_retention(up.journal, self._settings.journal),
            "outbox reader": read_outbox(up.journal, self._state, receivers),
            "journal watch": watch_journal(up.journal),
        }

    def _alerting(self, memory: Remembered) -> Alerting:
        return Alerting(
            rules=self._rules,
            route=route_of(self._settings.route, [receiver.name for receiver in self._settings.receivers]),
            sources={source.name: facts_of(source) for source in self._settings.sources},
            send_resolved={receiver.name: receiver.send_resolved for receiver in self._settings.receivers},
            fleet=self._fleets,
            new_id=lambda: str(uuid4()),
            remembered=memory,
            external_url=self._settings.http.external_url,
            zone=self._zone,
        )

    async def _run(
        self, stop: asyncio.Event, consumers: Agents, producers: Agents, consumer: Consumer, dispatcher: Dispatcher
    ) -> None:
        async with asyncio.TaskGroup() as house:
            house.create_task(keep_running(consumers, until=self._consumers_stop), name="consumers")
            sweeps = house.create_task(keep_running(producers, until=self._producers_stop), name="producers")
            self._state.starting = None
            _log.info("ready", sources=len(self._state.watched), receivers=len(self._settings.receivers))
            await stop.wait()
            self._state.starting = "stopping"
            self._producers_stop.set()
            await asyncio.wait([sweeps])
            await consumer.wait_caught_up(consumer.cursor + consumer.backlog, CATCH_UP_S)
            if not await dispatcher.drain(limit_s=DRAIN_S):
                _log.warning("stopping with deliveries under way; they are sent again after the next start")
            self._consumers_stop.set()

    def _receivers(self, outbound: Outbound) -> dict[str, Receiver]:
        receivers = {}
        for entry in self._settings.receivers:
            receivers[entry.name] = RECEIVERS[entry.kind].build(entry, outbound=outbound, redactor=self._redactor)
            self._meters.expect_receiver(entry.name, outcomes=OUTCOMES)
        return receivers

    async def _watch(self, journal: Journal, outbound: Outbound, queue: EventQueue, consumer: Consumer) -> None:
        configured = {source.name: source.vendor for source in self._settings.sources}
        await remove_others(journal, queue, configured=configured)
        watches = Watches(
            outbound=outbound,
            journal=journal,
            queue=queue,
            evaluator=consumer,
            pages=self._pages,
            meters=self._meters,
            finished_for=self._settings.metrics.finished_for,
        )
        for source in self._settings.sources:
            if source.enabled:
                watched = await watches.source(source)
                self._fleets.known[source.name] = watched.fleet
                self._state.watched.append(watched)

    def _producers(self) -> Agents:
        return {name: agent for watched in self._state.watched for name, agent in watched.agents().items()}


async def _dispatch(up: _Up) -> None:
    await up.evaluator.begun.wait()
    await up.dispatcher.run()


def _zone(name: str) -> tzinfo:
    return ZoneInfo(name)
