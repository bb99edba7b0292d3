"""Formality: the planted decay is found, honest waves raise no alarm, and thin data say so."""

from __future__ import annotations

import importlib
import tomllib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import special

from svcmetrics import verify
from svcmetrics.numeric import change_point, copies, information, steadiness, two_way
from svcmetrics.problems import TableError
from svcmetrics.verify import (
    formality_copies,
    formality_late,
    formality_signs,
    formality_verdict,
)

formality = importlib.import_module("svcmetrics.verify.formality")  # the module, not the function
NAMES = {"rater": "r", "target": "t", "item": "i", "score": "s"}


def honest(rng, *, raters=100, waves=4, mean=3.5, noise=0.5, copiers=0, start=1, k=6, anew=False):
    """Raters with lasting opinions who answer anew in each wave; some copy from ``start`` on.

    ``anew``: copiers give one answer of each form anew.
    """
    targets = 8
    base = mean + rng.normal(0, 0.4, targets) + rng.normal(0, 0.4, (raters, 1))
    base = base + rng.normal(0, 0.35, (raters, targets))
    asked, last, rows = rng.random((raters, targets)) < 0.45, None, []
    for w in range(waves):
        x = np.clip(np.rint(base[:, :, None] + rng.normal(0, noise, (raters, targets, k))), 1, 5)
        if last is not None and w >= start:
            fresh = rng.integers(0, k, (copiers, targets, 1)) == np.arange(k)
            x[:copiers] = np.where(fresh & anew, x[:copiers], last[:copiers])
        last = x
        r, t = np.nonzero(asked)
        rows += [pd.DataFrame({"r": r, "t": t, "w": w, "i": i, "s": x[r, t, i]}) for i in range(k)]
    return pd.concat(rows, ignore_index=True)


def rows(result, metric, variant=""):
    t = result.table
    return t[(t["metric"] == metric) & (t["variant"] == variant)]


@pytest.fixture(scope="module")
def pilot(example_study_folder):
    rating = pd.read_parquet(example_study_folder / "rating.parquet")
    plan = pd.read_parquet(example_study_folder / "plan.parquet")
    return rating.merge(plan, on="plan_id")


@pytest.fixture(scope="module")
def found(pilot):
    return verify.formality(
        pilot, rater="rater_key", target="target_id", item="item_id", score="score",
        wave="wave", time="submitted_at",
    )  # fmt: skip


def test_the_planted_copies_are_found_wave_by_wave(found, example_study_folder):
    truth = tomllib.loads((example_study_folder / "truth.toml").read_text("utf-8"))["formality"]
    copied = np.array(truth["copied_forms"]) * truth["forms"]
    pairs = rows(found, "copies")["n"].to_numpy()
    true, row = (copied / np.maximum(pairs, 1))[1:], rows(found, "copying").iloc[1:]
    assert (row["low"] <= true).all() and (true <= row["high"]).all()
    assert np.abs(row["estimate"] - true).max() < 0.05


def test_the_decay_is_found_within_one_wave_of_its_start(found):
    words = rows(found, "formality", "targets")["verdict"].tolist()
    assert words[0] == "fine"
    assert "fine" not in words[2:]
    assert words[-1] == "mechanical"
    assert any(f.key == "formality.copying_up" for f in found.findings)
    step = rows(found, "change", "copying").iloc[0]
    assert step["low"] > 0 and step["p"] < 0.01
    bits = rows(found, "bits")["estimate"].to_numpy()
    assert bits[-1] < bits[0] - 1


def test_nothing_points_at_a_person(found, pilot):
    keys = set(pilot["rater_key"])
    assert not keys & set(found.table.astype(str).to_numpy().ravel())
    assert not any(k in found.say("en") + found.say("zh") for k in keys)


@pytest.mark.parametrize("how", [{}, {"mean": 4.4}, {"noise": 0.35}, {"noise": 0.8}, {"k": 3}])
def test_honest_waves_raise_no_more_alarms_than_stated(how):
    rng, alarms = np.random.default_rng(3), 0
    for _ in range(8):
        r = verify.formality(honest(rng, **how), **NAMES, wave="w")
        both = pd.concat([rows(r, "copying"), rows(r, "near_copying")])
        alarms += (both["p_adjusted"] <= 0.05).any()
    assert alarms <= 2  # 5% of 8 with room for chance


def test_a_tenth_of_copiers_is_found_in_the_wave_in_which_they_begin():
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(6):
        r = verify.formality(honest(rng, raters=150, copiers=15, start=2), **NAMES, wave="w")
        p = rows(r, "copying")["p_adjusted"].to_numpy()
        hits += bool((p[2:] <= 0.05).all())
    assert hits >= 5


