"""Adjusted and composite scores: reruns with other weights, beside means of dimensions, give nobody away.

The attacker knows the exact weights, who skipped what, and every published number to the last digit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import score
from svcmetrics.privacy import Behind, Ledger, Published, publish_audited, publish_means
from svcmetrics.publication import behind_scores
from svcmetrics.result import Result, estimates
from svcmetrics.study import Settings, Study

DIMENSIONS = ("speed", "quality", "manner")
FIRST = {"speed": 0.5, "quality": 0.3, "manner": 0.2}
SECOND = {"speed": 0.37, "quality": 0.21, "manner": 0.42}


def forms(weights: dict[str, float], *, raters: int = 12, skips: int = 1, late: int = 0) -> Behind:
    """Parts of forms about one department; the last ``skips`` raters leave one dimension out."""
    rng = np.random.default_rng(7)
    values = {f"p{i}": rng.integers(2, 5, 3) for i in range(raters + late)}
    rows = [
        ("A", who, name, float(values[who][k]), weights[name])
        for i, who in enumerate(values)
        for k, name in enumerate(DIMENSIONS)
        if not (raters - skips <= i < raters and name == "manner")
    ]
    told = pd.DataFrame(rows, columns=["unit", "who", "dimension", "score", "share"])
    told["share"] /= told.groupby("who")["share"].transform("sum")
    return Behind(told, ["unit"], "who", "score", (1, 5), ["unit", "dimension"], "share", None)


def composite(behind: Behind, ledger: Ledger, quantity: str = "score") -> Published:
    told = behind.ratings
    value = float((told["score"] * told["share"]).sum() / told["share"].sum())
    table = estimates("composite", groups={"unit": ["A"]}, estimate=[value], n=99)
    rounded = replace(behind, ratings=told.assign(share=told["share"].round(4)))
    return publish_audited(
        Result("composite", table), behind=rounded, ledger=ledger, quantity=quantity
    )


def dimensions(behind: Behind, ledger: Ledger, quantity: str = "score") -> Published:
    by = replace(behind, by=["unit", "dimension"], weight=None)
    return publish_means(by, ledger=ledger, quantity=quantity)


def given_away(released: list[tuple[Behind, Published]]) -> list[str]:
    """Persons of whom some weighted sum of their own answers follows from what was published."""
    parts = pd.concat([b.ratings for b, _ in released]).drop_duplicates(["who", "dimension"])
    place = {k: i for i, k in enumerate(zip(parts["who"], parts["dimension"]))}
    rows = []
    for behind, table in released:
        shown = table.table[table.table["shown"]]
        weight = "dimension" not in shown
        for cell in shown.itertuples():
            told = behind.ratings
            mine = told if weight else told[told["dimension"] == cell.dimension]
            row = np.zeros(len(place))
            for r in mine.itertuples():
                row[place[(r.who, r.dimension)]] = r.share if weight else 1.0
            rows.append(row)
    matrix = np.array(rows)
    rank = np.linalg.matrix_rank(matrix, tol=1e-9)
    who = parts["who"].to_numpy()
    return [
        p for p in np.unique(who) if np.linalg.matrix_rank(matrix[:, who != p], tol=1e-9) < rank
    ]


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open("computed", tmp_path) as opened:
        yield opened


def test_a_composite_beside_the_means_of_dimensions_gives_nobody_away(ledger):
    behind = forms(FIRST)
    apart = [
        (behind, dimensions(behind, ledger, "apart")),
        (behind, composite(behind, ledger, "apart too")),
    ]
    assert given_away(apart) == ["p11"]  # the one who skipped a dimension, were it not audited
    together = [(behind, dimensions(behind, ledger)), (behind, composite(behind, ledger))]
    assert given_away(together) == []
    assert together[0][1].table["shown"].all() and not together[1][1].table["shown"].any()


def test_reruns_with_other_weights_give_nobody_away(ledger):
    rng = np.random.default_rng(1)
    weights = [dict(zip(DIMENSIONS, w)) for w in rng.dirichlet((4, 4, 4), 8)]
    runs = [forms(w) for w in weights]
    apart = [(b, composite(b, ledger, f"apart {i}")) for i, b in enumerate(runs)]
    assert given_away(apart) == ["p11"]
    audited = [(b, composite(b, ledger)) for b in runs]
    assert given_away(audited) == []
    shown = sum(t.table["shown"].all() for _, t in audited)
    assert 2 <= shown < len(runs)


@pytest.mark.parametrize("skips", [0, 5])
def test_reruns_show_where_nobody_stands_alone(ledger, skips):
    one, two = forms(FIRST, skips=skips), forms(SECOND, skips=skips)
    released = [(one, composite(one, ledger)), (one, dimensions(one, ledger)),
                (two, composite(two, ledger))]  # fmt: skip
    assert all(t.table["shown"].all() for _, t in released)
    assert given_away(released) == []


def test_a_late_vote_does_not_show_under_other_weights(ledger):
    one, two = forms(FIRST, skips=0), forms(SECOND, skips=0, late=1)
    first, parts = composite(one, ledger), dimensions(one, ledger)
    assert first.table["shown"].all() and parts.table["shown"].all()
    assert not composite(two, ledger).table["shown"].any()


@pytest.mark.parametrize(("raters", "shown"), [(9, False), (10, True)])
@pytest.mark.parametrize("name", ["composite", "groups", "ranks", "contributions"])
def test_computed_scores_need_twice_the_raters(ledger, name, raters, shown):
    behind = forms(FIRST, raters=raters, skips=0)
    table = estimates(name, groups={"unit": ["A"]}, estimate=[3.1], n=raters)
    out = publish_audited(Result(name, table), behind=behind, ledger=ledger)
    assert out.table["shown"].tolist() == [shown]
    assert ("publish.computed" in [f.key for f in out.findings]) is not shown
    assert ledger.cells().empty is not shown


@pytest.mark.parametrize(("code", "said"), [("zh", "10 名评价人"), ("en", "from 10 raters")])
def test_a_smaller_department_keeps_its_plain_mean(ledger, code, said):
    behind = forms(FIRST, raters=9, skips=0)
    table = estimates("adjust", groups={"unit": ["A"] * 3}, n=9, estimate=[3.1, 3.2, 3.2],
                      variant=["raw mean", "adjusted", "shrunken"])  # fmt: skip
    out = publish_audited(Result("adjust", table), behind=behind, ledger=ledger)
    assert out.table["shown"].tolist() == [True, False, False]
    assert out.table["estimate"].isna().tolist() == [False, True, True]
    assert said in out.say(code)


def rated_by_many(raters: int = 40, units: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    seen = rng.random((raters, units)) < 0.4
    rater, unit = np.nonzero(seen)
    mark = 3 + rng.normal(0, 0.6, raters)[rater] + rng.normal(0, 0.8, len(rater))
    return pd.DataFrame({"unit": unit, "who": rater, "score": mark.round().clip(1, 5)})


def test_plain_adjusted_and_shrunken_rows_together_isolate_nobody():
    """The exact weights of every rating, given the variances: what the audit leaves out."""
    told = rated_by_many()
    found = score.adjust(told, target="unit", rater="who", score="score")
    var = found.about["variances"]
    at = np.eye(6)[told["unit"]]
    by = np.eye(40)[told["who"]]
    v = var["rater"] * by @ by.T + (var["residual"] + var["pair"]) * np.eye(len(told))
    fixed = np.linalg.solve(at.T @ np.linalg.solve(v, at), np.linalg.solve(v, at).T)
    table = found.table.set_index("variant")["estimate"]
    np.testing.assert_allclose(fixed @ told["score"], table["adjusted"], rtol=1e-6)
    plain = at.T / at.sum(axis=0)[:, None]
    one = np.ones((len(told), 1))
    drawn = 0.3 * at @ at.T + v  # departments random: any variance of theirs will do here
    best = np.linalg.solve(one.T @ np.linalg.solve(drawn, one), np.linalg.solve(drawn, one).T)
    shrunk = best + 0.3 * at.T @ np.linalg.solve(drawn, np.eye(len(told)) - one @ best)
    rows = np.vstack([plain, fixed, shrunk])
    rank = np.linalg.matrix_rank(rows)
    assert told.groupby("unit").size().min() >= 10
    for who in range(40):
        others = rows[:, told["who"].to_numpy() != who]
        assert np.linalg.matrix_rank(others) == rank, who


def test_a_study_is_audited_by_the_dimensions_of_its_forms(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path))
    rows = [(f"p{i}", "A", q, float(2 + (i + k) % 3), "W1") for i in range(12)
            for k, q in enumerate(("q1", "q2")) if not (i == 3 and q == "q2")]  # fmt: skip
    rating = pd.DataFrame(rows, columns=["rater_key", "target_id", "item_id", "score", "wave"])
    rating = rating.assign(submitted_at=pd.NaT, seconds=np.nan)
    unit = pd.DataFrame({"unit_id": ["A"], "is_service_unit": True})
    study = Study({"unit": unit, "rating": rating}, Settings(name="parts"))
    behind = behind_scores(study, {})
    assert behind.weight == "share" and "dimension" in behind.rating
    whole = behind.ratings.groupby("rater_key")["share"].sum()
    assert np.allclose(whole, 1, atol=1e-3)
    results = svc.assess(study)
    raw = results["adjust"].table.query("variant == 'raw mean'")["estimate"].iloc[0]
    mine = behind.ratings
    assert raw == pytest.approx((mine["score"] * mine["share"]).sum() / mine["share"].sum())
