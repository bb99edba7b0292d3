"""Means with their intervals: whoever works out sums of squares from them learns no single rating.

The attacker knows every published number and tries all answers that could have been given; shares
nothing with what is attacked.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import svcmetrics as svc
from svcmetrics import score
from svcmetrics.privacy import Behind, Ledger, leaning, publish, publish_audited
from svcmetrics.privacy.spread import _differ, may_tell_spread
from svcmetrics.publication import published
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.study import Settings, Study

SCALE = (1, 2, 3, 4, 5)


def told(*groups: list[int], first: int = 0) -> pd.DataFrame:
    """One form per person; each list is a department of its own raters."""
    rows = [
        (f"U{u}", f"p{u}-{first + i}", s) for u, g in enumerate(groups) for i, s in enumerate(g)
    ]
    return pd.DataFrame(rows, columns=["unit", "who", "score"])


def behind(forms: pd.DataFrame) -> Behind:
    return Behind(forms, ["unit"], "who", "score", (1, 5), ["unit"], None, None)


def plain_means(forms: pd.DataFrame) -> Result:
    """Mean, standard error and Student's interval, as any table has them."""
    by = forms.groupby("unit")["score"]
    n, se = by.size(), by.std() / np.sqrt(by.size())
    half = se * stats.t.ppf(0.975, n - 1)
    table = estimates("adjust", groups={"unit": n.index.tolist()}, variant="raw mean",
                      estimate=by.mean(), low=by.mean() - half, high=by.mean() + half, n=n, se=se)  # fmt: skip
    return Result("adjust", table)