@pytest.mark.parametrize(("k", "copiers", "anew"), [(6, 15, True), (5, 30, True), (3, 30, False)])
def test_copies_with_one_new_answer_and_of_short_forms_are_seen_as_they_begin(k, copiers, anew):
    rng, hits = np.random.default_rng(11), 0
    for _ in range(5):
        data = honest(rng, copiers=copiers, start=2, k=k, anew=anew)
        r = verify.formality(data, **NAMES, wave="w")
        words = rows(r, "formality", "targets")["verdict"].tolist()
        hits += words[1] == "fine" and words[2] != "fine"
    assert hits >= 4


def test_the_share_of_near_copies_is_found():
    data = honest(np.random.default_rng(12), raters=150, copiers=30, start=2, k=5, anew=True)
    r = verify.formality(data, **NAMES, wave="w")
    near, exact = rows(r, "near_copying"), rows(r, "copying")
    assert near["p_adjusted"].iloc[1:2].isna().all()  # nobody to compare with before
    assert (near["p_adjusted"].iloc[2:] <= 0.05).all()
    # A fifth of the forms, and what is exact by chance among them less.
    assert near["estimate"].iloc[2:].between(0.12, 0.28).all()
    assert (exact["estimate"].to_numpy() < near["estimate"].to_numpy())[2:].all()


def test_near_copies_that_are_never_exact_are_a_sign_of_their_own():
    data = honest(np.random.default_rng(12), raters=150, copiers=30, start=2, k=5)
    other = np.where(data["s"] < 5, data["s"] + 1, data["s"] - 1)
    data["s"] = np.where((data["i"] == 0) & (data["w"] % 2 == 1), other, data["s"])
    r = verify.formality(data, **NAMES, wave="w")
    assert not (rows(r, "copying")["p_adjusted"] <= 0.05).any()
    keys = [f.key for f in r.findings if f.key.startswith("formality.")]
    assert keys[:4] == ["formality.fine_once", "formality.fine", *["formality.signs_near"] * 2]
    assert "at most one answer" in r.say("en") and "至多改了一题" in r.say("zh")


def test_steady_raters_beside_erratic_ones_are_no_near_copiers():
    alarms = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        steady = honest(rng, raters=50, noise=0.25)
        erratic = honest(rng, raters=50, noise=0.9).assign(r=lambda d: d["r"] + 50)
        r = verify.formality(pd.concat([steady, erratic]), **NAMES, wave="w")
        alarms += (rows(r, "near_copying")["p_adjusted"] <= 0.05).any()
    assert alarms == 0


