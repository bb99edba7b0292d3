"""Careless answering: how many raters answered without reading, and what do they change?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.columns import numbers, require
from svcmetrics.metric import metric
from svcmetrics.numeric import blocks, bootstrap
from svcmetrics.numeric.intervals import wilson
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.study import MIN_RATERS
from svcmetrics.verify import forms as reader
from svcmetrics.verify import grid, ledger
from svcmetrics.verify.careless_flags import Flags, analyst_table, flags
from svcmetrics.verify.reversed_items import reversed_items

# Fewer raters than this: indices have nothing to be compared with.
RATERS = 20
RATE = 0.05


@metric(
    better="lower", low=0, high=1, drawing="against_chance",
    source="Curran 2016, J. Exp. Soc. Psychol. 66, 4-19; Meade & Craig 2012, Psychol. Methods 17, 437",
    behind="raters",
)  # fmt: skip
def careless(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    rater: str,
    item: str,
    score: str,
    target: str | None = None,
    wave: str | None = None,
    seconds: str | None = None,
    dimension: str | None = None,
    rate: float = RATE,
    rng: int | np.random.Generator = 1,
) -> Result:
    """How many raters answered without paying attention, and would the results change without them?

    ratings: one row per answer, as given (before reversing items).
    rater, item, score: columns. target, wave: what was rated and when (optional).
    seconds: seconds spent on the whole form. dimension: the scale that an item belongs to.
    rate: share of attentive raters who are flagged by mistake, over all indices together.
    rng: seed or generator of the simulation.

    Returns the share of raters flagged (variant "any", Wilson interval) beside ``chance``, the
    stated rate; the same for each index alone; and per target ``score_without``: its mean without
    the flagged raters minus its mean with all of them, unless fewer than 5 raters would be left
    out or would stay. Indices: longest run and spread within a
    form, even-odd consistency, Mahalanobis distance, synonyms and antonyms, person fit, spread
    across targets, seconds per item. Cut-offs come from simulated attentive raters with the same
    forms, shares of answers and correlations; seconds from the slower half.

    Misleads: flags are a property of answers, not of a person: with a rate of 5%, one attentive
    rater in twenty is flagged. Items are taken in the order of their names. A form of few items
    hardly tells attention from haste. Never remove raters without showing both results.

    Source: Curran 2016; Meade & Craig 2012; even-odd, synonyms and distance as in R careless 1.2.2.

    >>> rng = np.random.default_rng(2)
    >>> level = rng.normal(3, 0.7, (60, 1))
    >>> x = np.clip(np.rint(level + rng.normal(0, 0.9, (60, 12))), 1, 5)
    >>> x[:6] = 4
    >>> r = pd.DataFrame(x).stack().rename_axis(["who", "item"]).rename("s").reset_index()
    >>> found = careless(r, rater="who", item="item", score="s").table
    >>> bool(found["estimate"].iloc[0] >= 0.1)
    True
    """
    forms, found = _found(ratings, rater, item, score, target, wave, seconds, dimension, rate, rng)
    about: dict[str, Any] = {
        "dropped": forms.dropped, "raters": len(forms.raters), "rate": rate,
        "method": "Gaussian copula at the observed marginals", "items": len(forms.items),
    }  # fmt: skip
    if found is None:
        values = {"raters": len(forms.raters), "least": RATERS}
        few = Finding("careless.too_few", values, "refused")
        return Result(
            "careless", estimates("careless", variant="any", n=len(forms.raters)), [few], about
        )
    about["level_of_one_index"] = found.level
    table = _table(found, rate)
    notes = [_reading(table, rate)]
    if target is not None:
        effect, warnings = _effect(forms, found.flagged, target)
        table.insert(0, target, "")
        table = pd.concat([table, effect.assign(chance=np.nan)])
        notes += warnings
    return Result(
        "careless",
        table,
        [*notes, *_order(forms), *reversed_items(forms, "careless"), *forms.findings],
        about,
    )


def careless_raters(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    rater: str,
    item: str,
    score: str,
    target: str | None = None,
    wave: str | None = None,
    seconds: str | None = None,
    dimension: str | None = None,
    rate: float = RATE,
    rng: int | np.random.Generator = 1,
) -> pd.DataFrame:
    """The analyst's table behind ``careless``: each rater's indices and flag. Not for reports."""
    forms, found = _found(ratings, rater, item, score, target, wave, seconds, dimension, rate, rng)
    if found is None:
        return pd.DataFrame({rater: forms.raters, "flagged": False})
    return analyst_table(forms, found, rater)


def _found(  # noqa: PLR0913, PLR0917
    ratings: pd.DataFrame, rater: str, item: str, score: str, target: str | None,
    wave: str | None, seconds: str | None, dimension: str | None, rate: float, rng: Any,
) -> tuple[reader.Forms, Flags | None]:  # fmt: skip
    if not 0 < rate < 0.5:
        raise table_error("rate_out_of_range", found=rate)
    whole = ratings if target else ratings.assign(**{_ALL: ""})
    if seconds is not None:
        whole = whole.assign(**{seconds: numbers(ratings, seconds)})
    forms = reader.read(
        whole, rater=rater, target=target or _ALL, item=item, score=score, wave=wave,
        extra=(seconds,),
    )  # fmt: skip
    if len(forms.raters) < RATERS or len(forms.items) < 2:
        return forms, None
    scale = _scales(ratings, item, dimension, forms) if dimension else None
    answered = np.isfinite(forms.answers).sum(axis=1)
    pace = None
    if seconds is not None:
        per_item = forms.extra[seconds].astype("float64") / answered
        middle = pd.Series(per_item).groupby(forms.rater).median()
        pace = middle.reindex(range(len(forms.raters))).to_numpy()
    return forms, flags(forms, scale, pace, rate, bootstrap.generator(rng))


# Where there is no target, all answers of a rater are one form.
_ALL = "\0all"


def _scales(ratings: pd.DataFrame, item: str, dimension: str, forms: reader.Forms) -> np.ndarray:
    require(ratings, dimension)
    first = ratings.dropna(subset=[item, dimension]).groupby(item)[dimension].first()
    names = pd.Series([first.get(i, "") for i in forms.items], dtype="object")
    return grid.positions(names)[0]


def _table(found: Flags, rate: float) -> pd.DataFrame:
    """The share flagged by any index, then by each index at its own part of the rate."""
    hits = {"any": found.flagged}
    hits |= {name: np.where(np.isfinite(p), p <= found.level, False) for name, p in found.p.items()}
    known = {"any": np.ones(len(found.flagged), bool)}
    known |= {name: np.isfinite(p) for name, p in found.p.items()}
    n = np.array([known[k].sum() for k in hits])
    x = np.array([int(v.sum()) for v in hits.values()])
    low, high = wilson(x, n)
    return estimates(
        "careless", variant=list(hits), estimate=x / np.where(n > 0, n, np.nan),
        low=low, high=high, n=n, chance=[rate, *[found.level] * (len(hits) - 1)],
    )  # fmt: skip


def _reading(table: pd.DataFrame, rate: float) -> Finding:
    row = table.iloc[0]
    values = {
        "share": 100 * row["estimate"], "low": 100 * row["low"], "high": 100 * row["high"],
        "n": int(row["n"]), "rate": 100 * rate, "count": round(row["estimate"] * row["n"]),
    }  # fmt: skip
    above = row["low"] > rate
    return Finding(
        f"careless.{'above' if above else 'as_chance'}", values, "warning" if above else "note"
    )


def _effect(
    forms: reader.Forms, flagged: np.ndarray, target: str
) -> tuple[pd.DataFrame, list[Finding]]:
    """What leaving out the flagged raters does to each target's mean; limits by jackknife."""
    score, out = forms.centred(), flagged[forms.rater]
    size, raters = len(forms.targets), len(forms.raters)
    cell = forms.rater * size + forms.target
    total = np.bincount(cell, score, minlength=raters * size).reshape(raters, size)
    n = np.bincount(cell, minlength=raters * size).reshape(raters, size)
    keep = ~flagged[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        all_, some = total.sum(0) / n.sum(0), (total * keep).sum(0) / (n * keep).sum(0)
        # Each rater's influence on the difference of the two means.
        moved = (total * keep - n * keep * some) / (n * keep).sum(0) - (total - n * all_) / n.sum(0)
    error = np.sqrt((moved**2).sum(axis=0) * raters / (raters - 1))
    shift = some - all_
    lost = int(np.isnan(shift).sum())
    hide = ledger.few_behind(forms, flagged)
    shift = np.where(hide, np.nan, shift)
    table = estimates(
        "score_without", groups={target: [str(t) for t in forms.targets]}, estimate=shift,
        low=shift - 1.959964 * error, high=shift + 1.959964 * error,
        n=np.where(hide, 0, (n > 0).sum(0)),
    )  # fmt: skip
    notes = []
    if flagged.any() and np.isfinite(shift).any():
        values = {"size": float(np.nanmax(np.abs(shift))), "targets": int(np.isfinite(shift).sum())}
        notes.append(Finding("careless.effect", values))
    if hide.any():
        notes.append(Finding("careless.hidden", {"targets": int(hide.sum()), "least": MIN_RATERS}))
    before, after = (
        blocks.count(forms.rater, forms.target),
        blocks.count(forms.rater[~out], forms.target[~out]),
    )
    if after > before or lost:
        notes.append(
            Finding(
                "careless.disconnects", {"before": before, "after": after, "lost": lost}, "warning"
            )
        )
    return table, notes


def _order(forms: reader.Forms) -> list[Finding]:
    """Names of items that tell no order: runs of equal answers then mean little."""
    known = len(forms.items) < 2 or grid.is_ordered(forms.items)
    return [] if known else [Finding("careless.order", {"items": len(forms.items)})]
