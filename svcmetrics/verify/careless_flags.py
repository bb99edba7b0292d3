"""Who answers carelessly, at a stated rate of false alarms: indices, cut-offs and flags.

Not a statistic. ``careless`` counts the flags; only the analyst's table names raters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.numeric import careless, careless_indices, honest
from svcmetrics.verify.forms import Forms

# Indices that are low where somebody is careless; the others are high then.
LOW = {"irv", "even_odd", "synonyms", "person_fit", "spread"}
# Simulated raters for the cut-offs, at least.
SIMULATED = 5_000
# Items that go together or oppose each other at least so strongly are synonyms or antonyms.
CRITICAL = 0.6
# Clear cases, which do not tell what is usual, pass so small a part of the level; so many passes.
CLEAR, PASSES = 0.25, 5


@dataclass(frozen=True)
class Flags:
    """Indices of each rater, their chance p among attentive raters, the smallest p, the flag."""

    index: dict[str, np.ndarray]
    p: dict[str, np.ndarray]
    least: np.ndarray
    flagged: np.ndarray
    level: float  # of a single index, so that all together keep the rate


def flags(
    forms: Forms, scale: np.ndarray | None, seconds: np.ndarray | None, rate: float,
    rng: np.random.Generator,
) -> Flags:  # fmt: skip
    """Indices, cut-offs simulated at the observed marginals, and flags.

    Careless answers make the usual ones look odd. So what is usual is learnt anew without the
    clearest cases, until these stay the same; every rater is judged each time.
    """
    usual = np.ones(len(forms.raters), dtype=bool)
    for _ in range(PASSES):
        found = _judged(forms, usual, scale, seconds, rate, rng)
        kept = ~(found.least <= found.level * CLEAR)
        if np.array_equal(kept, usual) or kept.mean() < 0.5:
            break
        usual = kept
    return found


def _judged(
    forms: Forms, usual: np.ndarray, scale: np.ndarray | None, seconds: np.ndarray | None,
    rate: float, rng: np.random.Generator,
) -> Flags:  # fmt: skip
    among = usual[forms.rater]
    pairs = {
        name: careless_indices.similar_pairs(forms.answers[among], sign * CRITICAL)
        for name, sign in (("synonyms", 1), ("antonyms", -1))
    }
    size = len(forms.raters)
    pair = np.unique(forms.rater * len(forms.targets) + forms.target, return_inverse=True)[1]
    owner = np.zeros(int(pair.max()) + 1, dtype=np.int64)
    owner[pair] = forms.rater
    whose = (forms.rater, pair, owner)
    seen = indices(forms.answers, whose, size, scale, pairs, among)
    seen = {k: v for k, v in seen.items() if np.isfinite(v).any()}
    draws = max(2, -(-SIMULATED // size))
    model = honest.fitted(forms.answers[among], forms.rater[among], pair[among])
    model = replace(model, known=np.isfinite(forms.answers), groups=[forms.rater, pair])
    fake = [indices(model.draw(rng), whose, size, scale, pairs) for _ in range(draws)]
    stratum = np.floor(np.log2(np.bincount(forms.rater, minlength=size))).astype(int)
    p, null = {}, []
    for name, value in seen.items():
        drawn = np.stack([f[name] for f in fake])
        turned = (-value, -drawn) if name in LOW else (value, drawn)
        p[name], own = _chances(*turned, stratum)
        null.append(own)
    if seconds is not None:
        seen["seconds_per_item"] = seconds
        p["seconds_per_item"] = _quick(seconds)
    level = _level(np.stack(null), rate, len(p)) if null else rate
    least = _least(list(p.values()), size)
    return Flags(seen, p, least, least <= level, level)


def indices(
    answers: np.ndarray, whose: tuple[np.ndarray, np.ndarray, np.ndarray], raters: int,
    scale: np.ndarray | None, pairs: dict[str, np.ndarray], among: np.ndarray | None = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Every index, as the mean over a rater's forms; spread is that between targets.

    ``whose``: the rater of each form, its pair of rater and target, and the rater of each pair;
    ``among``: the forms that tell what is usual.
    """
    rater, pair, owner = whose
    by_form = {
        "longstring": careless.longstring(answers),
        "irv": careless.irv(answers),
        "mahalanobis": careless_indices.mahalanobis(answers, among=among),
        "person_fit": careless_indices.person_fit(answers, among=among),
        "synonyms": careless_indices.synonyms(answers, pairs=pairs["synonyms"]),
        "antonyms": careless_indices.synonyms(answers, pairs=pairs["antonyms"]),
    }
    if scale is not None:
        by_form["even_odd"] = careless_indices.even_odd(answers, scale)
    out = {name: _mean(value, rater, raters) for name, value in by_form.items()}
    known = np.isfinite(answers)
    level = np.where(known, answers, 0.0).sum(axis=1) / known.sum(axis=1)
    level = _mean(level, pair, len(owner))
    n = np.bincount(owner, minlength=raters)
    mean = _mean(level, owner, raters)
    square = np.bincount(owner, (level - mean[owner]) ** 2, minlength=raters)
    out["spread"] = np.where(n > 1, np.sqrt(square / np.maximum(n - 1, 1)), np.nan)
    return out