def _steadier(rng, firm=0.0, k=6, noise=(0.9, 0.25), raters=100):
    """From the third wave on half of the raters answer much more steadily; nobody copies.

    ``firm``: lasting opinions on single items.
    """
    targets, rows_ = 8, []
    base = 3.5 + rng.normal(0, 0.4, targets) + rng.normal(0, 0.4, (raters, 1))
    base = (base + rng.normal(0, 0.35, (raters, targets)))[:, :, None]
    base = base + rng.normal(0, firm, (raters, targets, k))
    r, t = np.nonzero(rng.random((raters, targets)) < 0.45)
    for w in range(4):
        spread = np.full((raters, 1, 1), noise[0])
        spread[: raters // 2] = noise[w >= 2]
        x = np.clip(np.rint(base + spread * rng.normal(size=base.shape)), 1, 5)
        rows_ += [pd.DataFrame({"r": r, "t": t, "w": w, "i": i, "s": x[r, t, i]}) for i in range(k)]
    return pd.concat(rows_, ignore_index=True)


def test_raters_who_become_steadier_are_no_copiers():
    for seed in range(6):  # with near copies judged by repetition alone, five of six had an alarm
        r = verify.formality(_steadier(np.random.default_rng(seed)), **NAMES, wave="w")
        assert (rows(r, "formality", "targets")["verdict"] == "fine").all()


def test_firm_opinions_and_a_steadier_hand_may_look_like_copies_and_that_is_said():
    alarms = told = 0
    for seed in range(6):
        data = _steadier(np.random.default_rng(seed), firm=0.3)
        r = verify.formality(data, **NAMES, wave="w")
        words = rows(r, "formality", "targets")["verdict"]
        said = [f for f in r.findings if f.key == "formality.steadier"]
        assert "mechanical" not in set(words)
        alarms += (words == "signs").any()
        told += bool(said)
        if said:
            assert "分不清" in said[0].say("zh") and "cannot tell" in said[0].say("en")
    assert alarms == told >= 1
    copied = honest(np.random.default_rng(4), copiers=30, start=2)
    r = verify.formality(copied, **NAMES, wave="w")
    assert not any(f.key == "formality.steadier" for f in r.findings)
    assert rows(r, "formality", "targets")["verdict"].iloc[-1] == "mechanical"


def test_a_part_of_the_raters_tells_steadiness_as_well(monkeypatch):
    data = honest(np.random.default_rng(12), raters=150, copiers=50, start=2, k=5, anew=True)
    whole = rows(verify.formality(data, **NAMES, wave="w"), "near_copying")["p_adjusted"]
    monkeypatch.setattr(formality_copies, "ENOUGH", 500)  # every fourth rater
    part = rows(verify.formality(data, **NAMES, wave="w"), "near_copying")["p_adjusted"]
    assert ((whole <= 0.05) == (part <= 0.05)).all() and (part <= 0.05).sum() == 2


def test_chance_of_the_day_has_no_part_in_what_two_waves_share():
    rng, n, k = np.random.default_rng(5), 4000, 5
    lasting = rng.normal(0, 0.5, (n, k)) + rng.normal(0, 1, (n, 1))
    easy = np.arange(k)  # means of items, which differ by wave
    first = lasting + rng.normal(0, 1.0, (n, k)) + easy
    then = lasting + rng.normal(0, 0.3, (n, k)) - easy
    answers = np.vstack([first, then])
    answers[rng.random(answers.shape) < 0.1] = np.nan
    wave, now = np.repeat([0, 1], n), np.arange(n, 2 * n)
    covariance, variance = steadiness.apart(answers, wave, now, np.arange(n))
    assert np.nanmean(covariance) == pytest.approx(0.25, abs=0.03)
    assert np.nanmean(variance) == pytest.approx(0.25 + 0.09, abs=0.02)


def test_a_rise_is_seen_within_raters_and_few_raters_are_not_compared():
    rng = np.random.default_rng(6)
    rater, wave = np.tile(np.repeat(np.arange(30), 4), 3), np.repeat([0, 1, 2], 120)
    level = rng.normal(0, 5, 30)[rater] + rng.normal(0, 1, 360)
    p = steadiness.risen(level + (wave == 2), wave, rater, 3)
    assert np.isnan(p[0]) and p[1] > 0.01 and p[2] < 1e-4
    few = rater < steadiness.RATERS - 1
    assert np.isnan(steadiness.risen(level[few], wave[few], rater[few], 3)).all()
    assert steadiness.risen(np.ones(360), wave, rater, 3)[2] == 1.0


def test_raters_are_compared_with_their_own_first_wave():
    first = {4: np.tile([0.0, 0, 0, 3, 1], (20, 1))}
    late = {4: np.tile([0.0, 0, 4, 0, 0], (20, 1))}
    z, before = copies.rise([late, first], 1)
    assert z > 4 and before == 0
    assert copies.rise([first, late, first], 1) == pytest.approx((0, 1))
    assert np.isnan(copies.rise([first], 1)).all()


def test_the_chance_of_a_copy_is_the_product_of_squared_habits():
    answers = np.array([[5, 5, 1], [5, 4, 1], [5, 5, 1], [5, 4, 1]])
    zero = np.zeros(4, int)
    chance = copies.chance_equal(answers, zero, zero[:1], zero[:1])
    assert chance[0] == pytest.approx(1 * 0.5 * 1)


def test_shares_of_variance_equal_the_balanced_analysis_of_variance():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(12, 5)) + rng.normal(size=5) + rng.normal(size=(12, 1))
    r, t = (v.ravel() for v in np.indices(x.shape))
    share, left = two_way.shares(x.ravel(), t, r)
    ms_t = 12 * x.mean(0).var(ddof=1)
    ms_r = 5 * x.mean(1).var(ddof=1)
    rest = x - x.mean(0) - x.mean(1)[:, None] + x.mean()
    ms_e = (rest**2).sum() / 44
    parts = np.array([(ms_t - ms_e) / 12, (ms_r - ms_e) / 5, ms_e])
    np.testing.assert_allclose(share, parts / parts.sum(), rtol=1e-10)
    again, _ = two_way.shares(x[1:].ravel(), t[5:], r[5:])
    np.testing.assert_allclose(left[0], again, rtol=1e-9)


def test_a_coin_tells_one_bit_and_a_copy_none():
    rng = np.random.default_rng(5)
    coin = rng.integers(0, 2, (4000, 2))
    none = np.full_like(coin, -1)
    zero = np.zeros(len(coin), int)
    fresh = information.bits_per_answer(information.contexts(coin, none, zero, 1))
    copied = information.bits_per_answer(information.contexts(coin, coin, zero, 1))
    assert fresh[0] == pytest.approx(1, abs=0.01) and abs(copied[0]) < 1e-6


