"""Adjusted scores lean on what raters gave to others: audited with their exact weights.

An adjusted or shrunken mean is a sum over all ratings, whose weights anybody can work out from who
rated whom and from the variances. So a vote that came late shows in the scores of other departments
too. What was published of them is kept in the ledger as a recipe: who rated whom (keyed marks), the
variances, the rows shown. A new row is shown when, with all other rows, it leaves enough unknown of
one person's answers and of any group of fewer than the least number.
"""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.numeric.disclosure_audit import Cells
from svcmetrics.numeric.disclosure_leverage import best_known
from svcmetrics.numeric.leaning import adjusted_rows, shrunken_rows
from svcmetrics.privacy.behind import Behind

SCHEMA = """
CREATE TABLE IF NOT EXISTS leaning (
    id INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, quantity TEXT NOT NULL,
    recipe BLOB NOT NULL);
"""
# Shares that may be known, of one person's answers and of a group below the least number. The mean
# of five gives 80% of four of them away; exactly computed is 100%.
_PERSON, _GROUP = 0.8, 0.9
# Larger tables of weights are not audited: nothing that would need it is shown.
MOST = 40_000_000
MEAN = -1  # the row of the mean over departments


@dataclass(frozen=True)
class Leaning:
    """What computed scores are made of.

    ``form``, ``share``: of each part (a row of ``Behind.ratings``) its form and its weight in it.
    ``target``, ``rater``, ``others``: codes of each form. ``ids``: of the targets. ``variances``: of
    the model, by variant. ``mean``: the targets whose mean the scores are compared with.
    """

    form: np.ndarray
    share: np.ndarray
    target: np.ndarray
    rater: np.ndarray
    others: tuple[np.ndarray, ...]
    ids: tuple[str, ...]
    variances: Mapping[str, Mapping[str, float]]
    mean: tuple[int, ...] = ()

    def rows(self, wanted: Iterable[tuple[str, int]]) -> np.ndarray:
        """Weights of the parts (rows × parts) in each wanted (variant, target)."""
        made = {
            variant: (adjusted_rows if variant == "adjusted" else shrunken_rows)(
                self.target, self.rater, self.others, self.variances[variant]
            )
            for variant in self.variances
        }
        rows = [
            made[v][t] if t != MEAN else made[v][list(self.mean)].mean(axis=0) for v, t in wanted
        ]
        whole = np.array(rows).reshape(len(rows), len(self.target))
        return np.asarray(whole[:, self.form] * self.share)


def leaning(
    behind: Behind, variances: Mapping[str, Mapping[str, float]], *, target: str, taken_out: Sequence[str]
) -> Leaning:  # fmt: skip
    """Read the forms behind scores. ``taken_out``: columns of the parts (wave, mode), where they vary."""
    parts = behind.ratings
    out = [c for c in taken_out if c in parts and parts[c].nunique() > 1]
    of_form = [c for c in (target, behind.rater, *behind.rating) if c in parts and c != "dimension"]
    form = parts.groupby(list(dict.fromkeys(of_form)), dropna=False).ngroup().to_numpy()
    _, first = np.unique(form, return_index=True)
    share = parts[behind.weight].to_numpy("float64") if behind.weight else np.ones(len(parts))
    whole = np.bincount(form, weights=share)
    told = parts.iloc[first]
    codes, ids = pd.factorize(told[target].astype("str"), sort=True)
    others = tuple(pd.factorize(told[c].astype("str"), sort=True)[0] for c in out)
    rater = pd.factorize(told[behind.rater], sort=True)[0]
    return Leaning(
        form, share / whole[form], codes, rater, others, tuple(map(str, ids)), dict(variances)
    )


def admit(
    store: sqlite3.Connection, quantity: str, found: Leaning, ratings: tuple[np.ndarray, np.ndarray],
    wanted: Sequence[tuple[str, int]], plain: tuple[np.ndarray, np.ndarray], least: int,
) -> list[bool]:  # fmt: skip
    """Which computed rows may be shown beside what was published; these are kept.

    ``ratings``: the number of each part in the ledger, and the person of every number. ``plain``: sums
    (cells × numbers) that were published, and those that are asked for with the computed rows.
    """
    (ids, person), (old, new) = ratings, plain
    recipe = _written(found, ids)
    rows = np.zeros((len(wanted), len(person)))
    rows[:, ids] = found.rows(wanted)
    base = np.vstack([old, published(store, quantity, len(person))])
    ok = taken(base, np.vstack([new, rows]), person, least)[len(new) :]
    shown = [w for w, good in zip(wanted, ok) if good]
    if not shown:
        return ok
    content = _packed(recipe, shown)
    store.execute(
        "INSERT OR IGNORE INTO leaning (identity, quantity, recipe) VALUES (?, ?, ?)",
        (hashlib.sha256(quantity.encode() + content).digest(), quantity, content),
    )
    return ok


