"""`sources`, `devices`, `deployments` and `jobs` on the command line: what the running service answers, for people."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import typer

from fleetpulse import clock
from fleetpulse.durations import format_duration, parse_duration
from fleetpulse.service.answered import Row, checked, listed
from fleetpulse.service.failures import DoneBadlyError, UsageError
from fleetpulse.service.remote import Remote
from fleetpulse.service.tables import document, facts, indented, plain, short, table
from fleetpulse.web.ages import age

MOST_CANDIDATES: Final = 20
_A_PAGE: Final = 1000


async def list_sources(remote: Remote, *, json: bool) -> None:
    """Print all sources."""
    found = await remote.get("sources")
    if json:
        document(found)
        return
    table(
        ("source", "vendor", "status", "last good sweep", "devices", "trouble"),
        [
            (
                source["name"],
                source["vendor"],
                _status(source),
                _ago(next((each["last_success"] for each in source["resources"].values()), None)),
                _counts(source["devices"]),
                "; ".join(_trouble(source, each) for each in source["problems"]),
            )
            for source in listed(found, what="sources")
        ],
        spare=("vendor", "last good sweep"),
    )


async def show_source(remote: Remote, name: str, *, json: bool) -> None:
    """Print one source."""
    _given(name, "source")
    found = await remote.get("sources", name)
    if json:
        document(found)
        return
    source = checked(found, shape="source")
    summary = source["vendors_summary"] or {}
    facts(
        (
            ("source", source["name"]),
            ("vendor", source["vendor"]),
            ("status", _status(source)),
            ("paused until", _paused_until(source)),
            ("credentials", source["credentials"]),
            ("their file", source.get("credentials_unreadable") or ""),
            ("they expire", _when(source["credentials_expire"])),
            ("devices", _counts(source["devices"])),
            ("the vendor counts", _counts({name: number for name, number in summary.items() if number is not None})),
            ("stale after", _seconds(source["stale_after_s"]) if source["resources"] else ""),
        )
    )
    indented("resources", (_resource(name, each) for name, each in source["resources"].items()))
    indented(
        "troubles",
        (
            f"{each['resource']}: {_words(each['problem'])} for {_since(each['since'])}"
            + (f": {each['detail']}" if each["detail"] else "")
            for each in source["problems"]
        ),
    )


async def act_on_source(remote: Remote, name: str, action: str, *, for_: str | None = None, json: bool) -> None:
    """Have something done with a source and print how it stands then."""
    if for_ is not None:
        try:
            parse_duration(for_)
        except ValueError as error:
            raise UsageError(f"--for {error}") from error
    _given(name, "source")
    before = await remote.get("sources", name)
    found = await remote.post("sources", name, action, body=None if for_ is None else {"for": for_})
    if json:
        document(found)
        return
    was, source = checked(before, shape="source"), checked(found, shape="source")
    done = [_DONE[action]]
    if action == "accept":
        done += [f"the last one {each['detail']}" for each in was["problems"] if each["problem"] == "doubted"]
    if action == "retry" and was["paused"] and not source["paused"]:
        done.append("that ended its pause")
    typer.echo(plain(f"{name}: {'; '.join(done)}; it is {_status(source)}"))


async def list_devices(remote: Remote, *, filters: Mapping[str, str | None], limit: int, json: bool) -> None:
    """Print devices, `limit` at most, 0 for all."""
    rows, more = await _listed(remote, "devices", filters, limit)
    if json:
        document({"devices": rows, "more": more})
        return
    table(
        ("device", "name", "source", "group", "status", "since", "last seen", "version"),
        [
            (
                row["id"],
                short(row["name"]),
                row["source"],
                short(row["group"]),
                _device_status(row),
                _ago(row["since"]),
                _ago(row["last_seen"]),
                short(row["version"]),
            )
            for row in rows
        ],
        spare=("version", "last seen", "group", "since"),
    )
    _tell_more(more, rows)


async def show_device(remote: Remote, word: str, *, ask: bool, json: bool) -> None:
    """Print one device, as it is known or as the vendor tells of it now."""
    known = await _resolved(remote, "devices", word)
    found = await remote.ask("devices", known["source"], known["id"], "ask") if ask else known
    if json:
        document(found)
        return
    row = checked(found, shape="asked device" if ask else "device")
    readings = row.get("readings") or {}
    facts(
        (
            ("device", row["id"]),
            ("name", row["name"]),
            ("source", f"{row['source']} ({row['vendor']})"),
            ("group", row["group"]),
            ("status", _device_status(row) + (", asked just now" if ask else "")),
            ("since", _when(row.get("since"))),
            ("last seen", _when(row["last_seen"])),
            ("sim", _words(row["sim"] or "")),
            ("tags", ", ".join(row["tags"])),
            ("model", row["model"]),
            ("version", row["version"]),
            ("address", row["address"]),
            *(
                (_words(name), f"{value:,.4g}" if isinstance(value, float) else str(value))
                for name, value in readings.items()
            ),
        )
    )


async def list_deployments(remote: Remote, *, filters: Mapping[str, str | None], limit: int, json: bool) -> None:
    """Print deployments, the youngest first."""
    rows, more = await _listed(remote, "deployments", filters, limit)
    if json:
        document({"deployments": rows, "more": more})
        return
    table(
        ("deployment", "name", "source", "status", "created", "devices"),
        [
            (row["id"], short(row["name"]), row["source"], row["status"], _ago(row["created"]), _counts(row["devices"]))
            for row in rows
        ],
        spare=("created", "devices"),
    )
    _tell_more(more, rows)


async def show_deployment(remote: Remote, word: str, *, json: bool) -> None:
    """Print one deployment with what went wrong."""
    found = await _resolved(remote, "deployments", word)
    details = await remote.get("deployments", found["source"], found["id"])
    if json:
        document(details)
        return
    row = checked(details, shape="deployment with details")
    facts(
        (
            ("deployment", row["id"]),
            ("name", row["name"]),
            ("source", f"{row['source']} ({row['vendor']})"),
            ("kind", row["kind"]),
            ("status", row["status"]),
            ("created", _when(row["created"])),
            ("devices", _counts(row["devices"])),
            ("vulnerabilities", _counts(row["vulnerabilities"])),
        )
    )
    indented("failed on", (_failed(each) for each in row["failed"]))
    indented("failed steps", (f"{each['device']} {each['name']}: {each['output']}" for each in row["steps"]))
    indented("said to have succeeded, but report", (f"{id_}: {told}" for id_, told in row["contradicted"].items()))


async def list_jobs(remote: Remote, *, filters: Mapping[str, str | None], limit: int, json: bool) -> None:
    """Print bulk jobs, the youngest first."""
    rows, more = await _listed(remote, "jobs", filters, limit)
    if json:
        document({"jobs": rows, "more": more})
        return
    table(
        ("job", "source", "action", "status", "started", "ended", "devices"),
        [
            (
                row["id"],
                row["source"],
                short(row["action"]),
                row["status"],
                _ago(row["started"]),
                _ago(row["ended"]),
                f"{row['devices']:,}",
            )
            for row in rows
        ],
        spare=("ended", "devices", "started"),
    )
    _tell_more(more, rows)


async def show_job(remote: Remote, word: str, *, json: bool) -> None:
    """Print one bulk job."""
    row = await _resolved(remote, "jobs", word)
    if json:
        document(row)
        return
    facts(
        (
            ("job", row["id"]),
            ("source", f"{row['source']} ({row['vendor']})"),
            ("action", row["action"]),
            ("status", row["status"]),
            ("the vendor says", row["word"]),
            ("devices", f"{row['devices']:,}"),
            ("started", _when(row["started"])),
            ("ended", _when(row["ended"])),
            ("requester", row["requester"]),
            ("origin", row["origin"]),
        )
    )


async def _listed(remote: Remote, what: str, filters: Mapping[str, str | None], limit: int) -> tuple[list[Row], bool]:
    """Rows over as many answers as it takes, and whether there are more."""
    rows: list[Row] = []
    after: str | None = None
    while True:
        left = _A_PAGE if limit == 0 else min(_A_PAGE, limit - len(rows))
        found = await remote.get(what, **filters, limit=left, after=after)
        page = listed(found, what=what)
        if isinstance(hint := found.get("hint"), str):
            typer.echo(plain(hint), err=True)
        rows += page
        after = found.get("next")
        if after is None or not page or len(rows) == limit:
            return rows, after is not None


async def _resolved(remote: Remote, what: str, word: str) -> Row:
    """The one thing that people mean by `[source/]id|name`; an id goes before a name.

    Errors: UsageError for an empty word; DoneBadlyError where there is none, or more than one.
    """
    _given(word, what.removesuffix("s"))
    found = await _candidates(remote, what, word)
    by_id = [row for row in found if word in (row["id"], f"{row['source']}/{row['id']}")]
    chosen = by_id or found
    one = what.removesuffix("s")
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise DoneBadlyError(f"no {one} has the id or the name {plain(word)!r}; `fleetpulse {what} list` has them all")
    named = [f"  {row['source']}/{row['id']}  {row.get('name') or ''}".rstrip() for row in chosen[:MOST_CANDIDATES]]
    rest = len(chosen) - len(named)
    more = [f"  and {rest} more"] if rest else []
    raise DoneBadlyError(
        "\n".join([f"more than one {one} is called {plain(word)!r}; say which:", *map(plain, named), *more])
    )


async def _candidates(remote: Remote, what: str, word: str) -> list[Row]:
    """Those that the whole word names, and those that it names behind a source's name and a slash."""
    rows = listed(await remote.get(what, name=word, limit=_A_PAGE), what=what)
    source, slash, name = word.partition("/")
    if slash and name and source in {each["name"] for each in listed(await remote.get("sources"), what="sources")}:
        rows += listed(await remote.get(what, source=source, name=name, limit=_A_PAGE), what=what)
    return rows


