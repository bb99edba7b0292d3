"""The table of a structure check: dimensions, eigenvalues, fit, loadings.

Not a statistic; called by ``structure``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from svcmetrics.numeric import confirmatory, dimensions
from svcmetrics.numeric.confirmatory import Confirmed
from svcmetrics.result import estimates
from svcmetrics.verify.answers import Answers
from svcmetrics.verify.structure_data import Claim

_Z, _LIMIT = 1.959964, 0.95
# A further loading is told where chance is below the first and it is at least the second.
_CHANCE, _LARGE = 0.01, 0.2


@dataclass(frozen=True)
class Keys:
    """The columns that tell rows apart: the item, and the dimension where one is claimed."""

    item: str
    dimension: str | None

    def of(self, items: list[str], names: list[str]) -> dict[str, list[str]]:
        own = {self.item: items}
        return own | ({self.dimension: names} if self.dimension else {})

    def none(self) -> dict[str, str]:
        return {self.item: ""} | ({self.dimension: ""} if self.dimension else {})


@dataclass(frozen=True)
class Counted:
    """Eigenvalues seen (components, factors), by chance on average and at the limit; the counts."""

    seen: np.ndarray
    expected: np.ndarray
    limit: np.ndarray
    components: int
    factors: int
    partial: int
    kmo: float
    each: np.ndarray


@dataclass(frozen=True)
class Fits:
    """The models that could be fitted, to how many forms beyond the means taken off."""

    persons: int
    r: np.ndarray
    models: dict[str, Confirmed] = field(default_factory=dict)

    def indices(self, model: str) -> dict[str, float]:
        return confirmatory.indices(self.r, self.models[model], self.persons)

    def difference(self) -> tuple[float, float, float] | None:
        """By how much the claim fits better than one factor: chi-square, df, p."""
        if not {"claimed", "one_factor"} <= set(self.models):
            return None
        one, two = self.indices("one_factor"), self.indices("claimed")
        chi2, df = max(one["chi2"] - two["chi2"], 0.0), one["df"] - two["df"]
        return (chi2, df, float(confirmatory.chance(chi2, df))) if df > 0 else None


def counted(r: np.ndarray, n: int, rng: np.random.Generator, draws: int) -> Counted:
    """How many dimensions, by three rules."""
    seen = np.stack(dimensions.eigenvalues(r[None]), axis=1)[0]
    chance = dimensions.by_chance(len(r), n, draws, rng)
    limit = np.quantile(chance, _LIMIT, axis=0)
    components, factors = (dimensions.beyond(a, b) for a, b in zip(seen, limit))
    whole, each = dimensions.kmo(r)
    partial = dimensions.least_partial(r)
    return Counted(seen, chance.mean(axis=0), limit, components, factors, partial, whole, each)


def rows(
    keys: Keys, form: Answers, claim: Claim, seen: Counted, fits: Fits, n: int, answered: np.ndarray
) -> pd.DataFrame:
    """All rows."""
    none, labels = keys.none(), [str(i) for i in form.items]
    names = (
        [claim.names[f] for f in claim.factor] if claim.factor is not None else [""] * len(labels)
    )
    many = claim.many if not claim.each_alone else 1
    parts = [
        estimates(
            "structure", groups=none, variant=["claimed", "components", "factors", "partial"],
            estimate=[many, seen.components, seen.factors, seen.partial], n=n,
        ),
        estimates("kmo", groups=none, estimate=seen.kmo, n=n),
        estimates("kmo", groups=keys.of(labels, names), estimate=seen.each, n=answered),
    ]  # fmt: skip
    for k, kind in enumerate(("component", "factor")):
        parts.append(estimates(
            "eigenvalue", groups=none, variant=kind, estimate=seen.seen[k], n=n,
            component=np.arange(1, len(labels) + 1), expected=seen.expected[k],
            chance_limit=seen.limit[k],
        ))  # fmt: skip
    for model in fits.models:
        parts += _fit(none, model, fits)
    if (apart := fits.difference()) is not None:
        parts.append(estimates(
            "chi_square", groups=none, variant="difference", estimate=apart[0], n=fits.persons,
            df=apart[1], p=apart[2],
        ))  # fmt: skip
    if "claimed" in fits.models and claim.factor is not None:
        parts += _parts(keys, claim, labels, names, fits)
    return pd.concat(parts)


def _fit(none: dict[str, str], model: str, fits: Fits) -> list[pd.DataFrame]:
    own, n = fits.indices(model), fits.persons
    square = estimates(
        "chi_square",
        groups=none,
        variant=model,
        estimate=own["chi2"],
        n=n,
        df=own["df"],
        p=own["p"],
    )
    each = [
        estimates(
            k, groups=none, variant=model, estimate=own[k], n=n,
            low=own.get(f"{k}_low", np.nan), high=own.get(f"{k}_high", np.nan),
        )
        for k in ("cfi", "tli", "rmsea", "srmr")
    ]  # fmt: skip
    return [square, *each]


def _parts(
    keys: Keys, claim: Claim, labels: list[str], names: list[str], fits: Fits
) -> list[pd.DataFrame]:
    """Loadings, correlations of dimensions, and where else an item would load."""
    model, n = fits.models["claimed"], fits.persons
    low, high = limits(model.loading, model.loading_error)
    parts = [
        estimates("loading", groups=keys.of(labels, names), n=n, low=low, high=high,
                  estimate=np.where(model.loading_error > 0, model.loading, np.nan),
                  se=np.where(model.loading_error > 0, model.loading_error, np.nan)),
    ]  # fmt: skip
    if claim.many < 2 or claim.factor is None:
        return parts
    one, two = np.triu_indices(claim.many, 1)
    r, error = model.phi[one, two], model.phi_error[one, two]
    low, high = limits(r, error)
    parts.append(estimates(
        "dimension_correlation", groups=keys.of([""] * len(one), [claim.names[i] for i in one]),
        estimate=r, low=low, high=high, n=n, se=error, other=[claim.names[i] for i in two],
    ))  # fmt: skip
    for item, to, change, chi2, p in elsewhere(claim, fits):
        parts.append(estimates(
            "elsewhere", groups=keys.of([labels[item]], [names[item]]), estimate=[change], n=n,
            chi2=chi2, df=1.0, p=p, other=claim.names[to],
        ))  # fmt: skip
    return parts


def limits(r: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Limits on Fisher's z, so that they stay between −1 and 1; none where nothing is estimated."""
    with np.errstate(divide="ignore", invalid="ignore"):
        half = _Z * error / (1 - r**2)
        low, high = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
    inside = (np.abs(r) < 1) & (error > 0)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def elsewhere(claim: Claim, fits: Fits) -> list[tuple[int, int, float, float, float]]:
    """Items that would load on a further dimension: item, dimension, loading, chi-square, p.

    Score tests (modification indices); p is multiplied by the number of tries.
    """
    if claim.factor is None or claim.many < 2 or "claimed" not in fits.models:
        return []
    chi2, change = confirmatory.further(fits.r, fits.models["claimed"], claim.factor, fits.persons)
    tries = int(np.isfinite(chi2).sum())
    p = np.minimum(confirmatory.chance(chi2, 1.0) * tries, 1.0)
    found = [(int(i), int(f)) for i, f in np.argwhere((p < _CHANCE) & (np.abs(change) >= _LARGE))]
    found.sort(key=lambda at: -chi2[at])
    return [(i, f, float(change[i, f]), float(chi2[i, f]), float(p[i, f])) for i, f in found]
