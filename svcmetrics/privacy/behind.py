"""The ratings behind a table: who said what, and which of it is in which cell."""

from __future__ import annotations

import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.tables import numbers, require

# The most decimals that a weight may have.
_PLACES = 6


@dataclass(frozen=True)
class Behind:
    """The ratings behind the cells of a table.

    ``ratings``: one row per rating and cell (a rating that is in two overlapping groups has two
    rows). ``by``: the columns that name a cell. ``rater``, ``score``: columns of the person and the
    rating. ``scale``: its lowest and highest value; None decides from counts alone, whatever was
    answered. ``rating``: the columns that tell one rating from another, beside its rater.
    ``weight``: column of the weight of a rating in its cell. ``decimals``: those that are shown;
    None: the ratings are no whole numbers, and the exact mean counts as known.
    """

    ratings: pd.DataFrame
    by: Sequence[str]
    rater: str
    score: str
    scale: tuple[float, float] | None
    rating: Sequence[str] = ()
    weight: str | None = None
    decimals: int | None = 2

    def __post_init__(self) -> None:
        own = [c for c in (self.score, self.weight) if c is not None and self.scale is not None]
        require(self.ratings, self.rater, *self.by, *self.rating, *own)
        if self.scale is None:
            return
        score = numbers(self.ratings, self.score)
        outside = ~score.between(*self.scale)
        if outside.any():
            raise table_error(
                "scores_off_scale", column=self.score, count=int(outside.sum()),
                low=f"{self.scale[0]:g}", high=f"{self.scale[1]:g}",
            )  # fmt: skip

    @property
    def whole(self) -> bool:
        """Whether every rating is a whole number, and nothing finer than the decimals is known."""
        if self.decimals is None or self.scale is None:
            return False
        return bool((numbers(self.ratings, self.score) % 1 == 0).all())

    @property
    def unit(self) -> float:
        """A rating known to less than this is known."""
        return 1.0 if self.whole else 0.5

    def cells(self) -> pd.Series:
        """The number of each row's cell, in the order of ``names``."""
        if not self.by:
            return pd.Series(0, index=self.ratings.index)
        return self.ratings.groupby(list(self.by), dropna=False).ngroup()

    def names(self) -> pd.DataFrame:
        """The names of the cells, one row each."""
        if not self.by:
            return pd.DataFrame(index=[0])
        keys = self.ratings.groupby(list(self.by), dropna=False).size()
        return keys.reset_index()[list(self.by)]

    def weights(self) -> np.ndarray:
        """Whole numbers in the ratio of the weights."""
        if self.weight is None or self.scale is None:
            return np.ones(len(self.ratings), dtype=np.int64)
        w = numbers(self.ratings, self.weight).to_numpy("float64")
        if not (w > 0).all():
            raise table_error("not_above_zero", column=self.weight, count=int((~(w > 0)).sum()),
                              example=f"{w[~(w > 0)][0]:g}")  # fmt: skip
        for place in range(_PLACES + 1):
            whole = np.round(w * 10**place)
            if whole.min(initial=1) > 0 and np.allclose(whole, w * 10**place, rtol=0, atol=1e-6):
                break
        whole = np.maximum(whole, 1).astype(np.int64)
        return whole // int(np.gcd.reduce(whole)) if len(whole) else whole

    def marked(self, key: bytes) -> pd.DataFrame:
        """Ratings and persons under keyed marks, with the score: mark, person, score.

        A corrected rating gets another mark: before and after are two things to protect. The mark
        says nothing without the key.
        """
        own = hmac.digest(key, b"ledger", "sha256")
        score = (
            pd.Series(math.nan, index=self.ratings.index)
            if self.scale is None
            else numbers(self.ratings, self.score)
        )
        columns = (self.rater, *self.rating)
        parts = [self.ratings[c].astype("str").to_numpy(dtype=object) for c in columns]
        digits = [f"{v:.9g}" for v in score.tolist()]
        text = pd.Series(
            ["\x1f".join(map(str, p)) for p in zip(*parts, digits)],
            index=self.ratings.index, dtype=object,
        )  # fmt: skip
        # The same words twice in one cell are two ratings.
        twice = text.groupby([self.cells(), text]).cumcount()
        text = text + ("\x1f" + twice.astype("str").astype(object))
        return pd.DataFrame({
            "mark": _marks(text.to_numpy(), own),
            "person": _marks(parts[0], own),
            "score": score.astype("float64"),
        })  # fmt: skip


def _marks(texts: np.ndarray, key: bytes) -> list[bytes]:
    code, distinct = pd.factorize(texts)
    marks = [_mark(str(t), key) for t in distinct]
    return [marks[c] for c in code]


@lru_cache(maxsize=1 << 17)
def _mark(text: str, key: bytes) -> bytes:
    """A report asks for the same marks table by table."""
    return hmac.digest(key, text.encode(), "sha256")[:12]


def cell_bounds(
    mean: float, weights: np.ndarray, scale: tuple[float, float], unit: float, decimals: int | None
) -> tuple[float, float, str]:
    """What a shown mean leaves open for the mean, and whether it is capped: "", "at_least", "at_most".

    A group (nearly) all of whose ratings lie at one end of the scale gives everybody away: there
    the end is shown as a band, "4.8 or more". Its width depends on the number of ratings only, so
    that the band itself says nothing more: inside of it one insider, whatever they answered, still
    leaves room for every other one.
    """
    low, high = scale
    # The insider may be a whole scale away from the end; one unit must be left to the others.
    width = (high - low + unit) * float(weights.max()) / float(weights.sum())
    step = 10.0 ** -(2 if decimals is None else decimals)
    top = math.floor((high - width) / step + 1e-9) * step
    bottom = math.ceil((low + width) / step - 1e-9) * step
    if top <= bottom:
        return low, high, "hidden"
    if mean >= top - 1e-12:
        return top, high, "at_least"
    if mean <= bottom + 1e-12:
        return low, bottom, "at_most"
    if decimals is None:
        return mean, mean, ""
    shown, half = round(mean, decimals), step / 2 * (1 + 1e-9)
    return max(shown - half, bottom), min(shown + half, top), ""
