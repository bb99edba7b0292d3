"""How exact the scores of a plan will be, before anybody is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import links
from svcmetrics.problems import table_error
from svcmetrics.rate._plan import check_share, forms, read_plan, waves
from svcmetrics.result import Finding, Result, estimates

_Z = 1.959964
# No cell with fewer raters is ever shown.
_MIN_RATERS = 5
_NAMES = 8


@metric(
    better="lower",
    low=0,
    source="John & Williams (1995), Cyclic and Computer Generated Designs, ch. 1-2 (variance of pairwise differences)",
)
def precision(
    plan: pd.DataFrame,
    *,
    rater: str = "rater_key",
    target: str = "target_id",
    wave: str | None = "wave",
    response: float = 1.0,
    sd: float = 1.0,
) -> Result:
    """How exact will each department's score be if this plan is carried out?

    ``plan``: one row per form asked for. ``rater``, ``target``, ``wave``: its columns
    (``wave=None``: one wave). ``response``: share of forms expected back, above 0 up to 1.
    ``sd``: standard deviation of one form's score that is left when rater and department are
    taken out, in points of the scale; from an earlier wave (residual of ``verify``), or 1 for
    errors in units of it.

    Returns one row per wave and department: ``estimate``, the standard error of its distance
    from the mean of all departments with severe and lenient raters levelled out; ``half_width``
    of its 95% interval; ``difference``, the root mean square standard error of its differences
    from the others; ``worst``, the largest such error; ``raters`` and ``n``, raters and forms
    expected back. No interval: these numbers are computed from the
    plan, not estimated.

    It misleads when those who answer differ from those who do not, and when ``sd`` is a guess.
    The information expected under random non-response is used, which is slightly optimistic.

    Source: information matrix R - N'K⁻¹N with its pseudo-inverse (John & Williams 1995).

    >>> import pandas as pd
    >>> plan = pd.DataFrame({"wave": 1, "rater_key": [1, 1, 2, 2, 3, 3],
    ...                      "target_id": ["a", "b", "b", "c", "a", "c"]})
    >>> precision(plan).table["difference"].round(3).tolist()
    [1.155, 1.155, 1.155]
    """
    check_share("response", response)
    if not sd > 0:
        raise table_error("sd_not_positive", found=sd)
    rows, dropped = read_plan(plan, rater, target, wave=wave)
    parts: list[pd.DataFrame] = []
    found: list[Finding] = []
    for names, part in waves(rows, wave):
        counts, targets = forms(part, rater, target)
        table = _wave(names, (counts, targets), target, response, sd)
        parts.append(table)
        found += _findings(str(names[wave]) if wave else None, table, target)
    keys = [c for c in (wave, target) if c is not None]
    empty = estimates("precision", groups={c: [] for c in keys}, n=[], difference=[])
    whole = pd.concat(parts) if len(rows) else empty
    about = {"dropped": dropped, "response": response, "sd": sd, "method": _METHOD}
    return Result("precision", whole, [*_reading(whole, wave, target), *found], about)


_METHOD = "additive rater + target model, raters fixed, expected information under non-response"


def _wave(
    names: dict[str, object],
    plan: tuple[Any, list[object]],
    target: str,
    response: float,
    sd: float,
) -> pd.DataFrame:
    counts, targets = plan
    c = links.information(counts, response)
    variance = links.spread(c)
    own = np.diag(variance)
    gap = own[:, None] + own[None, :] - 2 * variance
    known = links.components(c).max(initial=0) == 0 and len(targets) > 1
    scale = sd if known else np.nan
    others = max(len(targets) - 1, 1)
    raters = np.asarray((counts > 0).sum(axis=0)).ravel() * response
    return estimates(
        "precision",
        groups={**names, target: targets},
        estimate=scale * np.sqrt(own),
        n=np.asarray(counts.sum(axis=0)).ravel() * response,
        half_width=_Z * scale * np.sqrt(own),
        difference=scale * np.sqrt(gap.sum(axis=1) / others),
        worst=scale * np.sqrt(gap.max(axis=1)),
        raters=raters,
    )


def _reading(table: pd.DataFrame, wave: str | None, target: str) -> list[Finding]:
    """One sentence on all waves."""
    if table.empty:
        return [Finding("load.empty", {}, "refused")]
    known = table[table["estimate"].notna()]
    if known.empty:
        return []
    worst = known.iloc[int(known["half_width"].to_numpy().argmax())]
    values = {
        "usual": float(known["half_width"].median()),
        "worst": float(worst["half_width"]),
        "name": str(worst[target]),
        "wave": str(worst[wave]) if wave else None,
        "apart": _Z * float(known["difference"].median()),
    }
    return [Finding("precision.expected", values)]


def _findings(wave: str | None, table: pd.DataFrame, target: str) -> list[Finding]:
    if table["estimate"].isna().all():
        return [Finding("precision.apart", {"wave": wave, "targets": len(table)}, "refused")]
    few = table.loc[table["raters"] < _MIN_RATERS, target].astype(str).tolist()
    if not few:
        return []
    names = few[:_NAMES] + ["…"] * (len(few) > _NAMES)
    said = {"wave": wave, "names": names, "count": len(few), "least": _MIN_RATERS}
    return [Finding("precision.few_raters", said, "warning")]
