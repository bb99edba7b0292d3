"""The ledger: every cell that was ever published about ratings, and the least group size per wave.

One SQLite file per organisation, beside the key and outside the study and its outputs
(``$SVCMETRICS_KEYS`` or ``~/.svcmetrics/keys``): who shares a study or a report does not share it,
and it outlives both. It holds keyed marks and published values, no name and no rating. Who deletes
it forgets what is known outside: the next report can then give a person away.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from svcmetrics.numeric.disclosure_audit import admitted
from svcmetrics.privacy import leaning
from svcmetrics.privacy.asked import Asked, together
from svcmetrics.privacy.behind import Behind
from svcmetrics.privacy.pseudonyms import keys_folder, load_key, stem
from svcmetrics.problems import Problem, StudyError
from svcmetrics.store import connect, writing

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rating (
    id INTEGER PRIMARY KEY, mark BLOB NOT NULL UNIQUE, person BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS cell (
    id INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, quantity TEXT NOT NULL,
    label TEXT NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
    ratings BLOB NOT NULL, weights BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS floor (
    id INTEGER PRIMARY KEY, wave TEXT NOT NULL, raters INTEGER NOT NULL, comments INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refused (
    id INTEGER PRIMARY KEY, quantity TEXT NOT NULL, cells INTEGER NOT NULL, ratings INTEGER NOT NULL);
"""
_TABLES = ("rating", "cell", "floor", "leaning", "refused")


