"""What a structure check says, in the order in which a reader needs it.

Not a statistic; called by ``structure``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from svcmetrics.result import Finding
from svcmetrics.verify import answers
from svcmetrics.verify.answers import Answers
from svcmetrics.verify.structure_data import Claim
from svcmetrics.verify.structure_rows import Counted, Fits, elsewhere, limits

# Fewer forms than this: numbers of dimensions wander from sample to sample.
_FEW = 100
_LITTLE = 0.6  # Kaiser's "mediocre" begins here
# Upper limits of a correlation from here on: two dimensions are hardly two (Rönkkö and Cho 2022).
_CLOSE = 0.9
_WEAK = 0.4  # a loading surely below it: the item has little to do with its dimension
_SHOWN = 3


def refusal(form: Answers, r: np.ndarray, n: int) -> Finding | None:
    """Why nothing can be said, or None."""
    items, left = len(form.items), {"left": form.persons, "persons": form.asked}
    flat = _flat(form)
    why: list[tuple[bool, str, dict[str, Any]]] = [
        (items < 3, "structure.too_few_items", {"items": items}),
        (form.persons < 2, "answers.nobody_left", left),
        (len(flat) == items, "answers.no_variation", {}),
        (bool(flat), "omega.constant", {"items": flat}),
        (not np.isfinite(r).all(), "answers.never_together", {}),
        (n <= items, "omega.too_few", {"persons": n, "items": items}),
    ]
    for so, key, values in why:
        if so:
            return Finding(key, values, "refused")
    pairs = answers.twins(form.table, form.items)
    return Finding("structure.twins", {"pairs": pairs[:5]}, "refused") if pairs else None


def _flat(form: Answers) -> list[str]:
    """Items with one answer, or none."""
    there = np.isfinite(form.table)
    low = np.where(there, form.table, np.inf).min(axis=0, initial=np.inf)
    high = np.where(there, form.table, -np.inf).max(axis=0, initial=-np.inf)
    return [str(i) for i, same in zip(form.items, high <= low) if same]


def findings(
    form: Answers, claim: Claim, seen: Counted, fits: Fits, n: int, taken: int
) -> list[Finding]:
    """The reading, the fit, what is close or weak, and what could not be checked.

    ``n``: forms, less the means of departments that were taken off them.
    """
    found = [_reading(claim, seen, n + taken)]
    if np.isfinite(seen.kmo) and seen.kmo < _LITTLE:
        found.append(Finding("structure.little", {"kmo": seen.kmo}, "warning"))
    if claim.alone:
        found.append(Finding("structure.alone", {"dimensions": claim.alone}))
    found += _fit(claim, fits) + _against_one(claim, fits) + _parts(form, claim, fits)
    if n < _FEW:
        found.append(Finding("structure.few", {"n": n, "least": _FEW}, "warning"))
    return found


def _reading(claim: Claim, seen: Counted, n: int) -> Finding:
    values = {
        "n": n, "claimed": claim.many, "components": seen.components, "factors": seen.factors,
        "partial": seen.partial, "kmo": seen.kmo,
    }  # fmt: skip
    if seen.components == 0:
        return Finding("structure.nothing", values, "warning")
    if claim.each_alone or not claim.many:
        return Finding("structure.no_claim", values)
    if seen.components < claim.many:
        return Finding("structure.fewer", values, "warning")
    if seen.components > claim.many:
        return Finding("structure.more", values, "warning")
    return Finding("structure.as_claimed", values)


def _fit(claim: Claim, fits: Fits) -> list[Finding]:
    if claim.without:
        return [Finding("structure.no_dimension", {"items": claim.without}, "warning")]
    if "claimed" not in fits.models:
        return [Finding("structure.no_fit", {"n": fits.persons}, "warning")]
    own = fits.indices("claimed")
    found = []
    if own["df"] < 1:
        found.append(Finding("structure.saturated", {"items": claim.items}))
    else:
        word = quality(own)
        found.append(Finding(f"structure.fit_{word}", own, "warning" if word == "poor" else "note"))
    if not fits.models["claimed"].proper:
        found.append(Finding("structure.improper", {}, "warning"))
    return found


def quality(own: dict[str, float]) -> str:
    """ "good" by the customary cut-offs, "poor" where surely far off them, else "fair"."""
    if own["cfi"] >= 0.95 and own["rmsea"] <= 0.06 and own["srmr"] <= 0.08:
        return "good"
    return "poor" if own["cfi"] < 0.90 or own["rmsea_low"] > 0.08 or own["srmr"] > 0.10 else "fair"


def _against_one(claim: Claim, fits: Fits) -> list[Finding]:
    """Is the claim better than one general impression?"""
    apart = fits.difference()
    if apart is None or claim.many < 2:
        return []
    one = fits.indices("one_factor")
    values = {
        "chi2": apart[0],
        "df": apart[1],
        "p": apart[2],
        "rmsea": one["rmsea"],
        "cfi": one["cfi"],
    }
    if apart[2] > 0.05:
        return [Finding("structure.one_is_enough", values, "warning")]
    if quality(one) == "good":
        return [Finding("structure.one_is_good", values, "warning")]
    return [Finding("structure.one_is_worse", values)]


def _parts(form: Answers, claim: Claim, fits: Fits) -> list[Finding]:
    found: list[Finding] = []
    model = fits.models.get("claimed")
    if model is None:
        return found
    high = limits(np.abs(model.loading), model.loading_error)[1]
    weak = [str(i) for i, h in zip(form.items, high) if h < _WEAK]
    if weak:
        found.append(Finding("structure.weak", {"items": weak, "least": _WEAK}, "warning"))
    one, two = np.triu_indices(claim.many, 1)
    top = limits(np.abs(model.phi[one, two]), model.phi_error[one, two])[1]
    top = np.where(np.abs(model.phi[one, two]) >= 1, 1.0, top)
    close = [
        f"{claim.names[i]} / {claim.names[j]}"
        for i, j, h in zip(one, two, top) if h >= _CLOSE
    ]  # fmt: skip
    if close:
        found.append(Finding("structure.close", {"pairs": close, "limit": _CLOSE}, "warning"))
    far = [f"{form.items[i]} → {claim.names[f]}" for i, f, *_ in elsewhere(claim, fits)]
    if far:
        found.append(Finding("structure.elsewhere", {"items": far[:_SHOWN], "count": len(far)}))
    return found
