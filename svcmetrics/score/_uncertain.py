"""A table of scores with their uncertainty, read once for groups and ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcmetrics.numeric.ranks import standard_errors
from svcmetrics.problems import table_error
from svcmetrics.result import Finding
from svcmetrics.tables import numbers, require, unique

# With fewer joint draws the far quantiles are a matter of chance.
_DRAWS = 200


@dataclass(frozen=True)
class Uncertain:
    """Scores, standard errors and counts of targets; ``df`` None means "many"."""

    targets: list[object]
    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray | None
    draws: np.ndarray | None  # joint draws, one row each, of the targets in their order
    n: np.ndarray
    dropped: dict[str, int]
    findings: list[Finding]


def read_uncertain(
    scores: pd.DataFrame,
    *,
    target: str,
    estimate: str,
    uncertainty: str | Sequence[str] | pd.DataFrame,
    n: str,
    df: str | None,
    level: float,
) -> Uncertain:
    """Check the table and turn it into arrays; rows without a score or an error are left out."""
    _check_level(level)
    drawn = uncertainty if isinstance(uncertainty, pd.DataFrame) else None
    columns = [] if drawn is not None else _columns(uncertainty)
    require(scores, target, estimate, *columns, df)
    unique(scores, target)
    value = numbers(scores, estimate).to_numpy()
    draws = None if drawn is None else _draws(drawn, scores[target])
    error = [numbers(scores, c).to_numpy() for c in columns]
    if draws is not None:
        error = [draws.std(axis=0, ddof=1)]
    freedom = None if df is None else numbers(scores, df).to_numpy()
    if columns:
        _check_error(error, columns, value)
    no_score = np.isnan(value) | scores[target].isna().to_numpy()
    no_error = np.isnan(error).any(axis=0) | (freedom is not None and ~(freedom > 0))
    kept = ~(no_score | no_error)
    count = numbers(scores, n).to_numpy() if n in scores.columns else np.full(len(scores), np.nan)
    se = error[0] if len(error) == 1 else standard_errors(error[0], error[1], level, freedom)
    dropped = {"no_score": int(no_score.sum()), "no_error": int((no_error & ~no_score).sum())}
    return Uncertain(
        targets=scores[target][kept].tolist(),
        estimate=value[kept],
        se=se[kept],
        df=None if freedom is None else freedom[kept],
        draws=None if draws is None else draws[:, kept],
        n=count[kept],
        dropped={k: v for k, v in dropped.items() if v},
        findings=_findings(scores[target][~kept & ~no_score], se[kept]),
    )


def _columns(uncertainty: str | Sequence[str] | pd.DataFrame) -> list[str]:
    columns = [uncertainty] if isinstance(uncertainty, str) else [str(c) for c in uncertainty]
    if len(columns) not in (1, 2):
        raise table_error("uncertainty_columns", found=columns)
    return columns


def _draws(drawn: pd.DataFrame, targets: pd.Series) -> np.ndarray:
    """Joint draws in the order of the targets; one that was never drawn is missing throughout."""
    if len(drawn) < _DRAWS:
        raise table_error("too_few_draws", found=len(drawn), needed=_DRAWS)
    known = [t in drawn.columns for t in targets]
    out = np.full((len(drawn), len(targets)), np.nan)
    for i, (name, given) in enumerate(zip(targets, known)):
        if given:
            out[:, i] = numbers(drawn, name).to_numpy()
    return out


def _check_level(level: float) -> None:
    if not 0.5 <= level < 1:
        raise table_error("level_out_of_range", found=level)


def _check_error(error: list[np.ndarray], columns: list[str], value: np.ndarray) -> None:
    """A negative standard error, or an interval that does not hold its own estimate."""
    slack = 1e-9 * (1 + np.abs(value))
    bad = error[0] < 0  # one column: a standard error
    if len(error) == 2:
        bad = (error[0] > value + slack) | (error[1] < value - slack)
    if bad.any():
        raise table_error("interval_upside_down", column=columns[0], rows=np.flatnonzero(bad))


def _findings(left_out: pd.Series, se: np.ndarray) -> list[Finding]:
    found = []
    if len(left_out):
        names = [str(v) for v in left_out[:8]]
        found.append(
            Finding("uncertain.left_out", {"names": names, "count": len(left_out)}, "warning")
        )
    if len(se) and (se == 0).any():
        found.append(Finding("uncertain.no_spread", {"count": int((se == 0).sum())}, "warning"))
    return found
