"""What two measures of one round robin have in common: covariances, and how sure they are.

What one measure has for itself, errors of single ratings among it, is in its own variance and in no
covariance of the two. Errors as those of one measure (Lashley and Bond 1997, Psychological Methods
2, 278-291): Cov(x'Ay, x'By) is linear in products of components, of which unbiased estimates exist.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import round_robin, round_robin_errors

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Actor, partner, actor of x with partner of y, partner of x with actor of y, relationship, dyadic.
_TURNED = np.array([0, 1, 3, 2, 4, 5])  # which part each is the other way round
# From these six to the names of one measure: its actor with its partner is the mean of the two.
_FOLDED = np.array([
    [1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0.5, 0.5, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1],
])  # fmt: skip


@dataclass(frozen=True)
class Shared:
    """Five (co)variances in the order of ``round_robin.NAMES`` and their errors.

    ``six``, ``six_errors``: with the two crossings of actor and partner apart; errors of six are
    missing where they come from leaving out units.
    """

    values: Floats
    errors: Floats
    six: Floats
    six_errors: Floats


def shared(x: Floats, y: Floats, actor: Whole, partner: Whole, units: int) -> Shared | None:
    """Two measures of the same cells; None where the cells cannot tell the parts apart."""
    made_of = round_robin.parts(actor, partner, units, round_robin.reverse(actor, partner, units))
    six, gram, _ = round_robin.solved(x, y, made_of)
    if six is None:
        return None
    n = len(x)
    if n == units * (units - 1) and units > 3:
        trace = round_robin_errors.complete_traces(gram, round_robin_errors.PARTS, units)
    elif n <= round_robin.DENSE:
        trace = round_robin_errors.traces(gram, [v.toarray() for v in made_of])
    else:
        apart = np.full(len(six), np.nan)
        return Shared(_FOLDED @ six, _left_out(x, y, actor, partner, units), six, apart)
    one, two = (np.linalg.solve(gram, [(v - v.mean()) @ (m @ (v - v.mean())) for m in made_of])
                for v in (x, y))  # fmt: skip
    covariance = _covariance(one, two, six, trace)
    errors = [np.sqrt(np.maximum(np.diagonal(c), 0))
              for c in (_FOLDED @ covariance @ _FOLDED.T, covariance)]  # fmt: skip
    return Shared(_FOLDED @ six, errors[0], six, errors[1])


def _covariance(one: Floats, two: Floats, both: Floats, trace: Floats) -> Floats:
    """Of the six: linear in products of parts of x with those of y (own), and of the shared ones.

    With T[a, m, b, l] = tr(A·V_m·B·V_l), and a transposed matrix being another one of the six:
    Cov(x'Ax, y'By) needs the shared products only, Cov(x'Ay, x'By) both kinds.
    """
    k = len(both)
    turned = trace[:, :, :, _TURNED]
    apart = (turned[:, :, _TURNED] + turned).transpose(0, 2, 1, 3).reshape(k * k, k * k)
    own = trace[:, :, _TURNED].transpose(0, 2, 3, 1).reshape(k * k, k * k)
    crossed = turned[:, _TURNED].transpose(0, 2, 1, 3).reshape(k * k, k * k)
    # What products of estimates are expected to be: the products, and the covariances.
    one_by_one = np.eye(k * k)
    system = np.block([[one_by_one, apart], [own, one_by_one + crossed]])
    seen = np.concatenate([np.outer(one, two).ravel(), np.outer(both, both).ravel()])
    products = np.linalg.lstsq(system, seen, rcond=None)[0]
    return np.asarray((np.hstack([own, crossed]) @ products).reshape(k, k))


def _left_out(x: Floats, y: Floats, actor: Whole, partner: Whole, units: int) -> Floats:
    def values(keep: NDArray[np.bool_]) -> Floats | None:
        a, b = actor[keep], partner[keep]
        made_of = round_robin.parts(a, b, units, round_robin.reverse(a, b, units))
        six = round_robin.solved(x[keep], y[keep], made_of)[0]
        return None if six is None else _FOLDED @ six

    return round_robin.left_out(values, actor, partner, units, len(_FOLDED))
