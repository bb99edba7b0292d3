"""Parts add up to the whole."""

import numpy as np
import pandas as pd

from svcmetrics import lang, score
from tests.score.samples import INDICATORS, SAMPLES

ARGUMENTS = dict(SAMPLES["contributions"].arguments)


def test_points_add_up_to_the_composite():
    parts = score.contributions(INDICATORS, **ARGUMENTS).table
    whole = score.composite(INDICATORS, **ARGUMENTS).table.set_index("unit")["estimate"]
    np.testing.assert_allclose(parts.groupby("unit")["estimate"].sum().loc[whole.index], whole)


def test_gaps_add_up_to_the_distance_from_the_mean_department():
    parts = score.contributions(INDICATORS, **ARGUMENTS).table
    whole = score.composite(INDICATORS, **ARGUMENTS).table.set_index("unit")["estimate"]
    gaps = parts.groupby("unit")["gap"].sum().loc[whole.index]
    np.testing.assert_allclose(gaps, whole - whole.mean(), atol=1e-9)


def test_a_missing_indicator_brings_no_row():
    parts = score.contributions(INDICATORS.drop(index=2), **ARGUMENTS).table
    mine = parts[parts["unit"] == "采购"]
    assert mine["name"].tolist() == ["按时", "退回"]
    np.testing.assert_allclose(mine["weight"].sum(), 1)


def test_of_many_departments_the_first_are_drawn_and_the_rest_told():
    many = pd.concat(
        [INDICATORS.assign(unit=INDICATORS["unit"] + f" {i:03}") for i in range(500)],
        ignore_index=True,
    )
    result = score.contributions(many, **ARGUMENTS)
    ax = result.plot()
    assert len(ax.get_yticklabels()) == 40
    total = result.table["unit"].nunique()
    with lang.speaking("en"):
        assert f"the first 40 of {total:,}" in result.plot().get_title(loc="left")
    assert ax.figure.get_size_inches()[1] > 8


def test_an_indicator_keeps_its_colour_when_its_name_sorts_otherwise():
    names = {n: f"{9 - i} {n}" for i, n in enumerate(sorted(INDICATORS["name"].unique()))}
    renamed = INDICATORS.assign(name=INDICATORS["name"].map(names))
    other = ARGUMENTS | {"weights": {names[k]: v for k, v in ARGUMENTS["weights"].items()}}
    seen = []
    for table, how, back in ((INDICATORS, ARGUMENTS, str), (renamed, other, lambda t: t[2:])):
        result = score.contributions(table, **how)
        order = result.table["name"].map(back).drop_duplicates().tolist()
        handles, labels = result.plot().get_legend_handles_labels()
        seen.append([(back(t), h[0].get_facecolor()) for h, t in zip(handles, labels)])
        assert [t for t, _ in seen[-1]] == order
    assert len(seen[0]) == len(names)