def given_away(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Departments where one insider (their answer) or nobody in particular (0) knows all others'.

    Every set of answers is tried that gives the shown mean, as finely as it is shown, and the shown
    interval, if there is one.
    """
    found = []
    for row in table.itertuples():
        if not row.shown or getattr(row, "bound", ""):
            continue
        n = int(row.n)
        half = (row.high - row.low) / 2
        fits = []
        for answers in combinations_with_replacement(SCALE, n):
            value = np.array(answers)
            own = value.std(ddof=1) / np.sqrt(n) * stats.t.ppf(0.975, n - 1)
            if abs(value.mean() - row.estimate) < 0.006 and not abs(own - half) > 0.011:
                fits.append(answers)
        for insider in (0, *SCALE):
            left = [f for f in fits if not insider or insider in f]
            others = {tuple(np.delete(f, f.index(insider))) if insider else f for f in left}
            if len(others) == 1 and len(set(min(others))) == 1:
                found.append((row.unit, insider))
    return found


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open("spread", tmp_path) as opened:
        yield opened


ALIKE = ([4] * 12, [4] * 11 + [3], [3] * 8 + [5], [3] * 5, [2] * 6 + [4], [4] * 9 + [1])


@pytest.mark.parametrize("answers", ALIKE, ids=str)
def test_the_attacker_learns_from_an_interval_what_everybody_answered(answers):
    table = plain_means(told(answers)).table.assign(shown=True)
    assert given_away(table)
    assert len(given_away(table.assign(low=np.nan, high=np.nan))) == 0


@pytest.mark.parametrize("answers", ALIKE, ids=str)
def test_from_what_is_published_nobody_learns_it(answers, ledger):
    forms = told(answers)
    result = plain_means(forms)
    out = publish_audited(result, behind=behind(forms), ledger=ledger)
    assert given_away(out.table) == []
    assert out.table[["low", "high", "se"]].isna().all(axis=None)
    assert "publish.no_spread" in [f.key for f in out.findings]
    alone = publish(result).table
    assert alone["shown"].all() and alone[["low", "high", "se"]].isna().all(axis=None)


def test_small_groups_of_any_answers_give_nobody_away(tmp_path):
    rng = np.random.default_rng(8)
    for trial in range(20):
        groups = [rng.choice(SCALE, rng.integers(5, 10), p=[0, 0.02, 0.03, 0.9, 0.05]).tolist()
                  for _ in range(2)]  # fmt: skip
        forms = told(*groups)
        with Ledger.open(str(trial), tmp_path) as ledger:
            out = publish_audited(plain_means(forms), behind=behind(forms), ledger=ledger)
        assert given_away(out.table) == []


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ([4] * 24, False),
        ([4] * 23 + [1], False),  # the one who gave 1 would know all others
        ([4] * 22 + [3, 5], False),
        ([4] * 17 + [3, 5, 3, 5, 2, 5, 3], True),
        ([4] * 12 + [3, 5, 3, 5, 2, 5, 3], False),  # nineteen persons
    ],
)
def test_many_persons_may_show_how_they_differ_when_they_do(answers, shown, ledger):
    forms = told(answers)
    out = publish_audited(plain_means(forms), behind=behind(forms), ledger=ledger)
    assert out.table["low"].notna().tolist() == [shown]
    assert ("publish.no_spread" not in [f.key for f in out.findings]) == shown


@pytest.mark.parametrize("seed", range(6))
def test_whoever_is_left_out_answers_must_differ(seed):
    rng = np.random.default_rng(seed)
    seen = [(u, w) for u in "ABC" for w in range(9) if rng.random() < 0.7]
    forms = pd.DataFrame(seen, columns=["unit", "who"])
    forms["score"] = rng.normal(0, 1, len(forms)) + 3 * (forms["who"] == 4)
    least = min(
        sum(
            ((g - g.mean()) ** 2).sum()
            for _, g in forms[forms["who"] != w].groupby("unit")["score"]
        )
        for w in forms["who"].unique()
    )
    for length in (0.99, 1.01):  # four squared units of half a point are one
        apart = forms.assign(score=3 + length * forms["score"] / np.sqrt(least))
        own = Behind(apart, ["unit"], "who", "score", (-99, 99), ["unit"], None, None)
        assert _differ(own) == (length > 1)


def test_a_late_vote_shows_in_no_interval_and_enough_of_them_do(ledger):
    rng = np.random.default_rng(3)
    groups = [rng.choice(SCALE, 14).tolist() for _ in range(3)]
    assert may_tell_spread(ledger, behind(told(*groups)), 5)
    assert may_tell_spread(ledger, behind(told(*groups)), 5)  # the same report again
    assert not may_tell_spread(ledger, behind(told(*groups[:2], [*groups[2], 1])), 5)
    assert not may_tell_spread(ledger, behind(told(*groups[:2], [*groups[2], 1, 2, 5, 1])), 5)
    corrected = [6 - groups[0][0] if groups[0][0] != 3 else 5, *groups[0][1:]]
    assert not may_tell_spread(ledger, behind(told(corrected, *groups[1:])), 5)
    assert may_tell_spread(ledger, behind(told(*groups[:2], [*groups[2], 1, 2, 5, 1, 4])), 5)


def test_without_a_scale_persons_alone_decide(ledger):
    assert may_tell_spread(ledger, replace(behind(told([4] * 20)), scale=None), 5)
    assert not may_tell_spread(ledger, replace(behind(told([4] * 19)), scale=None), 5)
    assert not may_tell_spread(ledger, replace(behind(told([4]).iloc[:0]), scale=None), 5)


@pytest.mark.parametrize("metric", ["generalizability", "formality"])
@pytest.mark.parametrize(("persons", "spread", "shown"), [(19, None, False), (20, None, True),
                                                          (20, False, False)])  # fmt: skip
def test_reliability_and_formality_tell_a_spread_too(metric, persons, spread, shown, ledger):
    forms = told([3, 4] * 10)[:persons]
    table = estimates(metric, groups={"term": ["all"]}, estimate=0.5, n=99)
    said = [Finding("generalizability.perfect", {}, "warning")]
    counted = replace(behind(forms), by=[], scale=None)
    out = publish_audited(Result(metric, table, said), behind=counted, ledger=ledger, spread=spread)
    assert out.table["shown"].tolist() == [shown]
    assert ("generalizability.perfect" in [f.key for f in out.findings]) == shown


def study(forms: pd.DataFrame) -> Study:
    rating = pd.DataFrame({
        "rater_key": forms["who"], "target_id": forms["unit"], "item_id": "q1",
        "score": forms["score"].astype(float), "wave": "W1", "submitted_at": pd.NaT, "seconds": np.nan,
    })  # fmt: skip
    unit = pd.DataFrame({"unit_id": sorted(forms["unit"].unique()), "is_service_unit": True})
    item = pd.DataFrame({"item_id": ["q1"], "dimension": ["d"], "min": [1], "max": [5],
                         "form_version": ["F"], "reverse": [False]})  # fmt: skip
    return Study({"unit": unit, "rating": rating, "item": item}, Settings(name="spread"))


@pytest.mark.parametrize("answers", [[4] * 12, [4] * 23 + [3]], ids=["few", "alike"])
def test_a_report_tells_no_spread_of_answers_that_are_alike(answers, tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path))
    mine = study(told(answers, answers).assign(who=lambda t: t["who"].str[3:]))
    out = published(mine, svc.assess(mine))
    for name in ("adjust", "composite", "groups"):
        assert out[name].table[["low", "high"]].isna().all(axis=None), name
    for name in ("reliability", "formality"):
        assert not out[name].table["shown"].any(), name
    said = " ".join(p.say("en") for p in out.values())
    assert "without remainder" not in said and "of all answers are" not in said
    means = score.adjust(mine.rating, target="target_id", rater="rater_key", score="score").table
    assert out["adjust"].table["estimate"].notna().any() and means["estimate"].notna().any()


def test_what_is_too_large_to_be_audited_is_not_shown_and_said(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path))
    monkeypatch.setattr(leaning, "MOST", 100)
    rng = np.random.default_rng(2)
    answers = [rng.choice(SCALE, 24).tolist() for _ in range(3)]
    mine = study(told(*answers).assign(who=lambda t: t["who"].str[3:]))
    out = published(mine, svc.assess(mine))["adjust"]
    shown = out.table["estimate"].notna().groupby(out.table["variant"]).all().to_dict()
    assert shown == {"raw mean": True, "adjusted": False, "shrunken": False}
    assert "publish.too_large" in [f.key for f in out.findings]