def test_a_step_is_dated_and_a_level_series_has_none():
    noise = np.random.default_rng(6).normal(0, 0.02, (2000, 6))
    step = change_point.change_point(np.array([0.1, 0.11, 0.1, 0.3, 0.29, 0.31]), noise)
    assert step is not None and step.first == 3 and step.low > 0.1 and step.p < 0.01
    level = change_point.change_point(np.array([0.1, 0.11, 0.1, 0.09, 0.11, 0.1]), noise)
    assert level is not None and level.p > 0.1


def test_all_fives_are_no_information_not_agreement():
    data = honest(np.random.default_rng(7)).assign(s=5)
    r = verify.formality(data, **NAMES, wave="w")
    assert set(rows(r, "formality", "targets")["verdict"]) == {"flat"}
    assert rows(r, "formality", "targets")["estimate"].isna().all()


def test_one_wave_new_keys_and_few_forms_say_what_becomes_impossible():
    data = honest(np.random.default_rng(9), raters=60)
    once = verify.formality(data[data["w"] == 0], **NAMES)
    assert "formality.one_wave" in {f.key for f in once.findings}
    fresh = data.assign(r=data["r"] + 1000 * data["w"])
    assert "formality.no_key" in {
        f.key for f in verify.formality(fresh, **NAMES, wave="w").findings
    }
    few = verify.formality(data[data["r"] < 3], **NAMES, wave="w")
    assert set(rows(few, "formality", "targets")["verdict"]) == {"too_few"}
    nobody = verify.formality(data.iloc[:0], **NAMES, wave="w")
    assert nobody.findings[0].level == "refused"


def test_waves_follow_the_clock_and_changed_facts_are_counted():
    data = honest(np.random.default_rng(10), copiers=30)
    start = pd.Timestamp("2025-01-01", tz="Asia/Shanghai")
    data["at"] = start + pd.to_timedelta(data["w"] * 30 * 24 + data["r"], unit="h")
    data["fact"] = data["t"] < 4
    named = data.assign(w=data["w"].map({0: "十月", 1: "二月", 2: "三月", 3: "一月"}))
    r = verify.formality(named, **NAMES, wave="w", time="at", changed="fact")
    assert list(rows(r, "late")["w"]) == ["十月", "二月", "三月", "一月"]
    told = rows(r, "copies_changed")
    assert told["estimate"].iloc[1:].min() > 0.2
    with pytest.raises(TableError, match="时间"):
        verify.formality(data.assign(at="noon"), **NAMES, wave="w", time="at")


def test_two_equal_sheets_are_seen():
    data = honest(np.random.default_rng(11), raters=40)
    twin = data[data["r"] == 3].assign(r=1000)
    r = verify.formality(pd.concat([data, twin]), **NAMES, wave="w")
    assert (rows(r, "identical_sheets")["estimate"] > 0).all()
    alone = verify.formality(data, **NAMES, wave="w")
    assert (rows(alone, "identical_sheets")["estimate"] == 0).all()


def test_a_repeated_answer_is_an_error():
    data = honest(np.random.default_rng(12), raters=10)
    with pytest.raises(TableError):
        verify.formality(pd.concat([data, data.iloc[:1]]), **NAMES, wave="w")


def _moments(rng, waves, raters, burst):
    """Forms handed in at one or two sittings of each rater; in ``burst`` a third waits for the end."""
    data = honest(rng, raters=raters, waves=waves)
    sitting = rng.uniform(0, 240, (waves, raters, 2))
    wait = rng.random(raters) < 0.33
    for w in burst:
        sitting[w, wait] = rng.uniform(225, 240, (int(wait.sum()), 2))
    hour = sitting[data["w"], data["r"], data["t"] % 2] + 1000 * data["w"]
    return data.assign(at=pd.Timestamp("2025-01-01") + pd.to_timedelta(hour, unit="h"))


def test_bursts_before_the_deadline_are_seen_and_an_even_spread_raises_no_alarm():
    rng, alarms = np.random.default_rng(21), 0
    wave, rater = (v.ravel() for v in np.indices((3, 60, 4))[:2])
    for _ in range(100):
        hours = rng.uniform(0, 240, (3, 60))[wave, rater] + rng.uniform(0, 1, len(wave))
        quiet = formality_late.late(SimpleNamespace(wave=wave, rater=rater, waves=[0, 1, 2]), hours)
        alarms += bool((quiet["p_adjusted"] <= 0.05).any())
    assert alarms <= 10  # 5% of 100 at most; eleven or more have a chance of 1%
    found = verify.formality(_moments(rng, 3, 60, [2]), **NAMES, wave="w", time="at")
    late = rows(found, "late")
    assert late["p_adjusted"].iloc[2] < 0.001
    assert late["low"].iloc[2] > late["chance"].iloc[2] and late["n"].iloc[2] <= 60
    said = next(f for f in found.findings if f.key.startswith("formality.late"))
    assert "2" in said.values.get("waves", [said.values.get("wave")])