def _given(word: str, what: str) -> None:
    if not word:
        raise UsageError(f"say which {what}: its name is empty")


def _tell_more(more: bool, rows: Sequence[Row]) -> None:
    if more:
        typer.echo(f"the first {len(rows):,}; --limit 0 prints all", err=True)


_DONE: Final[Mapping[str, str]] = {
    "retry": "everything is swept now",
    "pause": "nothing is swept until `fleetpulse sources resume`, or the time is up",
    "resume": "it is swept again",
    "accept": "the next list is believed, however short",
}


def _status(source: Row) -> str:
    stale = "" if source["fresh"] or source["status"] in {"disabled", "paused", "starting"} else ", stale"
    return f"{source['status']}{stale}"


def _paused_until(source: Row) -> str:
    if not source["paused"]:
        return ""
    return _when(source["paused_until"]) or "somebody resumes it"


def _trouble(source: Row, trouble: Row) -> str:
    if trouble["problem"] != "paused":
        return f"{trouble['resource']} {_words(trouble['problem'])}"
    return f"paused {_since(trouble['since'])}, until {_paused_until(source)}"


def _resource(name: str, resource: Row) -> str:
    asked, live = resource["asked_interval_s"], resource["interval_s"]
    parts = [f"{name} every {_seconds(live)}"]
    if live > asked:
        parts.append(f"asked every {_seconds(asked)}, but the budget carries no more")
    parts.append(f"last swept {_ago(resource['last_success']) or 'never'}")
    if resource["switched_off"]:
        parts.append("switched off: the vendor does not give it to this key")
    if (progress := resource["progress"]) is not None:
        of = "" if progress["total"] is None else f" of {progress['total']:,}"
        parts.append(f"{progress['rows']:,}{of} rows so far")
    return ", ".join(parts)


def _device_status(row: Row) -> str:
    return f"{row['status']} (stale)" if row.get("stale") else str(row["status"])


def _failed(device: Row) -> str:
    name = f" {device['name']}" if device["name"] else ""
    return f"{device['id']}{name}" + (f", {device['status']} now" if device["status"] else "")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {_words(status)}" for status, number in counts.items() if number)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _ago(text: str | None) -> str:
    at = _at(text)
    return "" if at is None else f"{age(at, now=clock.now())} ago"


def _since(text: str | None) -> str:
    at = _at(text)
    return "" if at is None else age(at, now=clock.now())


def _when(text: str | None) -> str:
    """A moment for people, in UTC as in the log, and how far away it is."""
    at = _at(text)
    if at is None:
        return ""
    now = clock.now()
    told = f"{age(at, now=now)} ago" if at <= now else f"in {age(now, now=at)}"
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({told})"


def _seconds(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds, 1)))
