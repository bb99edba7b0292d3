"""Standard errors of the social relations model: normality, unbiased squares (Bond and Lashley 1996).

Cov(y'Ay, y'By) = 2 tr(AVBV) is bilinear in the components; their products are estimated without
bias, because the square of an estimate is too large by its own variance. This gives Bond and
Lashley's formulas where every cell is there, and the same idea where some are missing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def from_matrices(values: Floats, gram: Floats, parts: list[Floats]) -> Floats:
    """``parts``: the derivative of the covariance of the cells by each component, dense."""
    return _errors(values, traces(gram, parts))


def traces(gram: Floats, parts: list[Floats]) -> Floats:
    """tr(A·V_m·B·V_l) of the forms and the parts, by a, m, b, l."""
    k, n = len(parts), len(parts[0])
    dense = np.stack(parts)
    forms = np.einsum("kl,lij->kij", np.linalg.inv(gram), dense)
    forms = forms - forms.mean(axis=1, keepdims=True)
    forms = forms - forms.mean(axis=2, keepdims=True)
    product = np.einsum("kij,mjl->kmil", forms, dense, optimize=True).reshape(k * k, n, n)
    flipped = product.transpose(0, 2, 1).reshape(k * k, -1)
    return np.asarray((product.reshape(k * k, -1) @ flipped.T).reshape(k, k, k, k))


def complete(values: Floats, gram: Floats, units: int) -> Floats:
    """The same for a complete round robin of any size, from seven numbers per matrix."""
    parts = np.insert(np.delete(PARTS, [2, 3], axis=0), 2, PARTS[2] + PARTS[3], axis=0)
    return _errors(values, complete_traces(gram, parts, units))


# In which of the seven ways two ordered pairs meet (the same, reversed, same actor, same partner,
# the first's actor is the other's partner, the first's partner the other's actor, nothing in
# common), a part of the covariance is one: same actor, same partner, i = m, j = k, the same pair,
# the reversed one.
PARTS = np.zeros((6, 7))
for _part, _ways in enumerate(((0, 2), (0, 3), (1, 4), (1, 5), (0,), (1,))):
    PARTS[_part, list(_ways)] = 1.0


def complete_traces(gram: Floats, parts: Floats, units: int) -> Floats:
    """``traces`` where every cell is there.

    All matrices involved are constant on the seven ways, and so are their products.
    """
    n = units * (units - 1)
    constants = _constants(units)

    def times(x: Floats, y: Floats) -> Floats:
        return np.asarray(np.einsum("kij,...i,...j->...k", constants, x, y))

    centre = np.full(7, -1.0 / n)
    centre[0] += 1.0
    forms = times(times(centre, np.linalg.inv(gram) @ parts), centre)
    product = times(forms[:, None, :], parts[None, :, :])
    return np.asarray(n * times(product[:, :, None, None, :], product[None, None, :, :, :])[..., 0])


def _errors(values: Floats, trace: Floats) -> Floats:
    """``trace[a, m, b, l]``: tr(A·V_m·B·V_l); times θ_m θ_l it gives half of Cov(a, b)."""
    k = len(values)
    spread = 2 * trace.transpose(0, 2, 1, 3).reshape(k * k, k * k)
    squares = np.linalg.lstsq(np.eye(k * k) + spread, np.outer(values, values).ravel(), rcond=None)[
        0
    ]
    covariance = (spread @ squares).reshape(k, k)
    return np.asarray(np.sqrt(np.maximum(np.diagonal(covariance), 0)))


def _constants(units: int) -> Floats:
    """c[k, i, j]: in how many ways two pairs that meet in way k are linked by ways i and j."""
    first, second = (v.ravel() for v in np.indices((units, units)))
    first, second = first[first != second], second[first != second]
    here = (np.int64(0), np.int64(1))
    there = [(0, 1), (1, 0), (0, 2), (2, 1), (2, 0), (1, 2), (2, 3)]
    out = np.zeros((7, 7, 7))
    for k, (a, b) in enumerate(there):
        one = _meeting(here[0], here[1], first, second)
        two = _meeting(first, second, np.int64(a), np.int64(b))
        np.add.at(out[k], (one, two), 1.0)
    return out


def _meeting(i: NDArray[np.int64] | np.int64, j: NDArray[np.int64] | np.int64,
             k: NDArray[np.int64] | np.int64, m: NDArray[np.int64] | np.int64) -> NDArray[np.int64]:  # fmt: skip
    """In which of the seven ways the pairs (i, j) and (k, m) meet."""
    return np.select(
        [(i == k) & (j == m), (i == m) & (j == k), i == k, j == m, i == m, j == k],
        [0, 1, 2, 3, 4, 5],
        6,
    )