def test_bursts_in_several_waves_are_told_in_one_sentence():
    data = _moments(np.random.default_rng(23), 3, 60, [1, 2])
    found = verify.formality(data, **NAMES, wave="w", time="at")
    said = [f for f in found.findings if f.key.startswith("formality.late")]
    assert [f.key for f in said] == ["formality.late_often"]
    assert {"1", "2"} <= set(said[0].values["waves"])
    assert "1、2" in said[0].say("zh")


def test_days_instead_of_moments_make_the_last_day_a_larger_part():
    data = _moments(np.random.default_rng(22), 2, 60, [])
    days = data.assign(at=data["at"].dt.normalize())
    few = days.assign(at=pd.Timestamp("2025-01-01") + pd.to_timedelta(days["r"] % 3, unit="D"))
    late = rows(verify.formality(few, **NAMES, wave="w", time="at"), "late")
    assert late["chance"].to_numpy() == pytest.approx(1 / 3, abs=0.02)
    assert (late["p_adjusted"] > 0.05).all()


def _stub(tops=(50,), waves=("w",)):
    counted = [np.array([[t, 100 - t], [0, 0]]) for t in tops]
    return SimpleNamespace(waves=list(waves), counted=counted, coded=(None, np.array([4.0, 5.0])))


@pytest.mark.parametrize(
    ("wave", "word"),
    [
        ({}, "fine"),
        ({"n": 20}, "fine"),
        ({"n": 19}, "too_few"),
        ({"top": 90}, "flat"),  # nine in ten answers are the same
        ({"top": 89}, "fine"),
        ({"top": 11}, "fine"),
        ({"top": 10}, "flat"),
        ({"high": 0.049}, "mechanical"),
        ({"high": 0.05}, "fine"),
        ({"p": 0.05, "low": 0.1}, "mechanical"),
        ({"p": 0.05, "low": 0.1, "either": True}, "signs"),
        ({"p": 0.05, "low": 0.099}, "signs"),
        ({"p": 0.051, "low": 0.1}, "fine"),
        ({"near": 0.05}, "signs"),
        ({"near": 0.051}, "fine"),
    ],
)
def test_the_verdict_of_a_wave_at_each_of_its_limits(wave, word):
    its = {
        "n": 99,
        "top": 50,
        "high": 0.5,
        "p": 0.5,
        "low": 0.0,
        "near": 0.5,
        "either": False,
    } | wave
    index = pd.DataFrame({"variant": ["raters", "targets"], "n": [0, its["n"]], "position": 0,
                          "high": [0.0, its["high"]]})  # fmt: skip
    copying = pd.DataFrame({"metric": ["copying", "near_copying"], "position": 0,
                            "p_adjusted": [its["p"], its["near"]], "low": [its["low"], 1.0]})  # fmt: skip
    either = [0] if its["either"] else []
    forms = _stub((its["top"],))
    assert formality_verdict.verdict(forms, index, copying, 20, either) == [word]


def _told(words=("fine", "signs"), pairs=(0, 40), behind=(40, 40), p=0.001, step=0.25):
    """The rows that are put into words, two waves of them, with a step to the second."""
    row = {"variant": "", "verdict": "", "p": np.nan, "p_adjusted": np.nan}
    out = []
    for w, word in enumerate(words):
        own = [
            {"metric": "formality", "variant": "targets", "estimate": 0.3, "low": 0.2, "high": 0.4,
             "n": 50 + w, "verdict": word},
            {"metric": "copying", "estimate": 0.12, "low": 0.11, "high": 0.13, "p_adjusted": 0.05,
             "n": behind[w]},
            {"metric": "near_copying", "estimate": 0.22, "low": 0.21, "high": 0.23,
             "p_adjusted": 0.5, "n": 40},
            {"metric": "copies", "estimate": 0.1, "low": 0.0, "high": 0.2, "n": pairs[w]},
        ]  # fmt: skip
        out += [row | r | {"wave": f"w{w}"} for r in own]
    for variant in ("copying", "targets"):
        ends = sorted([step - 0.15, step + 0.15])
        out.append(row | {"metric": "change", "variant": variant, "estimate": step, "low": ends[0],
                          "high": ends[1], "n": 2, "p": p, "wave": "w1"})  # fmt: skip
    return pd.DataFrame(out)


