"""One thread with one connection that carries out what callers hand over; a journal has one to write, one to read."""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Generic, Literal, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Transaction
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from fleetpulse.journal.errors import (
    JournalCorruptError,
    JournalError,
    JournalRefusedError,
    JournalUnavailableError,
    Verdict,
    told,
    verdict,
)

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_REST_AFTER_S: Final = 0.1  # a judgement follows its page sooner than this
_REST_EVERY_S: Final = 10.0
_LAST_TRIES: Final = 3  # for what still waits when the clerk is told to stop; a full disk must not hold up the end

Result = TypeVar("Result")
Work = Callable[[Connection], Result]


def ignore(_said: Any) -> None:
    """Do nothing with what is said."""


class _Operation(Generic[Result]):
    """What a caller handed over, and where it waits for the answer."""

    __slots__ = ("committed", "future", "steps", "work")

    def __init__(
        self,
        work: Work[Result],
        future: asyncio.Future[Result],
        steps: Sequence[str],
        committed: Callable[[Result], None],
    ) -> None:
        self.work = work
        self.future = future
        self.steps = steps
        self.committed = committed


class _Outcome:
    """How an operation ended: with a result, or with its own error."""

    __slots__ = ("error", "result")

    def __init__(self, *, result: Any = None, error: BaseException | None = None) -> None:
        self.result = result
        self.error = error


