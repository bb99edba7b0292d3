"""How many raters, items and waves buy how much precision?"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric.gtheory import Shares, ratio, ratio_interval
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify._components import (
    Components,
    Study,
    estimate,
    planned_shares,
    read_study,
    refusal,
)

_LEVEL = 0.95
_DESIGNS = 20_000
# Draws of the components where the study is balanced; the same ones for every design.
_DRAWS, _SEED = 20_000, 0
_CELLS = 20_000_000  # draws × designs; beyond, fewer draws


@metric(
    better="higher",
    low=0,
    high=1,
    source="Brennan (2001), Generalizability Theory, ch. 2 and 4 (D studies)",
    drawing="d_study",
)
def d_study(
    ratings: pd.DataFrame,
    formula: str,
    *,
    object: str,  # noqa: A002
    sizes: Mapping[str, Sequence[int]],
    fixed: Sequence[str] = (),
    cost: Mapping[str, float] | None = None,
    reach: float = 0.8,
) -> Result:
    """How many raters, items or waves are needed to tell the departments apart?

    ``formula``, ``object``, ``fixed``: as in ``generalizability``. ``sizes``: for each facet the
    numbers to try, such as {"rater": [5, 10, 20], "item": [4, 8]}; of a facet nested in another
    one, the number within each of its levels. ``cost``: price of one level of a facet (minutes,
    money); a design costs the product of sizes and prices. ``reach``: the Φ that is wanted.

    Returns two rows per design (variant "phi" and "erho2") with 95% intervals, the numbers of
    levels tried, ``ratings`` per department and, with ``cost``, ``cost`` per department. ``n``
    counts the departments of the study behind it.

    It misleads when the future raters differ from the past ones, and below about eight
    departments, where the variance between them is hardly known: read the lower limits.

    Source: Brennan (2001) ch. 2 and 4. Intervals as in ``generalizability``: of a balanced study by
    Weerahandi's (1993) method (simulated, fixed seed), of any other by the delta method, which is
    too sure of itself with few departments.

    >>> import pandas as pd
    >>> d = pd.DataFrame([(t, r, 2 * t + r + (t * r) % 3) for t in range(5) for r in range(4)],
    ...                  columns=["target", "rater", "score"])
    >>> out = d_study(d, "score ~ target + rater", object="target", sizes={"rater": [1, 4]}).table
    >>> out.loc[out["variant"] == "phi", "estimate"].round(3).tolist()
    [0.826, 0.95]
    """
    study = read_study(ratings, formula, object)
    why = refusal(study)
    wanted = _wanted(study, sizes) if why is None else {f: list(v) for f, v in sizes.items()}
    designs = pd.DataFrame(itertools.product(*wanted.values()), columns=list(wanted))
    about = {"dropped": study.dropped, "formula": formula, "fixed": list(fixed), "reach": reach}
    parts = why or estimate(study)
    if isinstance(parts, Finding):
        empty = estimates(
            "d_study", groups={str(f): designs[f] for f in designs.columns}, variant="phi", n=0
        )
        return Result("d_study", empty, [parts], about)
    draws = _draws(parts, len(designs))
    table = _table(study, parts, designs, tuple(fixed), draws)
    if cost is not None:
        table["cost"] = _cost(table, wanted, cost)
    about["intervals"] = "delta method" if draws is None else "generalised, by simulation"
    about["components"] = dict(zip(study.terms, parts.truncated.tolist()))
    return Result("d_study", table, [_finding(table, wanted, reach, study)], about)


def _wanted(study: Study, sizes: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """The numbers to try for every facet but the object's own; all must be named."""
    measured = set(study.measured.split(":"))
    own = study.index(study.object) if study.object >= 0 else measured
    facets = [f for f, codes in study.facets.items() if f not in own and codes.max() > 0]
    unknown = [f for f in sizes if f not in facets]
    missing = [f for f in facets if f not in sizes]
    if unknown or missing:
        raise table_error("d_study_sizes", unknown=unknown, missing=missing, facets=facets)
    out = {f: [int(v) for v in sizes[f]] for f in facets}
    if any(v < 1 for values in out.values() for v in values):
        raise table_error("d_study_sizes", unknown=["< 1"], missing=[], facets=facets)
    if np.prod([len(v) for v in out.values()]) > _DESIGNS:
        raise table_error("d_study_sizes", unknown=[f"> {_DESIGNS}"], missing=[], facets=facets)
    return out


def _draws(parts: Components, designs: int) -> np.ndarray | None:
    """Components drawn from what the data allow, none below 0; None where nothing can be drawn."""
    if parts.balanced is None:
        return None
    count = max(2_000, min(_DRAWS, _CELLS // max(designs, 1)))
    return np.maximum(parts.balanced.draws(np.random.default_rng(_SEED), count), 0.0)


def _limits(
    shares: Shares, parts: Components, draws: np.ndarray | None, error: str, value: float
) -> tuple[float, float]:
    if not np.isfinite(value):
        return value, value
    if draws is None:
        return ratio_interval(shares, parts.truncated, parts.covariance, error, _LEVEL)
    drawn = ratio(shares, draws, error)
    low, high = np.nanquantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return min(float(low), value), max(float(high), value)


def _table(
    study: Study,
    parts: Components,
    designs: pd.DataFrame,
    fixed: tuple[str, ...],
    draws: np.ndarray | None,
) -> pd.DataFrame:
    rows = []
    for design in designs.to_dict("records"):
        shares = planned_shares(study, fixed, {str(k): float(v) for k, v in design.items()})
        for variant, error in (("phi", "absolute"), ("erho2", "relative")):
            value = float(ratio(shares, parts.truncated, error))
            low, high = _limits(shares, parts, draws, error, value)
            rows.append({**design, "variant": variant, "estimate": value, "low": low, "high": high})
    frame = pd.DataFrame(rows)
    return estimates(
        "d_study",
        groups={str(f): frame[f] for f in designs.columns},
        **{c: frame[c] for c in ("variant", "estimate", "low", "high")},
        n=study.sizes[study.object],
        ratings=frame[list(designs.columns)].prod(axis=1),
    )


def _cost(
    table: pd.DataFrame, wanted: dict[str, list[int]], cost: Mapping[str, float]
) -> pd.Series:
    unknown = [f for f in cost if f not in wanted]
    if unknown:
        raise table_error("d_study_sizes", unknown=unknown, missing=[], facets=list(wanted))
    price = float(np.prod([cost.get(f, 1.0) for f in wanted]))
    return table["ratings"].astype("float64") * price


def _finding(
    table: pd.DataFrame, wanted: dict[str, list[int]], reach: float, study: Study
) -> Finding:
    """The cheapest design that reaches the goal; or that none does."""
    phi = table[table["variant"] == "phi"]
    enough = phi[phi["estimate"] >= reach]
    if enough.empty:
        best = (
            phi.sort_values("estimate").iloc[-1] if phi["estimate"].notna().any() else phi.iloc[-1]
        )
        key, level = "d_study.not_reached", "warning"
    else:
        by = ["cost"] if "cost" in enough else ["ratings"]
        best = enough.sort_values([*by, "estimate"], ascending=[True, False]).iloc[0]
        key, level = "d_study.reached", "note"
    values = {
        "design": [f"{f} {int(best[f])}" for f in wanted],
        "phi": float(best["estimate"]),
        "low": float(best["low"]),
        "reach": reach,
        "ratings": int(best["ratings"]),
        "targets": study.sizes[study.object],
    }
    return Finding(key, values, level)  # type: ignore[arg-type]