def test_what_is_told_of_waves_and_of_the_step_between_them():
    forms = _stub((60, 30), ("w0", "w1"))
    found = formality_verdict.findings(forms, _told(), "wave", [1])
    assert [(f.key, f.level) for f in found] == [
        ("formality.fine", "note"), ("formality.signs", "warning"),
        ("formality.copying_up", "warning"), ("formality.targets_up", "note"),
        ("formality.steadier", "note"), ("formality.advice", "note"),
    ]  # fmt: skip
    first = {"wave": "w0", "n": 50, "share": 30, "low": 20, "high": 40, "copied": 12,
             "copied_low": 11, "copied_high": 13, "top": 60, "value": 4.0}  # fmt: skip
    assert dict(found[0].values) == pytest.approx(first)
    assert found[1].values["value"] == 5.0 and found[1].values["top"] == pytest.approx(70)
    assert dict(found[2].values) == pytest.approx({"wave": "w1", "size": 25, "low": 10, "high": 40})
    assert found[4].values == {"waves": ["w1"]}
    # Copying that falls is good news, an index that falls is not; limits are told without a sign.
    found = formality_verdict.findings(forms, _told(("fine", "fine"), step=-0.25), "wave", [])
    assert [(f.key, f.level) for f in found[2:]] == [
        ("formality.copying_down", "note"), ("formality.targets_down", "warning")
    ]  # fmt: skip
    told = [found[2].values[k] for k in ("size", "low", "high")]
    assert told == pytest.approx([25, 10, 40])


@pytest.mark.parametrize(("p", "told"), [(0.05, 2), (0.051, 0)])
def test_a_step_is_told_from_five_percent_on(p, told):
    found = formality_verdict.findings(_stub((60, 60), ("w0", "w1")), _told(p=p), "wave", [])
    assert sum(f.key.endswith("_up") for f in found) == told


def test_a_sign_of_near_copies_alone_tells_their_share():
    table = _told()
    table.loc[table["metric"] == "copying", "p_adjusted"] = 0.051
    found = formality_verdict.findings(_stub((60, 60), ("w0", "w1")), table, "wave", [])
    assert (found[1].key, found[1].level) == ("formality.signs_near", "warning")
    values = [found[1].values[k] for k in ("near", "near_low", "near_high")]
    assert values == pytest.approx([22, 21, 23])


@pytest.mark.parametrize(
    ("rows", "key", "values"),
    [
        ({"pairs": (0, 0)}, "no_key", {"waves": 2}),
        ({"pairs": (40, 0)}, "no_key", {"waves": 2}),  # nobody comes before the first wave
        ({"pairs": (0, 1)}, None, None),
        ({"behind": (0, 29)}, "few_pairs", {"count": 1}),
        ({"behind": (0, 30)}, None, None),  # the first wave alone has nobody behind it
    ],
)
def test_what_two_waves_cannot_show(rows, key, values):
    forms = _stub((60, 60), ("w0", "w1"))
    table = _told(("fine", "fine"), **rows)
    table = table[table["metric"] != "change"]
    found = formality_verdict.findings(forms, table, "wave", [])[2:]
    assert [(f.key, dict(f.values)) for f in found] == (
        [(f"formality.{key}", values)] if key else []
    )


@pytest.mark.parametrize(
    ("word", "copied", "key", "level"),
    [
        ("fine", 0.1, "fine", "note"),
        ("fine", np.nan, "fine_once", "note"),
        ("mechanical", np.nan, "mechanical_once", "warning"),
        ("flat", np.nan, "flat", "warning"),
        ("too_few", np.nan, "too_few", "refused"),
    ],
)
def test_a_wave_that_nobody_could_copy_from_is_told_as_such(word, copied, key, level):
    table = _told((word,)).assign(position=0)
    table.loc[table["metric"] == "copying", "estimate"] = copied
    found = formality_verdict._of_wave(_stub((60,), ("w0",)), table, 0)
    assert (found.key, found.level) == (f"formality.{key}", level)
    whole = formality_verdict._of_wave(_stub((60,), ("",)), table, 0)
    assert whole.key == f"formality.{word}_whole"


