"""What is on record about a study outside of it, with its date: criteria as first seen, and erasures.

In the file of the ledger, beside the key: who edits ``study.toml`` does not edit the record.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from svcmetrics.privacy.pseudonyms import keys_folder, stem
from svcmetrics.store import connect, writing

_SCHEMA = """
CREATE TABLE IF NOT EXISTS criteria (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS erasure (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, content TEXT NOT NULL);
"""
_TABLES = ("criteria", "erasure")
Criteria = Mapping[str, Mapping[str, float]]


class Dated(NamedTuple):
    """Criteria as they stood, and since when that is on record."""

    at: pd.Timestamp
    criteria: dict[str, dict[str, float]]


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
