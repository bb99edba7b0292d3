"""What is on record about a study outside of it, with its date: criteria, group sizes, and erasures.

In the file of the ledger, beside the key: who edits ``study.toml`` does not edit the record.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from svcmetrics.privacy.pseudonyms import keys_folder, stem
from svcmetrics.store import connect, writing
from svcmetrics.study import Wave

_SCHEMA = """
CREATE TABLE IF NOT EXISTS criteria (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS erasure (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS group_size (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, raters INTEGER NOT NULL, comments INTEGER NOT NULL);
"""
_TABLES = ("criteria", "erasure", "group_size")
Criteria = Mapping[str, Mapping[str, float]]


class Dated(NamedTuple):
    """Criteria as they stood, and since when that is on record."""

    at: pd.Timestamp
    criteria: dict[str, dict[str, float]]


class Locked(NamedTuple):
    """The least group sizes of a wave that has opened, and since when they are on record."""

    wave: str
    raters: int
    comments: int
    at: pd.Timestamp
    late: bool  # the first record came after the wave had opened


def keep_criteria(
    study: str, criteria: Criteria, *, at: pd.Timestamp | None = None, directory: Path | None = None
) -> None:
    """Put the criteria of a study on record with today's date, when they are not those of last time."""
    text = json.dumps({k: dict(v) for k, v in criteria.items()}, sort_keys=True)
    if not criteria:
        return
    when = pd.Timestamp(datetime.now(UTC)) if at is None else at.tz_convert("UTC")
    with _record(study, directory) as store, writing(store, _path(study, directory).name):
        last = store.execute("SELECT content FROM criteria ORDER BY id DESC LIMIT 1").fetchone()
        if last is None or last[0] != text:
            store.execute(
                "INSERT INTO criteria (at, content) VALUES (?, ?)",
                (when.isoformat(timespec="seconds"), text),
            )


def criteria_then(
    study: str, when: pd.Timestamp | None, *, directory: Path | None = None
) -> Dated | None:
    """The criteria on record at a moment, else those that came first after it; None without a record."""
    if not _path(study, directory).exists():
        return None
    with _record(study, directory) as store:
        rows = store.execute("SELECT at, content FROM criteria ORDER BY id").fetchall()
    dated = [Dated(pd.Timestamp(at), json.loads(content)) for at, content in rows]
    before = [d for d in dated if when is not None and d.at <= when]
    return before[-1] if before else next(iter(dated), None)


def keep_floors(
    study: str, *, raters: int, comments: int, at: pd.Timestamp | None = None,
    directory: Path | None = None,
) -> None:  # fmt: skip
    """Put the least group sizes of a study on record, when they are not those of last time."""
    when = pd.Timestamp(datetime.now(UTC)) if at is None else at.tz_convert("UTC")
    with _record(study, directory) as store, writing(store, _path(study, directory).name):
        last = store.execute(
            "SELECT raters, comments FROM group_size ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if last != (raters, comments):
            store.execute(
                "INSERT INTO group_size (at, raters, comments) VALUES (?, ?, ?)",
                (when.isoformat(timespec="seconds"), raters, comments),
            )


def locked_floors(
    study: str, waves: Sequence[Wave], *, now: pd.Timestamp | None = None,
    directory: Path | None = None,
) -> list[Locked]:  # fmt: skip
    """The group sizes below which no opened wave may fall: those it opened with, and what was raised since."""
    moment = pd.Timestamp(datetime.now(UTC)) if now is None else now
    opened = [w for w in waves if w.start <= moment]
    if not opened or not _path(study, directory).exists():
        return []
    with _record(study, directory) as store:
        rows = store.execute("SELECT at, raters, comments FROM group_size ORDER BY id").fetchall()
    seen = [(pd.Timestamp(at), raters, comments) for at, raters, comments in rows]
    found = []
    for wave in opened if seen else []:
        before = sum(at <= wave.start for at, *_ in seen)
        since = seen[max(before - 1, 0) :]
        sizes = max(r for _, r, _ in since), max(c for *_, c in since)
        reached = [next(row[0] for row in since if row[k + 1] == sizes[k]) for k in (0, 1)]
        found.append(Locked(wave.id, *sizes, max(reached), before == 0))
    return found


def keep_erasure(
    study: str, rows: Mapping[str, int], *, files: int, left: int, directory: Path | None = None
) -> None:
    """Record that somebody was erased, never who: when, how many rows of which table, how many files."""
    content = {"rows": dict(rows), "files_removed": files, "files_left": left}
    with _record(study, directory) as store, writing(store, _path(study, directory).name):
        store.execute(
            "INSERT INTO erasure (at, content) VALUES (?, ?)",
            (datetime.now(UTC).isoformat(timespec="seconds"), json.dumps(content, sort_keys=True)),
        )


def erasures(study: str, *, directory: Path | None = None) -> list[dict]:
    """The erasures on record, oldest first."""
    if not _path(study, directory).exists():
        return []
    with _record(study, directory) as store:
        rows = store.execute("SELECT at, content FROM erasure ORDER BY id").fetchall()
    return [{"at": at, **json.loads(content)} for at, content in rows]


def _path(study: str, directory: Path | None) -> Path:
    return keys_folder(directory) / f"{stem(study)}.ledger.sqlite"


@contextmanager
def _record(study: str, directory: Path | None) -> Iterator[sqlite3.Connection]:
    with closing(connect(_path(study, directory), _SCHEMA, _TABLES)) as store:
        yield store
