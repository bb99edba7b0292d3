"""The table of alpha: the coefficient, and each item left out, from numbers or from categories.

Not a statistic; called by ``alpha``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.numeric import consistency, polychoric
from svcmetrics.result import Finding, estimates
from svcmetrics.verify import answers

_Z = 1.959964
# Answers of more values than this are measurements, not categories in order.
CATEGORIES = 12


def empty(item: str, form: answers.Answers) -> pd.DataFrame:
    """Rows without a value, for answers from which there is nothing to estimate."""
    size = len(form.items)
    return from_numbers(item, form, np.full((size, size), np.nan), 0)


def from_numbers(item: str, form: answers.Answers, covariance: np.ndarray, n: int) -> pd.DataFrame:
    """Answers taken as numbers; limits of alpha by Feldt."""
    k = len(form.items)
    correlation = consistency.correlations(covariance)
    raw, std = consistency.alpha(covariance), consistency.alpha(correlation)
    low, high = consistency.feldt(raw, n, k)
    whole = estimates(
        "alpha", groups={item: ""}, variant=["raw", "standardised"], estimate=[raw, std],
        low=[low, np.nan], high=[high, np.nan], n=n,
        se=[consistency.alpha_error(covariance, n), np.nan],
    )  # fmt: skip
    if k < 2 or n == 0:
        return pd.concat([whole, _six(item, correlation, n)], ignore_index=True)
    without = consistency.alpha_without(covariance)
    rest = consistency.item_rest(covariance)
    ends = [consistency.feldt(without, n, max(k - 1, 2)), answers.correlation_limits(rest, n)]
    return _joined(item, form, whole, correlation, without, rest, ends, n)


def from_categories(
    item: str, form: answers.Answers, n: int
) -> tuple[pd.DataFrame, Finding | None]:
    """Answers taken as categories in order: alpha of the normal scales behind them.

    Limits to first order from the influence of each form, thresholds included: of 1 − alpha on
    the logarithm, of correlations on Fisher's z.
    """
    values = np.unique(form.table[np.isfinite(form.table)])
    if len(values) > CATEGORIES:
        refused = Finding(
            "alpha.no_categories", {"count": len(values), "most": CATEGORIES}, "refused"
        )
        return empty(item, form), refused
    found = polychoric.matrix(form.table)
    if found is None:
        return empty(item, form), Finding("alpha.no_polychoric", {}, "refused")
    r, by_item = found
    value, without, rest = (
        consistency.alpha(r),
        consistency.alpha_without(r),
        consistency.item_rest(r),
    )
    errors = polychoric.alpha_errors(r, by_item)
    low, high = _of_rest(value, errors[0])
    whole = estimates(
        "alpha", groups={item: ""}, variant="polychoric", estimate=[value], low=[low], high=[high],
        n=n, se=errors[0],
    )  # fmt: skip
    ends = [_of_rest(without, errors[1]), _of_correlation(rest, errors[2])]
    return _joined(item, form, whole, r, without, rest, ends, n), None


def _six(item: str, correlation: np.ndarray, n: int) -> pd.DataFrame:
    return estimates("lambda6", groups={item: ""}, estimate=consistency.lambda6(correlation), n=n)


def _joined(  # noqa: PLR0913, PLR0917
    item: str, form: answers.Answers, whole: pd.DataFrame, r: np.ndarray, without: np.ndarray,
    rest: np.ndarray, ends: list[tuple[np.ndarray, np.ndarray]], n: int,
) -> pd.DataFrame:  # fmt: skip
    pairs = r[np.triu_indices(len(r), 1)]
    between = estimates(
        "item_correlation", groups={item: ""}, variant=["mean", "median"],
        estimate=[pairs.mean(), np.median(pairs)], n=n,
    )  # fmt: skip
    labels = [str(i) for i in form.items]
    each = [
        estimates(name, groups={item: labels}, estimate=value, low=low, high=high, n=n)
        for name, value, (low, high) in zip(("alpha_without", "item_rest"), (without, rest), ends)
    ]
    return pd.concat([whole, _six(item, r, n), between, *each], ignore_index=True)


def _of_rest(value: np.ndarray, error: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Limits of alpha with the error taken on the logarithm of 1 − alpha."""
    far = np.exp(_Z * error / (1 - value))
    return 1 - (1 - value) * far, 1 - (1 - value) / far


def _of_correlation(r: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    half = _Z * error / (1 - r**2)
    return np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
