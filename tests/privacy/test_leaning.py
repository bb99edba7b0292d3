"""Adjusted scores lean on what raters gave to others: whoever knows the exact weights computes nobody's vote.

The attacker has every published number, who rated whom, and the variances of each month's model. The
weights are worked out here from whole matrices, and what is known of a person from least squares;
nothing is shared with what is attacked.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import score
from svcmetrics.numeric.disclosure_leverage import best_known
from svcmetrics.privacy import Behind, Ledger, leaning
from svcmetrics.publication import published
from svcmetrics.study import Settings, Study
from tests.privacy.test_computed import rated_by_many

COMPUTED = 0.99


def study(told: pd.DataFrame) -> Study:
    """One item per form; ``told`` has who, unit, score."""
    rating = pd.DataFrame({
        "rater_key": "p" + told["who"].astype(str), "target_id": "U" + told["unit"].astype(str),
        "item_id": "q1", "score": told["score"].astype(float), "wave": "W1",
        "submitted_at": pd.NaT, "seconds": np.nan,
    })  # fmt: skip
    unit = pd.DataFrame({"unit_id": sorted(rating["target_id"].unique()), "is_service_unit": True})
    return Study({"unit": unit, "rating": rating}, Settings(name="leaning"))


@dataclass
class Month:
    told: pd.DataFrame
    tables: dict

    def rows(self, *, whatever: bool = False) -> dict[tuple, float]:
        """Every shown number as weights of (who, unit); ``whatever`` was hidden."""
        told, out = self.told, []
        weights = exact_weights(told)
        for name in ("adjust", "composite", "groups"):
            table = self.tables[name].table if name in self.tables else pd.DataFrame()
            for r in table.itertuples():
                if whatever or r.shown:
                    unit = int(r.target_id[1:])
                    kind = r.variant if name == "adjust" else "adjusted"
                    row = weights[kind][unit]
                    if name == "groups":
                        units = [int(t[1:]) for t in table["target_id"]]
                        row = row - weights["adjusted"][units].mean(axis=0)
                    out.append(row)
        return [dict(zip(zip(told["who"], told["unit"]), row)) for row in out]


def exact_weights(told: pd.DataFrame) -> dict[str, np.ndarray]:
    """From whole matrices, as the mixed model is written down."""
    found = score.adjust(told, target="unit", rater="who", score="score")
    at = np.eye(told["unit"].max() + 1)[told["unit"]]
    by = np.eye(told["who"].max() + 1)[told["who"]]
    one = np.ones((len(told), 1))
    weights = {"raw mean": at.T / at.sum(axis=0)[:, None]}
    var = found.about["variances"]
    v = var["rater"] * by @ by.T + (var["residual"] + var["pair"]) * np.eye(len(told))
    weights["adjusted"] = np.linalg.solve(at.T @ np.linalg.solve(v, at), np.linalg.solve(v, at).T)
    var = found.about["variances_shrunken"]
    v = var["rater"] * by @ by.T + var["residual"] * np.eye(len(told)) + var["target"] * at @ at.T
    best = np.linalg.solve(one.T @ np.linalg.solve(v, one), np.linalg.solve(v, one).T)
    rest = np.linalg.solve(v, np.eye(len(told)) - one @ best)
    weights["shrunken"] = best + var["target"] * at.T @ rest
    return weights


def known_of(rows: list[dict], group: set[int]) -> float:
    """The largest share of the answers of a group that lies in the space of what was published."""
    columns = sorted({k for row in rows for k in row})
    matrix = np.array([[row.get(k, 0.0) for k in columns] for row in rows])
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    _, size, basis = np.linalg.svd(matrix, full_matrices=False)
    basis = basis[size > 1e-5 * size[0]]
    mine = basis[:, [k[0] in group for k in columns]]
    return float(np.linalg.norm(mine, 2) ** 2) if mine.size else 0.0


def best_group(rows: list[dict]) -> float:
    people = sorted({k[0] for row in rows for k in row})
    alone = sorted(people, key=lambda p: -known_of(rows, {p}))[:7]
    return max(known_of(rows, set(g)) for g in combinations(alone, 4))


@pytest.fixture(autouse=True)
def keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))


def months(*told: pd.DataFrame) -> list[Month]:
    return [Month(t, published(study(t), svc.assess(study(t)))) for t in told]


def late(told: pd.DataFrame, unit: int, who: int = 40) -> pd.DataFrame:
    more = pd.DataFrame({"unit": [unit], "who": [who], "score": [1.0]})
    return pd.concat([told, more], ignore_index=True)


def test_the_weights_give_the_published_scores():
    told = rated_by_many()
    found = score.adjust(told, target="unit", rater="who", score="score")
    table = found.table.set_index("variant")["estimate"]
    for kind, rows in exact_weights(told).items():
        np.testing.assert_allclose(rows @ told["score"], table[kind], rtol=1e-6, atol=1e-8)


def test_one_late_vote_is_not_told_by_the_scores_of_other_departments():
    first = rated_by_many()
    one, two = months(first, late(first, 2))
    straw = one.rows() + two.rows(whatever=True)
    assert known_of(straw, {40}) > COMPUTED  # were it not audited
    assert known_of(one.rows() + two.rows(), {40}) < 0.8
    assert len(one.rows()) > 10


@pytest.mark.parametrize("seed", range(2))
def test_over_three_months_nobody_and_no_four_are_computed(seed):
    rng = np.random.default_rng(seed)
    first = rated_by_many()
    second = late(first, int(rng.integers(6)))
    third = second.drop(index=rng.choice(len(first), 1)).reset_index(drop=True)
    rows = [row for month in months(first, second, third) for row in month.rows()]
    everybody = sorted({k[0] for row in rows for k in row})
    assert max(known_of(rows, {p}) for p in everybody) < 0.85
    assert best_group(rows) < COMPUTED


def test_the_mean_of_all_does_not_tell_a_department_that_is_hidden():
    told = rated_by_many()
    few = told[(told["unit"] != 5) | (told["who"] < 4)]
    few = few[few["unit"].ne(5) | ~few["who"].duplicated(keep=False) | few["unit"].eq(5)]
    raters = set(few.loc[few["unit"] == 5, "who"])
    if len(raters) < 2:
        few = pd.concat(
            [few, pd.DataFrame({"unit": 5, "who": [0, 1, 2], "score": [2.0, 4.0, 5.0]})]
        )
        few = few.drop_duplicates(["unit", "who"]).reset_index(drop=True)
    [month] = months(few.reset_index(drop=True))
    table = month.tables["groups"].table
    assert "U5" not in set(table["target_id"]) and table["shown"].all()
    assert best_group(month.rows()) < COMPUTED


def test_the_same_report_in_another_language_and_again_is_the_same():
    told = study(rated_by_many())
    tables = []
    for code in ("zh", "en", "zh"):
        with svc.lang.speaking(code):
            tables.append(published(told, svc.assess(told))["adjust"].table["shown"].tolist())
    assert tables[0] == tables[1] == tables[2] and sum(tables[0]) > 10
    with Ledger.open("leaning") as ledger:
        assert ledger._store.execute("SELECT count(*) FROM leaning").fetchone() == (1,)


def test_what_is_known_is_a_share():
    mean = np.ones((1, 5)) / 5
    who = np.arange(5)
    assert best_known(mean, who, 5, 0.5) == pytest.approx(0.8)
    assert best_known(mean, who, 2, 0.1) == pytest.approx(0.2)
    assert best_known(np.vstack([mean, [1, 1, 1, 1, 0]]), who, 5, 0.5) == pytest.approx(1.0)
    assert best_known(np.zeros((0, 5)), who, 5) == 0


# Which rows are taken

LEAST = 5


def taken(*rows, base=(), who=None) -> list[bool]:
    """One rating per person, unless ``who`` says otherwise."""
    rows = np.array(rows, dtype=float)
    base = np.array(base, dtype=float).reshape(-1, rows.shape[1])
    person = np.arange(rows.shape[1]) if who is None else np.asarray(who)
    return leaning.taken(base, rows, person, LEAST)


def heavy(square: float, count: int = 1, others: int = 39) -> list[float]:
    """A sum in which so many persons weigh more than the others."""
    return [np.sqrt(square)] * count + [1.0] * others


def test_of_one_person_no_more_than_four_fifths_may_be_known():
    assert taken(heavy(4 * 39 - 1)) == [True]  # a² / (a² + 39)
    assert taken(heavy(4 * 39 + 1)) == [False]


def test_of_a_group_below_the_least_no_more_than_nine_tenths_may_be_known():
    assert taken(heavy(80, count=4, others=36)) == [True]  # 4 a² / (4 a² + 36)
    assert taken(heavy(82, count=4, others=36)) == [False]
    assert taken(heavy(82, count=5, others=36)) == [True]  # of five, four are known to 73%
    assert taken([1.0] * 4) == [False]
    assert taken([1.0] * 5) == [True]  # 80% of four, as the mean of five always tells


def test_rows_are_taken_in_their_order_each_beside_those_before():
    one = [1.0] * 12
    less = [1.0] * 11 + [0.0]  # beside the first: the last person
    half = [1.0] * 6 + [0.0] * 6
    assert taken(one, less, half, one) == [True, False, True, True]
    assert taken(less, one, half) == [True, False, True]
    assert taken(less, less, one, one, half, less) == [True, True, False, False, True, True]
    assert taken(half, one, base=[less]) == [True, False]
    assert taken(one, base=[one]) == [True]
    # One of two answers of one person would be known: that is known wholly.
    assert taken(less, one, less, who=[*range(11), 10]) == [True, False, True]


def test_what_is_known_already_is_no_reason_to_hide_what_tells_nothing_more():
    known = [1.0] + [0.0] * 12
    fresh = [0.0] + [1.0] * 12
    assert taken(fresh, known, base=[known]) == [True, True]
    assert taken(fresh[::-1], base=[known]) == [True]


def recipe() -> leaning.Leaning:
    """Two parts per form; the third department is rated in the second wave."""
    told = pd.DataFrame({
        "unit": [*"AABBABC"] * 2, "who": [0, 1, 0, 1, 2, 2, 1] * 2, "form": [*range(7)] * 2,
        "dimension": ["x"] * 7 + ["y"] * 7, "wave": ["1"] * 4 + ["2"] * 3 + ["1"] * 4 + ["2"] * 3,
        "w": [3.0] * 7 + [1.0] * 7, "s": 3.0, "mode": "web",
    })  # fmt: skip
    behind = Behind(told, ["unit"], "who", "s", (1, 5), ["form", "dimension"], "w", None)
    variances = {
        "adjusted": {"rater": 0.4, "pair": 0.1, "residual": 0.6},
        "shrunken": {"rater": 0.4, "pair": 0.0, "residual": 0.6, "target": 0.3},
    }
    return leaning.leaning(behind, variances, target="unit", taken_out=["wave", "mode", "none"])


def test_what_scores_are_made_of_is_read_from_the_forms():
    found = recipe()
    assert found.ids == ("A", "B", "C")
    assert np.bincount(found.form).tolist() == [2] * 7
    assert found.share.tolist() == [0.75] * 7 + [0.25] * 7
    assert (
        len(found.others) == 1
    )  # the wave varies; how it was asked does not, and one is not there
    rows = found.rows([("adjusted", 0), ("shrunken", 2), ("adjusted", 2)])
    assert rows.shape == (3, 14)
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    np.testing.assert_allclose(rows[:, :7], 3 * rows[:, 7:])  # three quarters of each form


def test_the_mean_over_departments_is_the_mean_of_their_rows():
    found = replace(recipe(), mean=(0, 2))
    rows = found.rows([("adjusted", leaning.MEAN), ("adjusted", 0), ("adjusted", 2)])
    np.testing.assert_allclose(rows[0], (rows[1] + rows[2]) / 2)


def test_what_is_kept_gives_the_same_weights_years_later():
    found = replace(recipe(), mean=(0, 1))
    ids = np.arange(14)[::-1].copy()
    shown = [("adjusted", 1), ("shrunken", leaning.MEAN)]
    read, numbers, rows = leaning._read(leaning._packed(leaning._written(found, ids), shown))
    assert rows == shown and numbers.tolist() == ids.tolist()
    np.testing.assert_array_equal(read.rows(rows), found.rows(shown))
    none = leaning.leaning(
        Behind(pd.DataFrame({"u": ["A"] * 6, "r": range(6), "s": 3.0}), ["u"], "r", "s", (1, 5)),
        {"adjusted": {"rater": 0.4, "pair": 0.0, "residual": 0.6}}, target="u", taken_out=[],
    )  # fmt: skip
    read, *_ = leaning._read(leaning._packed(leaning._written(none, np.arange(6)), []))
    assert read.others == () and read.ids == ("A",) and read.mean == ()
    np.testing.assert_allclose(read.rows([("adjusted", 0)]), np.full((1, 6), 1 / 6))


def test_a_mean_beside_adjusted_scores_is_shown_unless_it_tells_a_person(monkeypatch):
    store = sqlite3.connect(":memory:")
    store.executescript(leaning.SCHEMA)
    person = np.arange(12)
    score = np.full((1, 12), 1 / 12)

    def shown(members: list[list[int]], found: list[bool]) -> list[bool]:
        cells = SimpleNamespace(
            low=np.zeros(len(members)), person=person, least=LEAST, new=np.ones(len(members), bool),
            cell=np.repeat(np.arange(len(members)), [len(m) for m in members]),
            rating=np.concatenate(members), weight=np.ones(sum(map(len, members))),
        )  # fmt: skip
        return leaning.beside(store, "mean", cells, np.array(found)).tolist()

    eleven, six = list(range(11)), list(range(6))
    assert shown([eleven, six], [True, True]) == [True, True]  # no score was ever shown
    lean = leaning.Leaning(
        np.arange(12), np.ones(12), np.zeros(12, int), np.arange(12), (), ("A",),
        {"adjusted": {"rater": 0.4, "pair": 0.0, "residual": 0.6}},
    )  # fmt: skip
    np.testing.assert_allclose(lean.rows([("adjusted", 0)]), score)
    plain = np.zeros((0, 12)), np.zeros((0, 12))
    asked = (store, "mean", lean, (np.arange(12), person), [("adjusted", 0)], plain, LEAST)
    assert leaning.admit(*asked) == leaning.admit(*asked) == [True]
    assert store.execute("SELECT count(*) FROM leaning").fetchone() == (1,)
    assert shown([eleven, six], [True, True]) == [False, True]
    assert shown([eleven, six], [True, False]) == [False, False]
    # The larger of two that do not go together comes first, wherever it stands.
    assert shown([[0, 1, 2, 3, 4], six], [True, True]) == [False, True]
    assert leaning.published(store, "other", 12).shape == (0, 12)
    # What is too large to be looked at is not shown, once there are scores to be beside.
    assert leaning.MOST == 40_000_000
    for most, ok in ((2 * 12, True), (2 * 12 - 1, False)):
        monkeypatch.setattr(leaning, "MOST", most)
        assert shown([six, six], [True, True]) == [ok, ok]