class Clerk:
    """Carries out operations in the order they were handed over; those that wait together share one transaction.

    One that fails does not spoil the others. A transaction that cannot be made for now (locked, disk full, I/O) is
    tried again with the same operations while their callers wait. `on_failure` is called once, on the loop, with what
    makes the journal unusable: damage, or a bug. `at_rest` is called in a pause after work, on the clerk's thread:
    chores that no caller should wait for.
    """

    def __init__(
        self,
        *,
        task: Literal["written", "read"],
        engine: Engine,
        together: int,
        at_step: Callable[[str], None],
        on_failure: Callable[[Exception], None],
        at_rest: Work[None] = ignore,
    ) -> None:
        self.trouble = ""
        self.owed = 0
        self._task = task
        self._engine = engine
        self._together = together
        self._at_step = at_step
        self._on_failure = on_failure
        self._at_rest = at_rest
        self._rested = True
        self._rest_due_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._log = structlog.get_logger("fleetpulse.journal")
        self._waiting: queue.SimpleQueue[_Operation[Any] | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._failure: Exception | None = None
        self._gave_up = False
        self._stopping = threading.Event()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        threading.Thread(target=self._run, name=f"journal being {task}", daemon=True).start()

    async def carry_out(
        self, work: Work[Result], *, steps: Sequence[str] = (), committed: Callable[[Result], None] = ignore
    ) -> Result:
        """Hand over an operation and wait until it is committed.

        `committed` is called with the result on the clerk's thread, before the caller goes on.
        Errors: JournalRefusedError or the operation's own; JournalCorruptError; JournalUnavailableError once stopped.
        Cancellation: what was handed over is done all the same.
        """
        if self._stopping.is_set():
            raise JournalUnavailableError("the journal is closed")
        future: asyncio.Future[Result] = self._loop.create_future()
        self.owed += 1
        self._waiting.put(_Operation(work, future, steps, committed))
        return await future

    async def stop(self) -> None:
        """Do what still waits, then end the thread."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._waiting.put(None)
        await asyncio.shield(self._ended)  # awaited by more than one caller, none of whom may cancel it

    def _run(self) -> None:
        going_on = True
        while going_on:
            batch, going_on = self._take()
            if batch:
                self._serve(batch)
        self._disconnect()
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _take(self) -> tuple[list[_Operation[Any]], bool]:
        operation = self._next()
        batch: list[_Operation[Any]] = []
        while operation is not None:
            batch.append(operation)
            if len(batch) >= self._together:
                return batch, True
            try:
                operation = self._waiting.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _next(self) -> _Operation[Any] | None:
        if not self._rested:
            try:
                return self._waiting.get(timeout=max(_REST_AFTER_S, self._rest_due_s - time.monotonic()))
            except queue.Empty:
                self._rest()
        return self._waiting.get()

    def _rest(self) -> None:
        self._rested, self._rest_due_s = True, time.monotonic() + _REST_EVERY_S
        if self._connection is not None:
            with suppress(DBAPIError, sqlite3.Error):  # the next transaction finds the same, and has words for it
                self._at_rest(self._connection)

    def _serve(self, batch: list[_Operation[Any]]) -> None:
        try:
            outcomes = self._done(batch) if self._failure is None else self._refused(batch, self._failure)
        except Exception as error:  # noqa: BLE001 - whatever it is, callers wait for an answer and the supervisor hears of it
            self._failure = error
            self._loop.call_soon_threadsafe(self._on_failure, error)
            outcomes = self._refused(batch, error)
        self._loop.call_soon_threadsafe(self._answer, batch, outcomes)

    def _answer(self, batch: list[_Operation[Any]], outcomes: list[_Outcome]) -> None:
        self.owed -= len(batch)
        for operation, outcome in zip(batch, outcomes, strict=True):
            if operation.future.done():  # its caller was cancelled
                continue
            if outcome.error is not None:
                operation.future.set_exception(outcome.error)
            else:
                operation.future.set_result(outcome.result)

    def _refused(self, batch: list[_Operation[Any]], error: Exception) -> list[_Outcome]:
        kind = type(error) if isinstance(error, JournalError) else JournalUnavailableError
        return [_Outcome(error=kind(str(error))) for _ in batch]  # one each: a raised error grows its own traceback

    def _done(self, batch: list[_Operation[Any]]) -> list[_Outcome]:
        pause_s, last_tries = _FIRST_PAUSE_S, 0
        while True:
            try:
                outcomes = self._transact(batch)
            except (DBAPIError, sqlite3.Error) as error:
                self._disconnect()
                self._judge(error)
            else:
                if not self._gave_up:  # a transaction that changes nothing succeeds on a full disk, too
                    self._note("")
                return outcomes
            last_tries += self._stopping.is_set()
            if last_tries >= _LAST_TRIES:
                self._gave_up = True
                return self._refused(
                    batch,
                    JournalUnavailableError(
                        f"the journal was closed before this could be {self._task}: {self.trouble}"
                    ),
                )
            if self._stopping.wait(pause_s):  # real time, never a test's moved one: a disk is waited for
                time.sleep(_FIRST_PAUSE_S)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _judge(self, error: Exception) -> None:
        found = verdict(error)
        if found is Verdict.CORRUPT:
            raise JournalCorruptError(f"the journal is damaged: {told(error)}") from error
        if found is Verdict.OWN:  # at BEGIN or COMMIT nothing is anybody's own
            raise JournalUnavailableError(f"the journal cannot go on: {told(error)}") from error
        self._note(told(error))

    def _note(self, trouble: str) -> None:
        before, self.trouble = self.trouble, trouble
        if trouble and not before:
            self._log.error(f"journal cannot be {self._task}, trying again", trouble=trouble)
        elif before and not trouble:
            self._log.info(f"journal can be {self._task} again")

    def _transact(self, batch: list[_Operation[Any]]) -> list[_Outcome]:
        if self._connection is None:
            self._connection = self._engine.connect()
        self._rested = False
        transaction = self._connection.begin()
        if len(batch) == 1:  # alone, it needs no savepoint
            outcomes = [_outcome(self._connection, batch[0], undo=transaction)]
        else:
            outcomes = [_apart(self._connection, operation) for operation in batch]
        self._tell(batch, outcomes, "before-commit")
        if transaction.is_active:
            transaction.commit()
        for operation, outcome in zip(batch, outcomes, strict=True):
            if outcome.error is None:
                operation.committed(outcome.result)
        self._tell(batch, outcomes, "after-commit")
        return outcomes

    def _tell(self, batch: list[_Operation[Any]], outcomes: list[_Outcome], place: str) -> None:
        for operation, outcome in zip(batch, outcomes, strict=True):
            if outcome.error is None:
                for step in operation.steps:
                    self._at_step(f"{step}:{place}")

    def _disconnect(self) -> None:
        """Close the connection, which rolls back; after an error it may be in any state, and so it is made anew."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


def _apart(connection: Connection, operation: _Operation[Any]) -> _Outcome:
    savepoint = connection.begin_nested()
    outcome = _outcome(connection, operation, undo=savepoint)
    if outcome.error is None:
        savepoint.commit()
    return outcome


def _outcome(connection: Connection, operation: _Operation[Any], *, undo: Transaction) -> _Outcome:
    try:
        return _Outcome(result=operation.work(connection))
    except (DBAPIError, sqlite3.Error) as error:
        if verdict(error) is not Verdict.OWN:
            raise
        undo.rollback()
        return _Outcome(error=_refusal(error, told(error)))
    except SQLAlchemyError as error:
        undo.rollback()
        return _Outcome(error=_refusal(error, type(error).__name__))
    except Exception as error:  # noqa: BLE001 - it is the caller's, who is told
        undo.rollback()
        return _Outcome(error=error)


def _refusal(error: Exception, words: str) -> JournalRefusedError:
    refusal = JournalRefusedError(f"the journal refuses this: {words}")
    refusal.__cause__ = error
    return refusal
