"""Composites drawn together, with what the errors of departments have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.numeric.joint import composites, two_pieces
from svcmetrics.numeric.one_thread import one_thread
from svcmetrics.problems import table_error
from svcmetrics.score._weighted import VALUE, Weighted, read_weighted
from svcmetrics.score.adjust_draws import DRAWS
from svcmetrics.score.composite import composite


@one_thread()
def composite_draws(
    indicators: pd.DataFrame,
    *,
    joint: Mapping[str, pd.DataFrame],
    rng: int | np.random.Generator = 0,
    **how: Any,
) -> pd.DataFrame:
    """Which composites could all departments together have had?

    ``indicators`` and ``how``: the arguments of ``score.composite``. ``joint``: for each indicator
    whose departments err together its joint draws (``score.adjust_draws``), on the scale of
    ``indicators``; the others err independently, as far as their limits say. ``rng``: seed or
    generator.

    Returns one row per draw and one column per department, for ``score.groups``, ``score.ranks``
    and ``score.superiority``. One draw of the weights holds for all departments, so that a doubt
    about the weights shared by all does not pass for a doubt about each. A department without a
    composite or without an interval is missing throughout.

    It misleads when an indicator outside ``joint`` has errors in common (one slow system for all).

    Source: OECD/JRC (2008), Handbook on Constructing Composite Indicators, step 7.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"unit": ["A", "B"], "metric": "time", "estimate": [80.0, 60.0],
    ...                       "low": [75.0, 55.0], "high": [85.0, 65.0]})
    >>> composite_draws(table, joint={}, weights={"time": 1.0}, target="unit").mean().round(0).tolist()
    [80.0, 60.0]
    """
    names: dict[str, Any] = {"target": "target_id", "indicator": "metric", "value": VALUE}
    names |= {k: v for k, v in how.items() if k in names}
    point = composite(indicators, **how).table
    data = read_weighted(indicators, how["weights"], **names)
    unknown = sorted(set(joint) - set(data.names))
    if unknown:
        raise table_error("unknown_word", unknown=unknown, known=data.names)
    method, missing = how.get("method", "arithmetic"), how.get("missing", "cautious")
    x, used = _filled(data, method, missing)
    count = min([len(d) for d in joint.values()], default=DRAWS)
    rng = np.random.default_rng(rng)
    errors = [_errors(data, j, joint.get(name), count, rng) for j, name in enumerate(data.names)]
    slack = two_pieces(data.w - data.w_low, data.w_high - data.w, (count, len(data.w)), rng)
    out = composites(x, errors, used, data.w + slack, method)
    out[:, point["low"].isna().to_numpy()] = np.nan
    return pd.DataFrame(out, columns=pd.Index(data.targets))


def _errors(
    data: Weighted, j: int, drawn: pd.DataFrame | None, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Errors of one indicator (draws × targets); a target that was not drawn errs on its own."""
    x = data.x[:, j]
    down, up = x - data.low[:, j], data.high[:, j] - x
    known = np.isfinite(down) & np.isfinite(up)
    down, up = np.where(known, down, 0.0), np.where(known, up, 0.0)
    own = two_pieces(down, up, (count, len(x)), rng)
    if drawn is None:
        return own
    together = drawn.reindex(columns=pd.Index(data.targets)).to_numpy("float64")[:count]
    moved = together - together.mean(axis=0)
    return np.where(np.isnan(moved), own, moved)


def _filled(data: Weighted, method: str, missing: str) -> tuple[np.ndarray, np.ndarray]:
    """Values with what stands for a missing one, and which indicators each target counts."""
    counts = (data.w > 0) & ~np.isnan(data.x).all(axis=0)
    gone = np.isnan(data.x)
    whole, part = np.broadcast_to(counts, gone.shape), counts & ~gone
    with np.errstate(invalid="ignore"):
        floor = np.fmin.reduce(data.x, axis=0) if missing == "cautious" else np.zeros(len(data.w))
    x = np.where(gone, np.nan_to_num(floor), data.x)
    if missing == "renormalise":
        return x, part
    if missing == "zero":
        return x, whole
    none = [np.zeros((1, len(x)))] * len(data.w)
    least, scaled = (composites(x, none, u, data.w[None], method)[0] for u in (whole, part))
    return x, np.where((least < scaled)[:, None], whole, part)