def test_limits_of_a_share_lie_between_nothing_and_all(monkeypatch):
    forms = SimpleNamespace(
        rater=np.repeat(np.arange(4), 3), target=np.tile(np.arange(3), 4), raters=list(range(4)),
        wave=np.zeros(12, int), waves=[0], centred=lambda: np.zeros(12),
    )  # fmt: skip
    whole, away = np.array([0.7, -0.2, 1.4]), np.zeros((4, 3))
    ends = np.array([0.4, -0.6, 1.2]), np.array([1.3, 0.1, 1.9])
    monkeypatch.setattr(two_way, "shares", lambda *_: (whole, away))
    monkeypatch.setattr(two_way, "jackknife", lambda *_: (*ends, away))
    table, _ = formality._index(forms)
    assert table[["estimate", "low", "high"]].to_numpy().tolist() == [
        [0.7, 0.4, 1],
        [0, 0, 0.1],
        [1, 1, 1],
    ]
    assert table["raw"].tolist() == whole.tolist() and (table["n"] == 12).all()
    # Two raters leave no limits, and three do.
    for left, known in ((2, False), (3, True)):
        monkeypatch.setattr(two_way, "shares", lambda *_, k=left: (whole, away[:k]))
        assert formality._index(forms)[0]["low"].notna().all() == known


@pytest.mark.parametrize(("p", "told"), [((0.05, 0.06), 1), ((0.06, 0.06), 0), ((0.05, 0.01), 2)])
def test_late_forms_are_told_from_five_percent_on(p, told):
    table = pd.DataFrame({"metric": "late", "w": ["a", "b"], "estimate": [0.5, 0.4], "low": 0.3,
                          "high": 0.6, "chance": [0.1, 0.2], "n": [30, 40], "p_adjusted": p})  # fmt: skip
    found = formality_late.findings(table, "w")
    if told == 0:
        assert found == []
    if told == 1:
        assert found[0].key == "formality.late"
        assert dict(found[0].values) == {
            "share": 50,
            "low": 30,
            "high": 60,
            "chance": 10,
            "n": 30,
            "wave": "a",
        }
        (whole,) = formality_late.findings(table, None)
        assert whole.key == "formality.late_whole" and "wave" not in whole.values
    if told == 2:
        assert [f.key for f in found] == ["formality.late_often"]
        assert dict(found[0].values) == {"share_min": 40, "share_max": 50, "chance_min": 10,
                                         "chance_max": 20, "waves": ["a", "b"]}  # fmt: skip
        assert [f.key for f in formality_late.findings(table, None)] == ["formality.late_whole"] * 2


def test_who_waited_for_the_end_is_counted_by_raters():
    """Moments 0 to 10 hours in steps of 1: the last tenth holds the moments 9 and 10, two of eleven."""
    hours = np.array([0.0, 9, 10, 1, 2, 9, 9, 3, 4, 5, 10, np.nan])
    rater = np.array([0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4])
    forms = SimpleNamespace(wave=np.zeros(12, int), rater=rater, waves=["w"])
    hits, raters, part, chance = formality_late._of_wave(forms, hours, 0)
    # Two of three, one of three, one of two, none, and one of one.
    assert (hits, raters) == (3, 5)
    assert part == pytest.approx(2 / 11) and chance == pytest.approx(2 / 11 + (1 - 4 / 11) / 5)
    row = formality_late.late(forms, hours).iloc[0]
    assert row[["estimate", "n"]].tolist() == [0.6, 5] and row["low"] < 0.6 < row["high"]
    # At least two late ones among the three who are neither the first nor the last.
    q = 2 / 11
    assert row["p"] == pytest.approx(3 * q**2 * (1 - q) + q**3)
    few = SimpleNamespace(wave=np.zeros(2, int), rater=np.array([0, 1]), waves=["w"])
    assert np.isnan(formality_late.late(few, np.array([1.0, 2.0]))["estimate"].iloc[0])
    three = SimpleNamespace(wave=np.zeros(3, int), rater=np.arange(3), waves=["w"])
    row = formality_late.late(three, np.array([0.0, 5, 10])).iloc[0]
    assert row["estimate"] == pytest.approx(1 / 3) and row["p"] == 1.0
    same = formality_late._of_wave(three, np.array([5.0, 5, 5]), 0)
    assert same == (0.0, 0.0, 0.1, 0.1)


def _answered(codes, rater, target, wave=None):
    codes = np.array(codes)
    wave = np.zeros(len(codes), int) if wave is None else np.array(wave)
    return SimpleNamespace(coded=(codes, np.arange(5.0)), rater=np.array(rater), wave=wave,
                           target=np.array(target), waves=list(range(wave.max() + 1)))  # fmt: skip


