"""Halo: does one overall impression fill in the whole form?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import halo as arrays
from svcmetrics.numeric.mixed import NoSpread, NotIdentified, Singular, TooLarge
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import forms as reader
from svcmetrics.verify.reversed_items import reversed_items

# From so many raters per target on, departments may differ from item to item.
RATERS = 5
# Above this share a form is mostly one impression.
MOSTLY = 0.5


@metric(
    better="lower", low=0, high=1, drawing="halo",
    source="Saal, Downey & Lahey 1980, Psychol. Bull. 88, 413-428 (rater x ratee); REML",
)  # fmt: skip
def halo(
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    item: str,
    score: str,
    wave: str | None = None,
) -> Result:
    """How much of a form is one overall impression instead of answers to single items?

    ratings: one row per answer. rater, target, item, score, wave: columns.

    Returns ``halo``: of the variance that is left once departments, raters, items and their mutual
    differences are taken out, the share that all items of a form have in common (95% limits on
    the logit); ``halo_sd``, the same in points (Satterthwaite); ``halo_variance`` of every part; and
    ``halo_error_ratio``: how many times wider halo makes the error of a form's mean than it would
    be if items were judged one by one.

    Misleads: a department may truly be good for one rater and bad for another on everything; that
    is halo here as well. A factor analysis of such forms shows a fine general factor: it is this.

    Source: Saal, Downey & Lahey 1980; variance components by restricted likelihood, items fixed.

    >>> rng = np.random.default_rng(1)
    >>> r = pd.DataFrame([(p, d, i) for p in range(30) for d in range(5) for i in range(4)],
    ...                  columns=["who", "unit", "item"])
    >>> r["s"] = rng.normal(0, 1, (30, 5))[r["who"], r["unit"]] + rng.normal(0, 1, len(r))
    >>> found = halo(r, rater="who", target="unit", item="item", score="s").table
    >>> bool(0.4 < found["estimate"].iloc[0] < 0.6)
    True
    """
    forms = reader.read(ratings, rater=rater, target=target, item=item, score=score, wave=wave)
    about: dict[str, Any] = {"dropped": forms.dropped, "forms": len(forms), "items": len(forms.items),
                             "method": "REML, items fixed"}  # fmt: skip
    if len(forms.items) < 2 or len(forms) < 4 or len(forms.raters) < 2:
        return _refused("few", forms, about)
    try:
        found = _found(forms)
    except NoSpread:
        return _refused("flat", forms, about)
    except (NotIdentified, Singular, TooLarge):
        return _refused("not_identified", forms, about)
    if found is None:
        return _refused("not_identified", forms, about)
    about |= {"components": found.variances, "converged": found.converged, "p": found.p}
    said = [_reading(forms, found), *reversed_items(forms, "halo"), *forms.findings]
    return Result("halo", _table(forms, found), said, about)


def _refused(key: str, forms: reader.Forms, about: dict[str, Any]) -> Result:
    none = Finding(f"halo.{key}", {"forms": len(forms), "items": len(forms.items)}, "refused")
    return Result("halo", estimates("halo", n=len(forms)), [none, *forms.findings], about)


def _found(forms: reader.Forms) -> arrays.Impression | None:
    form, item = np.nonzero(np.isfinite(forms.answers))
    rater, target, wave = (
        x[form].astype(np.int64) for x in (forms.rater, forms.target, forms.wave)
    )
    items, targets, waves = len(forms.items), len(forms.targets), len(forms.waves)
    pair = rater * targets + target
    factors = {"target": target, "rater": rater, "pair": pair, "rater_item": rater * items + item}
    names: tuple[str, ...] = ("pair",)
    pairs = np.unique(np.stack([forms.rater, forms.target]), axis=1).shape[1]
    if pairs >= RATERS * targets:
        factors["target_item"] = target * items + item
    if waves > 1:
        factors["target_wave"] = target * waves + wave
        # Without keys over waves every pair has one form: one and the same factor.
        if pairs < len(forms):
            factors["form"] = form
            names = ("pair", "form")
    factors = {k: v for k, v in factors.items() if _useful(v, len(form))}
    names = tuple(n for n in names if n in factors)
    if not names:
        return None
    return arrays.impression(forms.answers[form, item], item, factors, names)


def _useful(codes: np.ndarray, n: int) -> bool:
    """A factor with one level, or with a level per answer, cannot be told from the rest."""
    return 1 < len(np.unique(codes)) < n


def _table(forms: reader.Forms, found: arrays.Impression) -> pd.DataFrame:
    n = len(forms)
    items = float(np.isfinite(forms.answers).sum() / n)
    share, low, high = found.share
    # The mean of k items: variance with a common part, over that without one.
    ratio = [np.sqrt(1 + (items - 1) * s) for s in (share, low, high)]
    rows = [
        estimates("halo", estimate=share, low=low, high=high, n=n),
        estimates("halo_sd", estimate=found.sd[0], low=found.sd[1], high=found.sd[2], n=n),
        estimates("halo_error_ratio", estimate=ratio[0], low=ratio[1], high=ratio[2], n=n),
        estimates("halo_variance", variant=list(found.variances),
                  estimate=list(found.variances.values()), n=n),
    ]  # fmt: skip
    return pd.concat(rows)


def _reading(forms: reader.Forms, found: arrays.Impression) -> Finding:
    share, low, high = found.share
    items = float(np.isfinite(forms.answers).sum() / len(forms))
    values = {"share": 100 * share, "low": 100 * low, "high": 100 * high, "n": len(forms),
              "sd": found.sd[0], "items": items, "worth": items / (1 + (items - 1) * share)}  # fmt: skip
    if low > MOSTLY:
        return Finding("halo.mostly", values, "warning")
    return Finding("halo.some" if low > 0.05 else "halo.little", values)
