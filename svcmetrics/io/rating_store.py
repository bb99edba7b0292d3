"""The store of a study: ratings as they come in and frozen weights, kept from the moment of the receipt.

``store.sqlite`` lies in the study's folder; ``read_study`` reads it beside the other files. For an
analysis with DuckDB the frame of ``ratings`` is queried where it is: the engine's own reader of
SQLite files would have to be fetched from a network.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from svcmetrics.io.store_cells import as_text, asked_by, columns_of, from_text, questions
from svcmetrics.io.table_cells import ReadTable
from svcmetrics.problems import OutputError, Problem, StudyError
from svcmetrics.store import connect, erase, writing
from svcmetrics.study import Source

STORE = "store.sqlite"
_TABLES = ("rating", "weight")
# What stands in a text where a name stood.
MASK = "■■"


def _create(table: str, more: str) -> str:
    own = ", ".join(f'"{c}" TEXT' for c in columns_of(table))
    return f'CREATE TABLE IF NOT EXISTS "{table}" (id INTEGER PRIMARY KEY, {own}, {more});'


_SCHEMA = _create(
    "rating",
    "received TEXT NOT NULL, question TEXT NOT NULL, revision INTEGER NOT NULL, "
    "UNIQUE (question, revision)",
) + _create("weight", "UNIQUE (set_id, node)")


class RatingStore:
    """Ratings and frozen weights of one study; many programs may write side by side."""

    def __init__(self, path: Path, *, timezone: str = "Asia/Shanghai"):
        self.path, self.timezone = path, timezone
        self._store: sqlite3.Connection = connect(path, _SCHEMA, _TABLES)
        self._store.execute("PRAGMA temp_store = MEMORY")

    @classmethod
    def open(cls, folder: str | Path, *, timezone: str = "Asia/Shanghai") -> RatingStore:
        """The store of a study's folder, made on first use; ``timezone`` of times without an offset."""
        return cls(Path(folder) / STORE, timezone=timezone)

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> RatingStore:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def append(self, ratings: pd.DataFrame, *, correcting: bool = False) -> list[int]:
        """Keep ratings as they come in: when this returns their numbers, they are on the disk.

        ``ratings``: columns as in the table ``rating``; all rows are kept, or none. The same answer
        again (a form that was sent twice) is free and gives the number that it has. Another answer
        to the same question is refused, unless ``correcting``: then it counts from now on, and
        the one before stays on record.
        """
        rows = as_text("rating", ratings, self.timezone)
        asked = questions(rows)
        columns = [*columns_of("rating"), "question"]
        with writing(self._store, self.path.name) as store:
            _hand_over(store, rows.assign(question=asked), columns)
            same = " AND ".join(f'r."{c}" IS i."{c}"' for c in columns_of("rating"))
            newest = "r.revision = (SELECT max(revision) FROM rating WHERE question = i.question)"
            others = store.execute(
                f"SELECT count(*) FROM incoming i JOIN rating r ON r.question = i.question "  # noqa: S608
                f"AND {newest} WHERE NOT ({same})"
            ).fetchone()[0]
            if others and not correcting:
                raise StudyError(Problem("rating_other_answer", count=others, table="rating"))
            names = ", ".join(f'"{c}"' for c in columns)
            own = ", ".join(f'i."{c}"' for c in columns)
            store.execute(
                f"INSERT INTO rating ({names}, received, revision) SELECT {own}, ?, "  # noqa: S608
                "1 + coalesce((SELECT max(revision) FROM rating WHERE question = i.question), 0) "
                f"FROM incoming i LEFT JOIN rating r ON r.question = i.question AND {newest} "
                f"WHERE r.id IS NULL OR NOT ({same}) ORDER BY i.place",
                (_now(),),
            )
            kept = store.execute(
                f"SELECT r.id FROM incoming i JOIN rating r ON r.question = i.question AND {newest} "  # noqa: S608
                "ORDER BY i.place"
            ).fetchall()
        return [number for (number,) in kept]

    def ratings(self, *, history: bool = False) -> pd.DataFrame:
        """The ratings that count, as the table ``rating``; ``history`` adds those since corrected.

        With ``history`` come the columns ``received`` (when it was kept) and ``revision``.
        """
        own = ", ".join(f'"{c}"' for c in (*columns_of("rating"), "received", "revision"))
        newest = "" if history else (
            "WHERE revision = (SELECT max(revision) FROM rating s WHERE s.question = r.question)"
        )  # fmt: skip
        rows = self._store.execute(f"SELECT {own} FROM rating r {newest} ORDER BY id").fetchall()  # noqa: S608
        read = from_text("rating", [r[:-2] for r in rows], self.timezone)
        if history:
            read["received"] = [r[-2] for r in rows]
            read["revision"] = [r[-1] for r in rows]
        return read

    def erase(self, keys: Sequence[str], plans: Sequence[str], words: re.Pattern[str]) -> int:
        """Remove a person's ratings for good, and the person's name from what others wrote; how many rows.

        ``keys``: what the person is called. ``plans``: the plan rows of the person. ``words``: the name
        as others write it.
        """

        def work() -> int:
            marks, plan_marks = ",".join("?" * len(keys)), ",".join("?" * len(plans))
            rows = self._store.execute(
                f"DELETE FROM rating WHERE rater_key IN ({marks}) OR plan_id IN ({plan_marks})",  # noqa: S608
                (*keys, *plans),
            ).rowcount
            told = self._store.execute("SELECT id, reason, na_reason FROM rating").fetchall()
            named = [
                (*(t and words.sub(MASK, t) for t in texts), number)
                for number, *texts in told
                if any(t and words.search(t) for t in texts)
            ]
            self._store.executemany(
                "UPDATE rating SET reason = ?, na_reason = ? WHERE id = ?", named
            )
            return rows + len(named)

        return erase(self._store, self.path.name, _TABLES, work)

    def freeze(self, weights: pd.DataFrame) -> str:
        """Keep a set of weights with its date, unchangeable from now on; gives back its digest.

        ``weights``: columns as in the table ``weight``, of one set. The same set again is free;
        other weights under the same ``set_id`` are refused.
        """
        rows = as_text("weight", weights.drop(columns=["frozen_at", "digest"], errors="ignore"),
                        self.timezone)  # fmt: skip
        told = rows.drop(columns=["frozen_at", "digest"]).sort_values(["set_id", "node"])
        digest = hashlib.sha256(told.fillna("").to_csv(index=False).encode()).hexdigest()
        names = sorted(set(rows["set_id"]))
        if len(names) != 1:
            raise StudyError(Problem("weights_one_set", {"names": names}, table="weight"))
        with writing(self._store, self.path.name) as store:
            found = store.execute("SELECT digest FROM weight WHERE set_id = ?", names).fetchone()
            if found is None:
                new = rows.assign(frozen_at=_now(), digest=digest)
                _insert(store, "weight", new)
            elif found[0] != digest:
                raise StudyError(Problem("weights_frozen", {"name": names[0]}, table="weight"))
        return digest

    def weights(self) -> pd.DataFrame:
        """The frozen weights, as the table ``weight``."""
        own = ", ".join(f'"{c}"' for c in columns_of("weight"))
        rows = self._store.execute(f"SELECT {own} FROM weight ORDER BY id").fetchall()  # noqa: S608
        return from_text("weight", rows, self.timezone)


