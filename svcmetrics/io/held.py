"""What was computed from a table once, for all who ask again: held by content, never by name.

A table counts as the same when every value in it is the same, however often it is read or copied;
one that was changed in place is another one. What cannot be told apart safely is not held at all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import pandas as pd
import pyarrow as pa

from svcmetrics.io import engine

Made = TypeVar("Made")
Mark = Hashable | None

# A notebook asks one or two logs and their cases many things; the rows lie in the engine.
_TABLES, _ANSWERS = 4, 24
_held: OrderedDict[Hashable, OrderedDict[Hashable, Any]] = OrderedDict()
_told: WeakKeyDictionary[Any, Hashable] = WeakKeyDictionary()


def once(mark: Mark, key: Hashable, make: Callable[[], Made]) -> Made:
    """What ``make`` gives for the table with this mark; made the first time only.

    Without a mark it is made each time. The tables that were asked last stay.
    """
    if mark is None:
        return make()
    answers = _held.setdefault(mark, OrderedDict())
    _held.move_to_end(mark)
    if key not in answers:
        made = make()
        answers[key] = made
    answers.move_to_end(key)
    while len(_held) > _TABLES:
        _held.popitem(last=False)
    while len(answers) > _ANSWERS:
        answers.popitem(last=False)
    return answers[key]  # type: ignore[no-any-return]


def found(mark: Mark, key: Hashable) -> Any:
    """What is held under this name of the table with this mark; None when nothing is."""
    return _held[mark].get(key) if mark is not None and mark in _held else None


def forget() -> None:
    """Let go of everything that is held, and of its rows in the engine."""
    _held.clear()


def tell(table: Any, mark: Mark) -> Any:
    """The same engine table, known by this mark from now on: rows told from what has one itself."""
    if mark is not None:
        _told[table.op()] = mark
    return table


def mark(data: Any, columns: Sequence[str] = ()) -> Mark:
    """What tells this table from any other: its content; for a file also its time of change.

    ``columns``: those that matter, of those that are there; none: all of them. None where the
    content cannot be summed up.
    """
    if data is None:
        return "nothing"
    if file := data if isinstance(data, (str, Path)) else engine.file_of(data):
        return _file(Path(file))
    if engine.is_table(data):
        known = _told.get(data.op()) if hasattr(data, "op") else None
        return known or engine.checksum(data, columns)
    if isinstance(data, pd.DataFrame):
        wanted = [c for c in columns if c in data.columns]
        return _frame(data[wanted] if wanted else data)
    return None


def marks(*tables: Any) -> tuple[Mark, ...] | None:
    """The marks of several tables; None when one of them has none."""
    found = tuple(mark(t) for t in tables)
    return None if None in found else found


def _file(path: Path) -> Mark:
    try:
        state = path.stat()
    except OSError:
        return None  # whoever reads it says what is wrong
    return (str(path.resolve()), state.st_mtime_ns, state.st_size, state.st_ino)


def _frame(data: pd.DataFrame) -> Mark:
    """A digest of all values, types and names; the index is not part of a table."""
    try:
        rows = pa.Table.from_pandas(data, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError):
        return None  # a column of mixed things
    digest = blake2b(digest_size=16)
    with pa.ipc.new_stream(pa.PythonFile(_Sink(digest), mode="w"), rows.schema) as stream:
        stream.write_table(rows)
    return digest.digest()


class _Sink:
    """A file that keeps nothing but a digest."""

    closed = False

    def __init__(self, digest: Any) -> None:
        self._digest = digest

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...
