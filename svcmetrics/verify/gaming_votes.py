"""What of ratings could be steered: mutual top scores, revenge, late votes.

Not a statistic. Scores are read as what is left after what a rater gives everybody and what
everybody gives the department in that wave. Only departments are told apart, never persons.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.columns import require
from svcmetrics.numeric import within
from svcmetrics.verify import forms as reader

# A group below this size is not looked at: it could be one person's opinion.
_LEAST = 5
# Forms from one department about another in one wave; fewer are noise.
_CELL = 3
# The last twentieth of a wave's forms, where the end of the wave is not known.
_LAST = 0.95
NEEDED = ["rater_key", "target_id", "score"]


def read(ratings: pd.DataFrame) -> reader.Forms:
    """Forms with the rater's department and the moment of submission."""
    require(ratings, *NEEDED)
    here = [c for c in ("rater_unit_id", "submitted_at") if c in ratings]
    return reader.read(
        ratings, rater="rater_key", target="target_id", score="score", extra=tuple(here),
        item="item_id" if "item_id" in ratings else None,
        wave="wave" if "wave" in ratings else None,
    )  # fmt: skip


def left_over(forms: reader.Forms, column: np.ndarray) -> np.ndarray:
    """A column without its means by rater and wave, and by target and wave."""
    waves = len(forms.waves)
    groups = [
        np.unique(who * waves + forms.wave, return_inverse=True)[1]
        for who in (forms.rater.astype(np.int64), forms.target.astype(np.int64))
    ]
    return within.centred(column, groups)


def blocks(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean of ``left`` per block with its variance by raters; blocks of few raters are left out."""
    per = frame.groupby([*by, "rater"])["left"].agg(["sum", "size"]).reset_index()
    group = per.groupby(by)
    size, raters = group["size"].sum(), group["rater"].size()
    mean = group["sum"].sum() / size
    own = per["sum"] - per["size"] * mean.reindex(pd.MultiIndex.from_frame(per[by]) if len(by) > 1
                                                  else per[by[0]]).to_numpy()  # fmt: skip
    square = (own**2).groupby([per[c] for c in by]).sum()
    variance = square / size**2 * raters / (raters - 1)
    out = pd.DataFrame({"mean": mean, "variance": variance, "n": raters}).reset_index()
    return out[(out["n"] >= _LEAST) & (out["variance"] > 0)]


def mutual_top(forms: reader.Forms) -> pd.DataFrame:
    """How much more often the raters of one department give another the top score."""
    known = np.isfinite(forms.answers)
    best = np.max(forms.answers, initial=-np.inf, where=known)
    top = (forms.answers == best).sum(axis=1) / known.sum(axis=1)
    frame = _by_unit(forms, left_over(forms, top))
    return blocks(frame[frame["unit"] != frame["other"]], ["unit", "other"])


def revenge(forms: reader.Forms) -> pd.DataFrame:
    """Changes of A's rating of B, as far as they follow B's change towards A one wave before."""
    frame = _by_unit(forms, left_over(forms, forms.centred()))
    cells = frame.groupby(["unit", "other", "wave"])["left"].agg(["mean", "size"])
    wide = cells["mean"].where(cells["size"] >= _CELL).unstack("wave")
    steps = wide.diff(axis=1)
    swapped = steps.swaplevel().reindex(steps.index)
    now, then = steps.iloc[:, 1:].to_numpy(), swapped.iloc[:, :-1].to_numpy()
    unit = np.repeat(steps.index.get_level_values(0).to_numpy(), now.shape[1])
    return pd.DataFrame({"unit": unit, "now": now.ravel(), "then": then.ravel()}).dropna()


def late_votes(forms: reader.Forms, waves: pd.Series | None) -> pd.DataFrame:
    """What late forms give a department more than the same wave's earlier ones, rater held fixed."""
    hours = pd.Series(forms.extra["submitted_at"]).astype("float64")
    late = _late(hours, pd.Series(forms.wave), forms.waves, waves)
    # The rater's own level is taken out, so that strict late-comers are no late votes.
    frame = pd.DataFrame({"unit": np.asarray(forms.targets, dtype="object")[forms.target],
                          "rater": forms.rater, "late": late,
                          "left": left_over(forms, forms.centred())})  # fmt: skip
    found = blocks(frame[frame["late"]], ["unit"])
    return found.assign(other="")


def _late(
    at: pd.Series, wave: pd.Series, names: list[object], ends: pd.Series | None
) -> np.ndarray:
    """Forms after the end of their wave; where no end is known, the last of its forms."""
    limit = at.groupby(wave).transform(lambda x: x.quantile(_LAST))
    if ends is not None:
        moments = pd.to_datetime(pd.Series([ends.get(str(n)) for n in names]), utc=True)
        limit = wave.map(reader.moments(moments.to_frame("end"), "end")).fillna(limit)
    return (at > limit).to_numpy()


def _by_unit(forms: reader.Forms, left: np.ndarray) -> pd.DataFrame:
    units = forms.extra["rater_unit_id"]
    names = np.asarray([str(t) for t in forms.targets], dtype="object")
    frame = pd.DataFrame({"unit": units, "other": names[forms.target], "rater": forms.rater,
                          "wave": forms.wave, "left": left})  # fmt: skip
    return frame[frame["unit"].notna()].assign(unit=lambda t: t["unit"].astype(str))