def test_a_sheet_has_two_forms_and_ten_answers_and_more_than_one_word():
    form = [0, 1, 2, 3, 4]
    other = [4, 3, 2, 1, 0]
    two = _answered([form, other, form, other], [0, 0, 1, 1], [0, 1, 0, 1])
    assert formality_signs._sheets(two)[["estimate", "n"]].to_numpy().tolist() == [[1, 2]]
    # The same forms on the other departments, a form of nine answers, one form of ten: no equal sheets.
    swapped = _answered([form, other, other, form], [0, 0, 1, 1], [0, 1, 0, 1])
    assert formality_signs._sheets(swapped)[["estimate", "n"]].to_numpy().tolist() == [[0, 2]]
    nine = _answered([form, [*other[:4], -1]] * 2, [0, 0, 1, 1], [0, 1, 0, 1])
    assert formality_signs._sheets(nine)["n"].tolist() == [0]
    one = _answered([form + other] * 2, [0, 1], [0, 0])
    assert formality_signs._sheets(one)["n"].tolist() == [0]
    uniform = _answered([[2] * 5] * 4, [0, 0, 1, 1], [0, 1, 0, 1])
    assert formality_signs._sheets(uniform)["n"].tolist() == [0]
    later = _answered([form, other] * 2, [0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1])
    assert formality_signs._sheets(later)[["estimate", "n"]].to_numpy().tolist() == [[0, 1], [0, 1]]


def test_a_share_of_one_form_is_all_or_nothing():
    forms = SimpleNamespace(waves=["a", "b", "c"], wave=np.array([0, 2, 2, 2]))
    hit = np.array([True, True, False, False])
    table = formality_signs._shares(forms, "x", hit, np.array([True, True, True, False]))
    assert table["n"].tolist() == [1, 0, 2]
    assert table["estimate"].fillna(-1).tolist() == [1, -1, 0.5]
    assert table["position"].tolist() == [0, 1, 2]


def test_the_chance_of_one_answer_throughout_is_that_of_the_items_shares():
    """Two items of two answers each; of the four complete forms the shares are 3/4, 1/4 and 1/2, 1/2."""
    codes = [[0, 0, 0], [0, 1, 1], [0, 0, 1], [1, 1, 0]]
    forms = SimpleNamespace(coded=(np.array(codes), np.arange(2.0)), wave=np.zeros(4, int), waves=["a"],
                            flat=lambda: np.array([True, False, False, False]))  # fmt: skip
    row = formality_signs._flat(forms).iloc[0]
    assert row[["estimate", "n"]].tolist() == [0.25, 4]
    assert row["chance"] == pytest.approx(3 / 4 * 1 / 2 * 1 / 2 + 1 / 4 * 1 / 2 * 1 / 2)


def test_near_copies_count_only_where_they_became_more(monkeypatch):
    row = pd.DataFrame({"p": [0.01], "estimate": [0.3]})
    for z, p in ((1.644854, 0.05), (3.0, 0.01), (-1.0, 0.841345)):
        monkeypatch.setattr(copies, "rise", lambda waves, near, z=z: (z, 0.2))
        found = formality_copies._more_often(row, [])
        assert found["p"].iloc[0] == pytest.approx(p, abs=1e-6) and found["chance"].iloc[0] == 0.2


def test_the_share_copied_has_limits_and_a_one_sided_test(monkeypatch):
    """Of 100 pairs 20 are expected to be equal; 44 are: 30% of the other 80."""
    whole = tuple(np.array([v]) for v in (44.0, 20.0, 100.0))
    spread = np.array([0.1, 0.5, 0.3, np.nan, 0.3])
    monkeypatch.setattr(
        copies, "excess", lambda *a: np.array([0.3]) if a[0] is whole[0] else spread
    )
    table, noise = formality_copies._row("copying", whole, tuple(np.zeros(5) for _ in range(3)), 5)
    row = table.iloc[0]
    # The resamples that tell something scatter by 0.2, -0.2, 0 and 0 around their mean; the other is 0.
    error = np.std([-0.2, 0.2, 0, 0, 0])
    assert row[["estimate", "raw", "expected", "n"]].tolist() == pytest.approx([0.3, 0.3, 0.2, 100])
    assert [row["low"], row["high"]] == pytest.approx(
        [0.3 - 1.959964 * error, 0.3 + 1.959964 * error]
    )
    assert row["p"] == pytest.approx(special.ndtr(-0.3 / error))
    np.testing.assert_allclose(noise, [-0.2, 0.2, 0, 0, 0], atol=1e-12)
    # Next to no scatter: that of binomial draws of the honest rate, sqrt(20 * 0.8) / 80.
    spread[:] = 0.3
    row = formality_copies._row("copying", whole, tuple(np.zeros(5) for _ in range(3)), 5)[0].iloc[
        0
    ]
    assert row["high"] - row["estimate"] == pytest.approx(1.959964 * 4 / 80)
    none, noise = formality_copies._row(
        "copying", tuple(np.array([v]) for v in (5.0, 5.0, 5.0)), None, 4
    )
    assert np.isnan(none["p"].iloc[0]) and none["expected"].iloc[0] == 1 and np.isnan(noise).all()
