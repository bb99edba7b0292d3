"""Runs of equal answers and spread within a form, and what chance alone would give, on arrays.

Rows are forms, columns are items in the order in which they were shown (before reversing).
Missing answers are skipped: they neither end a run nor count.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Forms that are worked on at a time.
BLOCK = 4096


def in_blocks(index: Callable[[Floats], Floats], forms: Floats) -> Floats:
    """An index of each form on its own, block by block: what is at work stays near the processor."""
    starts = range(0, max(len(forms), 1), BLOCK)
    return np.concatenate([index(forms[k : k + BLOCK]) for k in starts])


def longstring(forms: Floats) -> Floats:
    """The longest run of equal answers of each form; 0 without answers."""
    return in_blocks(_longstring, forms)


def _longstring(forms: Floats) -> Floats:
    packed, answered = _packed(forms)
    run = np.ones(len(forms), dtype=np.int16)
    longest = run.copy()
    least = int(answered.min(initial=0))
    for j in range(1, packed.shape[0]):
        same = packed[j] == packed[j - 1]
        if j >= least:
            same &= j < answered
        run *= same
        run += 1
        np.maximum(longest, run, out=longest)
    return np.where(answered > 0, longest, 0).astype(np.float64)


def avgstring(forms: Floats) -> Floats:
    """The mean length of the runs of each form."""
    packed, answered = _packed(forms)
    runs = np.ones(len(forms), dtype=np.int16)
    for j in range(1, packed.shape[0]):
        runs += (packed[j] != packed[j - 1]) & (j < answered)
    return np.where(answered > 0, answered / runs, np.nan)


def irv(forms: Floats) -> Floats:
    """Intra-individual response variability: the standard deviation of a form's answers."""
    return in_blocks(_irv, forms)


def _irv(forms: Floats) -> Floats:
    known = np.isfinite(forms)
    whole = bool(known.all())
    n = known.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (forms if whole else np.where(known, forms, 0.0)).sum(axis=1) / n
        away = forms - mean[:, None]
        away = away if whole else np.where(known, away, 0.0)
        squares = np.einsum("ij,ij->i", away, away)
        return np.sqrt(np.where(n > 1, squares / np.maximum(n - 1, 1), np.nan))


def all_same(forms: Floats) -> NDArray[np.bool_]:
    """Forms whose answers are all equal."""
    low = np.where(np.isfinite(forms), forms, np.inf).min(axis=1)
    high = np.where(np.isfinite(forms), forms, -np.inf).max(axis=1)
    return np.asarray(low >= high)


def marginals(forms: Floats) -> Floats:
    """How often each value was given to each item (items × values), as shares."""
    values = np.unique(forms[np.isfinite(forms)])
    counts = np.stack([(forms == v).sum(axis=0) for v in values], axis=1).astype(np.float64)
    total = counts.sum(axis=1, keepdims=True)
    return counts / np.where(total > 0, total, 1)


def marginals_of(codes: NDArray[np.integer]) -> Floats:
    """The same of answers that are positions among the values, −1 where there is none."""
    size = int(codes.max(initial=-1)) + 2
    counts = np.stack([np.bincount(c + 1, minlength=size)[1:] for c in codes.T]).astype(np.float64)
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(counts / np.where(total > 0, total, 1))


def chance_all_same(shares: Floats, answered: NDArray[np.bool_]) -> Floats:
    """Chance of equal answers throughout, for each form, at these shares."""
    with np.errstate(divide="ignore"):
        logs = np.log(shares)
    sound = np.where(np.isfinite(logs), logs, 0.0)
    seen = answered.astype(np.float64)
    possible = (seen @ (shares == 0)) == 0
    return np.asarray((np.exp(seen @ sound) * possible).sum(axis=1))


def chance_longstring(shares: Floats) -> float:
    """The expected longest run when each item is answered on its own, at these shares: exact."""
    items, values = shares.shape
    top = np.arange(1, items + 1)
    # state[m, v, r]: chance that the last answer is v in a run of r + 1, and no run exceeds m + 1.
    allowed = top[None, :] <= top[:, None]
    state = np.zeros((items, values, items))
    state[:, :, 0] = shares[0]
    for share in shares[1:]:
        by_value = state.sum(axis=2)
        grown = np.zeros_like(state)
        grown[:, :, 1:] = state[:, :, :-1] * share[None, :, None]
        grown[:, :, 0] = (by_value.sum(axis=1, keepdims=True) - by_value) * share
        state = grown * allowed[:, None, :]
    at_most = state.sum(axis=(1, 2))
    return float(items - at_most[:-1].sum())


def _packed(forms: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Items × forms with the answers of each form moved to the front; how many there are."""
    known = np.isfinite(forms)
    answered = known.sum(axis=1)
    if known.all():
        return np.ascontiguousarray(forms.T), answered
    order = np.argsort(~known, axis=1, kind="stable")
    return np.ascontiguousarray(np.take_along_axis(forms, order, axis=1).T), answered