def with_store(folder: Path, found: dict[str, ReadTable], timezone: str) -> list[Problem]:
    """Put the ratings and weights of a study's store beside those of its files.

    The store wins where both answer the same question, so that an import which writes everything
    that it knows into a file counts nothing twice.
    """
    if not (folder / STORE).is_file():
        return []
    try:
        with RatingStore.open(folder, timezone=timezone) as store:
            kept = {"rating": store.ratings(), "weight": store.weights()}
    except OutputError as error:
        return list(error.problems)
    for name, table in kept.items():
        there = found.get(name)
        if table.empty:
            continue
        if there is None or there.table is None:
            found[name] = ReadTable(table, Source(STORE, first_row=1), [])
            continue
        own = there.table
        keys = [asked_by(t) if name == "rating" else t["set_id"] for t in (own, table)]
        double = keys[0].isin(keys[1])
        rows = there.source.row_numbers(np.flatnonzero(~double.to_numpy()))
        both = pd.concat([own[~double], table], ignore_index=True)
        numbers = np.concatenate([rows, np.arange(1, len(table) + 1)])
        found[name] = replace(there, table=both, source=replace(there.source, rows=numbers))
    return []


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _hand_over(store: sqlite3.Connection, rows: pd.DataFrame, columns: list[str]) -> None:
    own = ", ".join(f'"{c}" TEXT' for c in columns)
    store.execute("DROP TABLE IF EXISTS temp.incoming")
    store.execute(f"CREATE TEMP TABLE incoming (place INTEGER PRIMARY KEY, {own})")
    marks = ", ".join("?" * (len(columns) + 1))
    store.executemany(
        f"INSERT INTO incoming VALUES ({marks})",  # noqa: S608
        zip(range(len(rows)), *(rows[c].astype("object").tolist() for c in columns)),
    )


def _insert(store: sqlite3.Connection, table: str, rows: pd.DataFrame) -> None:
    columns = columns_of(table)
    names, marks = ", ".join(f'"{c}"' for c in columns), ", ".join("?" * len(columns))
    store.executemany(
        f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608
        rows[columns].itertuples(index=False, name=None),
    )