def _mean(value: np.ndarray, rater: np.ndarray, raters: int) -> np.ndarray:
    known = np.isfinite(value)
    n = np.bincount(rater[known], minlength=raters)
    total = np.bincount(rater[known], value[known], minlength=raters)
    return total / np.where(n > 0, n, np.nan)


def _chances(
    seen: np.ndarray, drawn: np.ndarray, stratum: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Share of simulated raters with as many forms that are at least so extreme; theirs as well."""
    p, own = np.full(seen.shape, np.nan), np.full(drawn.shape, np.nan)
    for s in np.unique(stratum):
        here = stratum == s
        pool = np.sort(drawn[:, here][np.isfinite(drawn[:, here])])
        if not len(pool):
            continue
        for values, out in ((seen[here], p), (drawn[:, here], own)):
            rank = np.searchsorted(pool, values - 1e-9, side="left")
            found = np.where(np.isfinite(values), (len(pool) - rank) / len(pool), np.nan)
            out[..., here] = np.maximum(found, 1 / (len(pool) + 1))
    return p, own


def _quick(seconds: np.ndarray) -> np.ndarray:
    """Chance of so few seconds per item, from the slower half: quick clicking is not in it."""
    logs = np.log(np.maximum(seconds, 1e-3))
    known = logs[np.isfinite(logs)]
    if len(known) < 10:
        return np.full(len(seconds), np.nan)
    middle = np.median(known)
    slower = known[known >= middle]
    spread = np.sqrt(((slower - middle) ** 2).mean())
    return np.asarray(special.ndtr((logs - middle) / spread)) if spread > 0 else np.ones(len(logs))


def _level(null: np.ndarray, rate: float, tests: int) -> float:
    """The level of a single index at which attentive raters are flagged at the given rate."""
    least = np.nanmin(np.where(np.isfinite(null), null, np.inf), axis=0).ravel()
    share = null.shape[0] / tests  # indices outside the simulation take their part of the rate
    return float(np.quantile(least[np.isfinite(least)], rate * share, method="lower"))


def _least(p: list[np.ndarray], size: int) -> np.ndarray:
    if not p:
        return np.full(size, np.nan)
    return np.asarray(np.min([np.where(np.isfinite(v), v, 1.0) for v in p], axis=0))


def analyst_table(forms: Forms, found: Flags, rater: str) -> pd.DataFrame:
    """One row per rater: indices and flag. For the analyst only."""
    columns = {**found.index, "chance": found.least, "flagged": found.flagged}
    return pd.DataFrame({rater: forms.raters, **columns})
