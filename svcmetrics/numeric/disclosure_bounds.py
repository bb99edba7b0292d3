"""Whether published sums fix a single rating: what else could the ratings have been?

A rating is safe when the sums of the atoms can be changed so that every published cell stays as
it is, every rating stays on the scale, and the rating is another one. Small whole-number changes
are tried first; where none fits, integer programming (HiGHS) answers. The same is asked for every
single insider, whose own ratings do not change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from svcmetrics.numeric.disclosure import Echelon, kernel

_EPS = 1e-6
# A bound on nodes, not on seconds: the same question gets the same answer on every machine.
_NODES = 5_000
_OUTSIDER = -1


@dataclass
class Sums:
    """Published cells over atoms, with the true sums.

    ``cells``: weights (cells × atoms); ``low``, ``high``: what each published cell leaves open.
    ``size``: ratings per atom; ``truth``: their sum, NaN where it is not known any more. ``scale``:
    lowest and highest rating. ``unit``: a rating is fixed when it is known to less than this.
    ``atom``, ``person``, ``count``, ``own``: per person and atom, how many ratings and their sum.
    """

    cells: Any
    low: np.ndarray
    high: np.ndarray
    size: np.ndarray
    truth: np.ndarray
    scale: tuple[float, float]
    atom: np.ndarray
    person: np.ndarray
    count: np.ndarray
    own: np.ndarray
    unit: float = 1.0
    whole: bool = True
    moves: list[np.ndarray] = field(default_factory=list)

    def room(self) -> tuple[np.ndarray, np.ndarray]:
        """How far each atom's sum can fall and rise on the scale."""
        low, high = self.scale
        return self.size * low - self.truth, self.size * high - self.truth

    def room_beside(self) -> tuple[np.ndarray, np.ndarray]:
        """The same for the rest of an atom when one person's own ratings are known."""
        low, high = self.scale
        rest, left = self.truth[self.atom] - self.own, self.size[self.atom] - self.count
        return left * low - rest, left * high - rest


def fixed(sums: Sums, echelon: Callable[[], Echelon]) -> bool:
    """Whether anybody, or one insider, can compute a single rating from the published cells.

    ``echelon``: makes the reduced cells; called only when a rating is in doubt at all.
    """
    if np.isnan(sums.truth).any():
        point = _solve(sums, *_box(sums, _OUTSIDER))
        if point is None:
            return True
        sums.truth = np.where(np.isnan(sums.truth), point, sums.truth)
    suspects = _suspects(sums)
    return bool(suspects) and any(
        _fixes(sums, kernel(echelon(), atom), atom, insiders) for atom, insiders in suspects.items()
    )


def _fixes(sums: Sums, moves: list[np.ndarray], atom: int, insiders: np.ndarray | None) -> bool:
    left = _unanswered(sums, moves, atom, insiders)
    while left:
        person = min(left)
        if not _another(sums, atom, person):
            return True
        left &= _unanswered(sums, [], atom, insiders) - {person}
    return False


def _suspects(sums: Sums) -> dict[int, np.ndarray | None]:
    """Atoms that hold one unknown rating, or ratings all at one end; and for which insiders.

    None: for everybody who has no rating in it, outsiders too.
    """
    fall, rise = sums.room()
    tight = (sums.size == 1) | (rise < sums.unit - _EPS) | (fall > _EPS - sums.unit)
    found: dict[int, np.ndarray | None] = {int(a): None for a in np.flatnonzero(tight)}
    fall, rise = sums.room_beside()
    left = sums.size[sums.atom] - sums.count
    near = (left == 1) | (rise < sums.unit - _EPS) | (fall > _EPS - sums.unit)
    near &= (left >= 1) & ~np.isnan(sums.own) & ~tight[sums.atom]
    for a in np.unique(sums.atom[near]):
        found[int(a)] = sums.person[near & (sums.atom == a)]
    return found


def _unanswered(
    sums: Sums, moves: list[np.ndarray], atom: int, insiders: np.ndarray | None
) -> set[int]:
    """The insiders (and the outsider) for whom no known change of the atom fits."""
    fall, rise = sums.room()
    fall_beside, rise_beside = sums.room_beside()
    known = ~np.isnan(sums.own)
    inside = sums.atom == atom
    alone = sums.person[inside & (sums.count == sums.size[atom])]
    if insiders is None:
        left = {_OUTSIDER, *sums.person[known].tolist()} - set(alone.tolist())
    else:
        left = set(insiders.tolist())
    sums.moves = sums.moves[-64:]
    # A change that leaves every cell as it is may go either way; one that was found within what the
    # cells leave open goes its own way only, and may be less than a unit here.
    both_ways = [sign * move for move in moves for sign in (1, -1)]
    for move in [*both_ways, *[m for m in sums.moves if abs(m[atom]) > 1 - _EPS]]:
        change = sums.unit * move
        if ((change < fall - _EPS) | (change > rise + _EPS)).any():
            continue
        at = change[sums.atom]
        bad = known & ((at < fall_beside - _EPS) | (at > rise_beside + _EPS))
        left &= set(sums.person[bad].tolist())
        if not left:
            return left
    return left


def _another(sums: Sums, atom: int, person: int) -> bool:
    """Whether the atom could have another sum, for an insider who knows their own ratings."""
    for side in (-1.0, 1.0):
        low, high = _box(sums, person)
        if side < 0:
            high[atom] = min(high[atom], sums.truth[atom] - sums.unit)
        else:
            low[atom] = max(low[atom], sums.truth[atom] + sums.unit)
        if low[atom] > high[atom] + _EPS:
            continue
        point = _solve(sums, low, high)
        if point is not None:
            sums.moves.append((point - sums.truth) / sums.unit)
            return True
    return False


def _box(sums: Sums, person: int) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of every atom's sum, with one person's own ratings known."""
    low, high = sums.size * sums.scale[0], sums.size * sums.scale[1]
    mine = sums.person == person
    at, count, own = sums.atom[mine], sums.count[mine], sums.own[mine]
    low[at] = own + (sums.size[at] - count) * sums.scale[0]
    high[at] = own + (sums.size[at] - count) * sums.scale[1]
    return low, high


def _solve(sums: Sums, low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
    """Sums of atoms that agree with every cell; None when there are none.

    A search that does not end counts as none: not knowing is not enough.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    answer = milp(
        np.zeros(len(low)),
        constraints=LinearConstraint(sums.cells, sums.low - _EPS, sums.high + _EPS),
        bounds=Bounds(low, high),
        integrality=np.full(len(low), int(sums.whole)),
        options={"node_limit": _NODES},
    )
    if answer.x is None:
        return None
    point = np.asarray(answer.x)
    return np.round(point) if sums.whole else point
