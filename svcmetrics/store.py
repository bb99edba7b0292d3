"""SQLite files that lose nothing that was acknowledged: written ahead, synced, added to and never changed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from svcmetrics.problems import OutputError, Problem

# How long a writer waits for another one, in milliseconds.
_PATIENCE = 30_000
_WORDS = ("update", "delete")


def connect(path: Path, schema: str, append_only: Iterable[str] = ()) -> sqlite3.Connection:
    """Open a store, made on first use and readable by its owner only.

    ``schema``: statements of the form CREATE … IF NOT EXISTS. ``append_only``: tables whose rows can
    be added and never changed or deleted, whoever asks. Once ``writing`` has ended a row survives
    a crash of the program and of the machine (as far as its disk keeps what it has acknowledged).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        store = sqlite3.connect(path, timeout=_PATIENCE / 1000, isolation_level=None)
        store.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("PRAGMA synchronous = FULL")
        store.execute("PRAGMA foreign_keys = ON")
        guards = [line for table in append_only for line in _guards(table)]
        store.executescript(";".join([schema.rstrip().rstrip(";"), *guards]))
    except (OSError, sqlite3.Error) as error:
        raise OutputError(Problem("store_unusable", file=path.name)) from error
    return store


def _guards(table: str) -> list[str]:
    return [
        f'CREATE TRIGGER IF NOT EXISTS "{table}_no_{word}" BEFORE {word} ON "{table}" '
        f"BEGIN SELECT RAISE(ABORT, 'append only'); END"
        for word in _WORDS
    ]


def erase(
    store: sqlite3.Connection, file: str, append_only: Iterable[str], work: Callable[[], int]
) -> int:
    """Let ``work`` change or delete rows once, then wipe what they left behind in the file and its journal.

    Nobody else writes meanwhile. Gives back what ``work`` gives: the number of rows.
    """
    tables = tuple(append_only)
    with writing(store, file):
        store.execute("PRAGMA secure_delete = ON")
        for table in tables:
            for word in _WORDS:
                store.execute(f'DROP TRIGGER IF EXISTS "{table}_no_{word}"')
        rows = work()
        for table in tables:
            for line in _guards(table):
                store.execute(line)
    try:
        store.execute("VACUUM")
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise OutputError(Problem("store_unusable", file=file)) from error
    return rows


@contextmanager
def writing(store: sqlite3.Connection, file: str) -> Iterator[sqlite3.Connection]:
    """One transaction, alone: all of it is kept, or nothing; ``file`` names the store in an error."""
    try:
        store.execute("BEGIN IMMEDIATE")
        try:
            yield store
        except BaseException:
            if store.in_transaction:
                store.execute("ROLLBACK")
            raise
        store.execute("COMMIT")
    except sqlite3.Error as error:
        if store.in_transaction:
            store.execute("ROLLBACK")
        raise OutputError(Problem("store_unusable", file=file)) from error
