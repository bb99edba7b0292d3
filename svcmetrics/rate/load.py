"""How many forms each rater is asked to fill in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric.links import quantiles
from svcmetrics.rate._plan import read_plan, waves
from svcmetrics.result import Finding, Result, estimates

_SHARES = {"median": 0.5, "p90": 0.9, "max": 1.0}


@metric(
    better="lower",
    low=0,
    source="Rolstad, Adler & Ryden (2011), Value in Health 14, 1101-1108 (length and burden of questionnaires)",
    drawing="own",
)
def load(
    plan: pd.DataFrame,
    *,
    rater: str = "rater_key",
    wave: str | None = "wave",
    cap: int = 8,
    minutes: float = 3.0,
) -> Result:
    """How many forms does each rater get per wave, and how much time does that take?

    ``plan``: one row per form asked for. ``rater``, ``wave``: its columns (``wave=None``: one
    wave). ``cap``: agreed largest number of forms per rater and wave. ``minutes``: time for one
    form, from the try-out of the form.

    Returns per wave the mean, median, 90th percentile and maximum of forms per rater
    (``load``), the share of raters above the cap (``load_over_cap``) and the working hours of
    all raters together (``load_hours``). ``n``: raters. A plan is counted completely, so there is
    no interval.

    It misleads when the plan is not what is sent out. Long lists are answered mechanically:
    compare with ``verify.formality`` afterwards.

    >>> import pandas as pd
    >>> plan = pd.DataFrame({"wave": 1, "rater_key": ["a", "a", "a", "b"]})
    >>> load(plan, cap=2).table[["metric", "variant", "estimate"]].values.tolist()[:2]
    [['load', 'mean', 2.0], ['load', 'median', 1.0]]
    """
    rows, dropped = read_plan(plan, rater, wave=wave)
    parts = [_wave(names, part[rater], cap, minutes) for names, part in waves(rows, wave)]
    empty = estimates("load", groups={} if wave is None else {wave: []}, variant=[], n=[])
    table = pd.concat(parts) if len(rows) else empty
    about = {"dropped": dropped, "cap": cap, "minutes": minutes, "limit": cap, "axis": [0.0, None]}
    return Result("load", table, _findings(table, wave, cap), about)


def _wave(names: dict[str, object], raters: pd.Series, cap: int, minutes: float) -> pd.DataFrame:
    forms = raters.value_counts().to_numpy()
    numbers = [forms.mean(), *quantiles(forms.tolist(), list(_SHARES.values()))]
    over, hours = float((forms > cap).mean()), float(forms.sum() * minutes / 60)
    return estimates(
        "load",
        groups=names,
        variant=["mean", *_SHARES, "", ""],
        estimate=[*map(float, numbers), over, hours],
        n=len(forms),
    ).assign(metric=["load"] * (1 + len(_SHARES)) + ["load_over_cap", "load_hours"])


def _findings(table: pd.DataFrame, wave: str | None, cap: int) -> list[Finding]:
    if table.empty:
        return [Finding("load.empty", {}, "refused")]
    values = table.set_index(["metric", "variant"])["estimate"]
    most = float(values.loc[("load", "max")].max())
    said = {
        "mean": float(np.mean(values.loc[("load", "mean")])),
        "most": most,
        "hours": float(np.max(values.loc[("load_hours", "")])),
        "cap": cap,
    }
    found = [Finding("load.usual", said)]
    if most > cap:
        share = table.loc[table["metric"] == "load_over_cap"].sort_values("estimate").iloc[-1]
        said = {"share": 100 * float(share["estimate"]), "cap": cap}
        name = None if wave is None else str(share[wave])
        found.append(Finding("load.over_cap", {**said, "wave": name}, "warning"))
    return found
