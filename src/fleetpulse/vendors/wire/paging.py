"""When a walk over pages ends: by the vendor's rules, or by a guard that keeps it from never ending."""

from collections.abc import Sequence

import msgspec

CURSOR_LIMIT = 2048  # characters: it has to fit into the line of a request


def sendable(cursor: object) -> bool:
    """Whether a cursor can stand in an address: it is opaque, but text, without half characters or control ones."""
    return isinstance(cursor, str) and 0 < len(cursor) <= CURSOR_LIMIT and cursor.isprintable()


class Step(msgspec.Struct, frozen=True):
    """What follows a page: the cursor of the next one, or None at the end; `guard` names the guard that ended it."""

    cursor: str | None = None
    guard: str = ""


class Paging:
    """The state of one walk, in constant memory per page but for the cursors seen.

    `seen` and `pages` carry on from a walk that broke.
    Source: docs/vendors/README.md, "Paging guards"; docs/vendors/jfrog-connect.md, "Paging".
    """

    def __init__(self, *, pages_max: int, limit: int | None = None, seen: int = 0, pages: int = 0) -> None:
        self.seen = seen
        self.pages = pages
        self._limit = limit
        self._pages_max = pages_max
        self._cursors: set[str] = set()
        self._page_before: frozenset[str] = frozenset()

    def after(self, ids: Sequence[str], *, rows: int, cursor: str | None, total: int | None) -> Step:
        """Judge the page that just came: its ids, how many rows it had (odd ones too), its cursor, and its `total`.

        Ends by rule: an empty page, no cursor, or as many rows as `total` says. Ends by guard: only ids of the page
        before, a cursor that cannot be sent or comes for the second time, too many pages. A `total` below the page's
        own rows is nonsense and counts as absent.
        """
        self.seen += rows
        self.pages += 1
        known, self._page_before = self._page_before, frozenset(ids)
        if rows == 0 or not cursor:
            return Step()
        repeats = bool(ids) and self._page_before <= known
        told_all = total is not None and rows <= total <= self.seen and not self._counts_the_page(rows, total)
        if told_all and not repeats:
            return Step()
        guard = f"page {self.pages} repeats the page before" if repeats else self._refused(cursor)
        self._cursors.add(cursor)
        return Step(guard=guard) if guard else Step(cursor)

    def _refused(self, cursor: str) -> str:
        """The guard that keeps a walk from going on by this cursor; empty for none."""
        if not sendable(cursor):
            return f"page {self.pages} gives a cursor that cannot be sent"
        if cursor in self._cursors:
            return f"page {self.pages} repeats a cursor"
        return f"more than {self._pages_max} pages" if self.pages >= self._pages_max else ""

    def _counts_the_page(self, rows: int, total: int) -> bool:
        """Whether `total` may be this page's own count: nobody documents which, so a full page is asked past once."""
        return self._limit is not None and rows >= self._limit and rows == total
