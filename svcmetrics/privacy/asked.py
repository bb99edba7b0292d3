"""Cells that somebody wants to show, put beside those that were published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svcmetrics.numeric.disclosure_audit import Cells
from svcmetrics.privacy.behind import Behind


@dataclass(frozen=True)
class Asked:
    """A cell that somebody wants to show: which rows of the marked ratings, with which weights.

    ``low``, ``high``: what the shown value leaves open for the weighted sum.
    """

    label: str
    rows: np.ndarray
    weights: np.ndarray
    low: float
    high: float


def together(
    old: list[tuple], asked: list[Asked], ids: np.ndarray, person: np.ndarray, score: np.ndarray,
    behind: Behind, floors: tuple[int, int],
) -> Cells:  # fmt: skip
    """Cells old and new over all ratings; ``floors``: fewest persons of a cell, and of a computed sum."""
    members = [np.frombuffer(row[3], dtype="<i8") - 1 for row in old]
    weights = [np.frombuffer(row[4], dtype="<i8") for row in old]
    members += [ids[a.rows] for a in asked]
    weights += [a.weights for a in asked]
    return Cells(
        cell=np.repeat(np.arange(len(members)), [len(m) for m in members]),
        rating=np.concatenate(members),
        weight=np.concatenate(weights),
        low=np.array([*(r[1] for r in old), *(a.low for a in asked)]),
        high=np.array([*(r[2] for r in old), *(a.high for a in asked)]),
        new=np.arange(len(members)) >= len(old),
        person=person,
        score=score,
        least=floors[0],
        computed=floors[1],
        scale=behind.scale,
        unit=behind.unit,
        whole=behind.whole,
    )