def beside(store: sqlite3.Connection, quantity: str, cells: Cells, found: np.ndarray) -> np.ndarray:
    """Which of the new cells may be shown beside adjusted scores too; those of most ratings first."""
    known = store.execute(
        "SELECT 1 FROM leaning WHERE quantity = ? LIMIT 1", (quantity,)
    ).fetchone()
    if not found.any() or known is None:
        return found
    if len(cells.low) * len(cells.person) > MOST:
        return np.zeros(len(found), dtype=bool)
    scores = published(store, quantity, len(cells.person))
    rows = np.zeros((len(cells.low), len(cells.person)))
    rows[cells.cell, cells.rating] = cells.weight
    base, new = np.vstack([rows[~cells.new], scores]), rows[cells.new]
    asked = np.flatnonzero(found)
    asked = asked[np.argsort(-(new[asked] > 0).sum(axis=1), kind="stable")]
    kept = np.zeros(len(found), dtype=bool)
    kept[asked] = taken(base, new[asked], cells.person, cells.least)
    return kept


def dense(members: Sequence[np.ndarray], weights: Sequence[np.ndarray], numbers: int) -> np.ndarray:
    """Sums as rows over the numbers of all ratings."""
    rows = np.zeros((len(members), numbers))
    for row, mine, w in zip(rows, members, weights):
        row[mine] = w
    return rows


def published(store: sqlite3.Connection, quantity: str, numbers: int) -> np.ndarray:
    """All computed rows that were shown, over the numbers of ratings."""
    found = store.execute(
        "SELECT recipe FROM leaning WHERE quantity = ? ORDER BY id", (quantity,)
    ).fetchall()
    parts = [np.zeros((0, numbers))]
    for (content,) in found:
        lean, ids, shown = _read(content)
        rows = np.zeros((len(shown), numbers))
        rows[:, ids] = lean.rows(shown)
        parts.append(rows)
    return np.vstack(parts)


def taken(base: np.ndarray, rows: np.ndarray, person: np.ndarray, least: int) -> list[bool]:
    """Rows in this order, each taken when with those before it enough stays unknown."""
    used = np.flatnonzero(base.any(axis=0) | rows.any(axis=0))
    _, who = np.unique(person[used], return_inverse=True)
    base, rows = base[:, used], rows[:, used]
    limits = [max(_known(base, who, n, limit), limit) for n, limit in _limits(least)]
    ok: list[int] = []
    start = 0
    while start < len(rows):
        good, bad = 0, len(rows) - start + 1  # rows from `start` on: so many are safe, so many not
        step = bad - 1  # all of them first
        while bad - good > 1:
            tried = [*ok, *range(start, start + step)]
            whole = np.vstack([base, rows[tried]])
            safe = all(
                _known(whole, who, n, limit) <= limit + 1e-9
                for (n, _), limit in zip(_limits(least), limits)
            )
            good, bad = (step, bad) if safe else (good, step)
            step = (good + bad) // 2
        ok += range(start, start + good)
        start += good + 1
    return [i in set(ok) for i in range(len(rows))]


def _limits(least: int) -> tuple[tuple[int, float], ...]:
    return (2, _PERSON), (least, _GROUP)


def _known(rows: np.ndarray, who: np.ndarray, least: int, limit: float) -> float:
    return best_known(rows, who, least, limit)


def _written(found: Leaning, ids: np.ndarray) -> dict[str, np.ndarray]:
    told = json.dumps([found.ids, found.variances, found.mean], sort_keys=True)
    return {
        "ids": ids.astype("<i8"), "form": found.form.astype("<i4"), "share": found.share,
        "target": found.target.astype("<i4"), "rater": found.rater.astype("<i4"),
        "others": np.array(found.others, dtype="<i4").reshape(
            len(found.others), len(found.target)
        ),
        "told": np.frombuffer(told.encode(), dtype=np.uint8),
    }  # fmt: skip


def _packed(recipe: Mapping[str, np.ndarray], shown: Sequence[tuple[str, int]]) -> bytes:
    said = json.dumps(list(shown)).encode()
    out = io.BytesIO()
    arrays: dict[str, Any] = {**recipe, "shown": np.frombuffer(said, dtype=np.uint8)}
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def _read(content: bytes) -> tuple[Leaning, np.ndarray, list[tuple[str, int]]]:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        kept = {name: file[name] for name in file.files}
    ids, variances, mean = json.loads(kept["told"].tobytes())
    found = Leaning(
        kept["form"], kept["share"], kept["target"], kept["rater"], tuple(kept["others"]),
        tuple(ids), variances, tuple(mean),
    )  # fmt: skip
    return found, kept["ids"], [(v, t) for v, t in json.loads(kept["shown"].tobytes())]