class Ledger:
    """Everything that was published about the ratings of one organisation."""

    def __init__(self, path: Path, key: bytes):
        self.path, self.key = path, key
        self._store: sqlite3.Connection = connect(path, _SCHEMA + leaning.SCHEMA, _TABLES)

    @classmethod
    def open(cls, organisation: str, directory: Path | None = None) -> Ledger:
        """The ledger of an organisation, made on first use beside its key."""
        key = load_key(organisation, directory)
        return cls(keys_folder(directory) / f"{stem(organisation)}.ledger.sqlite", key)

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def cells(self) -> pd.DataFrame:
        """What was published so far: quantity, label, and how many ratings it rests on."""
        rows = self._store.execute(
            "SELECT quantity, label, ratings FROM cell ORDER BY id"
        ).fetchall()
        return pd.DataFrame(
            [(q, label, len(ids) // 8) for q, label, ids in rows],
            columns=["quantity", "label", "ratings"],
        )

    def refused(self) -> pd.DataFrame:
        """What was too large to be audited, and so not shown: quantity, cells and ratings."""
        rows = self._store.execute("SELECT quantity, cells, ratings FROM refused ORDER BY id")
        return pd.DataFrame(rows.fetchall(), columns=["quantity", "cells", "ratings"])

    def lock(self, waves: Sequence[str], *, raters: int, comments: int) -> None:
        """Fix the least group sizes of waves that have opened: they may rise, never fall."""
        with writing(self._store, self.path.name) as store:
            found = store.execute(
                "SELECT wave, max(raters), max(comments) FROM floor GROUP BY wave"
            )
            known: Mapping[str, tuple[int, int]] = {w: (r, c) for w, r, c in found}
            for wave in waves:
                locked = known.get(wave, (0, 0))
                for name, asked, least in zip(("raters", "comments"), (raters, comments), locked):
                    if asked < least:
                        values = {"wave": wave, "found": asked, "locked": least}
                        problem = Problem("floor_lowered", values, column=f"groups.{name}")
                        raise StudyError(problem)
                if (raters, comments) != locked:
                    store.execute(
                        "INSERT INTO floor (wave, raters, comments) VALUES (?, ?, ?)",
                        (wave, raters, comments),
                    )

    def admit(
        self,
        quantity: str,
        behind: Behind,
        asked: Sequence[Asked],
        *,
        least: int,
        computed: int | None = None,
        keep: bool = True,
    ) -> np.ndarray:
        """Which cells may be shown beside everything that was published; these are then kept.

        ``least``: fewest raters of a cell; ``computed``: behind a sum that may be computed from
        several cells, as ``least`` if left out.
        Cells that were published before, and cells asked for twice, are free. ``keep`` False only
        asks.
        """
        marked = behind.marked(self.key)
        with writing(self._store, self.path.name) as store:
            marks = np.frombuffer(b"".join(marked["mark"]), dtype=np.uint8).reshape(-1, 12)
            names = [_identity(quantity, cell, marks) for cell in asked]
            old = store.execute(
                "SELECT identity, low, high, ratings, weights FROM cell WHERE quantity = ? ORDER BY id",
                (quantity,),
            ).fetchall()
            known = {row[0] for row in old}
            fresh = [i for i, n in enumerate(names) if n not in known and n not in names[:i]]
            shown = dict.fromkeys(known, True)
            if fresh:
                ids, person, score = self._ratings(marked)
                floors = (least, least if computed is None else computed)
                cells = together(old, [asked[i] for i in fresh], ids, person, score, behind, floors)
                found = admitted(cells)[len(old) :]
                found = leaning.beside(store, quantity, cells, found)
                shown |= {names[i]: bool(ok) for i, ok in zip(fresh, found)}
                if keep:
                    kept = [i for i in fresh if shown[names[i]]]
                    _keep(store, quantity, [(names[i], asked[i]) for i in kept], ids, marked)
        return np.array([shown[n] for n in names], dtype=bool)

    def admit_leaning(
        self, quantity: str, behind: Behind, found: leaning.Leaning,
        wanted: Sequence[tuple[str, int]], plain: Sequence[Asked], *, least: int,
    ) -> list[bool]:  # fmt: skip
        """Which computed rows (variant, target) may be shown beside everything that was published.

        ``plain``: means of the same ratings that are about to be published with them. What may be
        shown is kept. Too many to be audited exactly (``leaning.MOST``): none is, which is kept too.
        """
        marked = behind.marked(self.key)
        with writing(self._store, self.path.name) as store:
            store.executemany(
                "INSERT OR IGNORE INTO rating (mark, person) VALUES (?, ?)",
                list(zip(marked["mark"].tolist(), marked["person"].tolist())),
            )
            ids, person, _ = self._ratings(marked)
            old = store.execute(
                "SELECT ratings, weights FROM cell WHERE quantity = ? ORDER BY id", (quantity,)
            ).fetchall()
            rows = len(old) + len(plain) + len(wanted)
            if rows * len(person) > leaning.MOST:
                store.execute(
                    "INSERT INTO refused (quantity, cells, ratings) VALUES (?, ?, ?)",
                    (quantity, rows, len(person)),
                )
                return [False] * len(wanted)
            shown = leaning.dense(
                [np.frombuffer(r, dtype="<i8") - 1 for r, _ in old],
                [np.frombuffer(w, dtype="<i8") for _, w in old], len(person),
            )  # fmt: skip
            new = leaning.dense(
                [ids[a.rows] for a in plain], [a.weights for a in plain], len(person)
            )
            return leaning.admit(store, quantity, found, (ids, person), wanted, (shown, new), least)

    def _ratings(self, marked: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The number of each marked rating; and of all numbers the person and, if known, the score."""
        found = self._store.execute("SELECT mark, person FROM rating ORDER BY id").fetchall()
        index = pd.Index([m for m, _ in found] + marked["mark"].tolist(), dtype=object)
        code, distinct = pd.factorize(index)
        ids = code[len(found) :]
        score = np.full(len(distinct), np.nan)
        score[ids] = marked["score"].to_numpy()
        persons = pd.Series([p for _, p in found] + marked["person"].tolist(), dtype=object)
        person = np.zeros(len(distinct), dtype=np.int64)
        person[code] = pd.factorize(persons)[0]
        return ids, person, score


def _identity(quantity: str, cell: Asked, marks: np.ndarray) -> bytes:
    """The same ratings with the same weights and the same shown value are the same cell."""
    mine = marks[cell.rows]
    order = np.lexsort(np.ascontiguousarray(mine).view(">u4").T[::-1])
    weights = np.asarray(cell.weights)[order].astype(">u8").view(np.uint8).reshape(-1, 8)
    bounds = f"{quantity}\x1f{cell.low:.9g}\x1f{cell.high:.9g}\x1f".encode()
    return hashlib.sha256(bounds + np.hstack([mine[order], weights]).tobytes()).digest()


def _keep(
    store: sqlite3.Connection, quantity: str, kept: list[tuple[bytes, Asked]], ids: np.ndarray,
    marked: pd.DataFrame,
) -> None:  # fmt: skip
    """Write the cells and the marks of their ratings, numbered from 1 without gaps."""
    if not kept:
        return
    known = store.execute("SELECT count(*) FROM rating").fetchone()[0]
    used = np.unique(np.concatenate([a.rows for _, a in kept]))
    codes, first = np.unique(ids[used], return_index=True)
    new = codes >= known
    number = np.arange(max(int(ids.max()), known) + 1)
    number[codes[new]] = known + np.arange(int(new.sum()))
    mark, person = marked["mark"].tolist(), marked["person"].tolist()
    store.executemany(
        "INSERT INTO rating (mark, person) VALUES (?, ?)",
        [(mark[r], person[r]) for r in used[first[new]].tolist()],
    )
    store.executemany(
        "INSERT INTO cell (identity, quantity, label, low, high, ratings, weights) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                name, quantity, a.label, a.low, a.high,
                (number[ids[a.rows]] + 1).astype("<i8").tobytes(),
                a.weights.astype("<i8").tobytes(),
            )
            for name, a in kept
        ],
    )  # fmt: skip
