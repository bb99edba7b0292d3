"""Data and calls for the laws."""

import numpy as np
import pandas as pd

from tests.laws import Sample

SAMPLES: dict[str, Sample] = {}


def _rated() -> pd.DataFrame:
    """Twenty raters of unequal severity, four departments, whole scores 1 to 7, some missing."""
    rng = np.random.default_rng(12)
    rows = pd.DataFrame(
        [(who, unit) for who in range(20) for unit in "甲乙丙丁"], columns=["who", "unit"]
    )
    rows = rows[rng.uniform(size=len(rows)) < 0.8].reset_index(drop=True)
    lenient = rng.normal(0, 1, 20)[rows["who"]]
    level = rows["unit"].map({"甲": 3.2, "乙": 4.0, "丙": 4.4, "丁": 5.0})
    points = level + lenient + rng.normal(0, 0.7, len(rows))
    return rows.assign(points=points.round().clip(1, 7).astype("int64"))


SAMPLES["severity"] = Sample(
    _rated(), {"target": "unit", "rater": "who", "score": "points"}, score="points"
)


def _waves() -> pd.DataFrame:
    """Sixteen raters in four units, four departments, six items, two waves, two modes."""
    rng = np.random.default_rng(21)
    level, liking = np.array([3.0, 3.6, 4.2, 2.6]), rng.normal(0, 0.4, (16, 4))
    rows = pd.DataFrame(
        [(p, d, w, i) for p in range(16) for d in range(4) for w in (1, 2) for i in range(6)],
        columns=["who", "unit", "wave", "item"],
    )
    severity = rng.normal(0, 0.4, 16)
    points = level[rows["unit"]] + liking[rows["who"], rows["unit"]] - severity[rows["who"]]
    points += rng.normal(0, 0.6, len(rows))
    rows["points"] = points.round().clip(1, 5).astype("int64")
    rows["own"] = rows["who"] % 4
    rows["mode"] = np.where(rows["who"] // 4 % 2, "named", "confidential")
    return rows[(rows["own"] != rows["unit"]) & (rng.random(len(rows)) < 0.97)].reset_index(
        drop=True
    )


_FORM = {"rater": "who", "target": "unit", "item": "item", "score": "points", "wave": "wave"}
SAMPLES["formality"] = Sample(_waves(), _FORM, score="points")

SAMPLES["generalizability"] = Sample(
    _rated(), {"formula": "points ~ unit + who", "object": "unit"}, score="points", fixed_names=True
)
SAMPLES["generalizability_composite"] = Sample(
    _waves().query("wave == 1").assign(side=lambda d: d["item"] // 3),
    {"formula": "points ~ unit + who", "object": "unit", "strata": "side", "linked": ["who"]},
    score="points",
    fixed_names=True,
)
SAMPLES["d_study"] = Sample(
    _rated(),
    {"formula": "points ~ unit + who", "object": "unit", "sizes": {"who": [5, 10, 40]}},
    score="points",
    fixed_names=True,
)
SAMPLES["careless"] = Sample(
    pd.concat([_waves(), _waves().assign(who=lambda t: t["who"] + 16)], ignore_index=True),
    _FORM,
    score="points",
)


def _answered() -> pd.DataFrame:
    """Forty forms with six items of one scale, 1 to 5, one wave after the other."""
    rng = np.random.default_rng(31)
    rows = pd.DataFrame([(p, i) for p in range(40) for i in range(6)], columns=["form", "item"])
    points = 3 + rng.normal(0, 0.9, 40)[rows["form"]] + rng.normal(0, 0.8, len(rows))
    rows["points"] = points.round().clip(1, 5).astype("int64")
    rows["wave"] = np.where(rows["form"] < 20, "2026Q1", "2026Q2")
    return rows


def _inside() -> pd.DataFrame:
    """Five departments of unequal size with three items each; every rater rates one department."""
    rng = np.random.default_rng(41)
    raters = pd.DataFrame({"unit": np.repeat([*"甲乙丙丁戊"], [5, 6, 7, 8, 9])})
    raters["who"] = raters.index
    raters["level"] = rng.normal(3.2, 0.7, len(raters))
    rows = raters.merge(pd.DataFrame({"item": range(3)}), how="cross")
    points = rows["level"] + rng.normal(0, 0.6, len(rows))
    return rows.assign(points=points.round().clip(1, 5).astype("int64")).drop(columns="level")


_RATED = {"target": "unit", "rater": "who", "score": "points"}
_SCALE = {"person": "form", "item": "item", "score": "points"}
SAMPLES["icc"] = Sample(_rated(), _RATED, score="points")
SAMPLES["agreement"] = Sample(_rated(), _RATED, score="points")
SAMPLES["kendall_w"] = Sample(
    _answered(), {"target": "item", "rater": "form", "score": "points"}, score="points"
)
SAMPLES["alpha"] = Sample(_answered(), _SCALE, score="points")
SAMPLES["omega"] = Sample(_answered(), _SCALE, score="points")
SAMPLES["split_half"] = Sample(_answered(), _SCALE, score="points")
SAMPLES["structure"] = Sample(
    _answered().assign(side=lambda d: d["item"] % 2, unit=lambda d: d["form"] % 4),
    {**_SCALE, "dimension": "side", "target": "unit"},
    score="points",
)
SAMPLES["straight_lining"] = Sample(
    _answered(), {"form": "form", "item": "item", "score": "points", "wave": "wave"}, score="points"
)
SAMPLES["aggregation"] = Sample(
    _inside(), {**_RATED, "item": "item", "scale": (1.0, 5.0)}, score="points"
)
SAMPLES["reportable"] = Sample(_rated(), _RATED, score="points")
SAMPLES["in_group"] = Sample(
    _waves().assign(own=lambda t: t["own"] % 2, side=lambda t: t["unit"] % 2),
    {**_FORM, "rater_group": "own", "target_group": "side"},
    score="points",
)
SAMPLES["mode_effect"] = Sample(_waves(), {**_FORM, "mode": "mode"}, score="points")
SAMPLES["reciprocity"] = Sample(_waves(), {**_FORM, "rater_unit": "own"}, score="points")
_LONG = pd.concat([_waves(), _waves().assign(who=lambda t: t["who"] + 16)], ignore_index=True)
SAMPLES["halo"] = Sample(_waves(), _FORM, score="points")
SAMPLES["drift"] = Sample(_waves(), _FORM, score="points")
SAMPLES["centrality"] = Sample(_LONG, {**_FORM, "scale": (1, 5)}, score="points")
SAMPLES["facets"] = Sample(
    _waves(), {"target": "unit", "rater": "who", "item": "item", "score": "points"}, score="points"
)
SAMPLES["collusion"] = Sample(
    _LONG.assign(own=lambda t: t["who"] % 4), {**_FORM, "rater_unit": "own"}, score="points"
)
SAMPLES["impact"] = Sample(
    _LONG.assign(line=lambda t: t["own"] % 2, side=lambda t: t["unit"] % 2),
    {**_FORM, "rater_unit": "own", "side": ("line", "side"), "mode": "mode"},
    score="points",
)


def _steered() -> pd.DataFrame:
    """Ten people in each of six departments rate the other five in four waves."""
    rng = np.random.default_rng(41)
    rows = pd.DataFrame(
        [(f"{u}{p}", u, t, w) for u in "甲乙丙丁戊己" for p in range(10) for t in "甲乙丙丁戊己"
         for w in (1, 2, 3, 4) if u != t],
        columns=["rater_key", "rater_unit_id", "target_id", "wave"],
    )  # fmt: skip
    rows["score"] = (3.5 + rng.normal(0, 0.8, len(rows))).round().clip(1, 5)
    day = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.uniform(0, 20, len(rows)), unit="D")
    return rows.assign(submitted_at=day + pd.to_timedelta(30 * rows["wave"], unit="D"))


SAMPLES["gaming"] = Sample(_steered(), {}, score="score", fixed_names=True)
