"""Steering that is planted is named; honest tables raise no alarm; nothing is changed."""

from __future__ import annotations

import importlib
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from scipy.stats import t as student

from svcmetrics import verify
from svcmetrics.simulate import company
from svcmetrics.verify import gaming_log

gaming_module = importlib.import_module("svcmetrics.verify.gaming")

UNITS = list("ABCDEFGH")


@cache
def honest_company():
    return company(seed=3, events=40_000, ratings=600)


def tables() -> dict[str, pd.DataFrame]:
    study = honest_company()
    return {
        "events": study.event.copy(),
        "services": study.service,
        "commitments": study.commitment.copy(),
    }


def ratings(seed: int = 1, waves: int = 6, raters: int = 10) -> pd.DataFrame:
    """Each of ten people in eight departments rates the other seven, in every wave, on two items."""
    rng = np.random.default_rng(seed)
    u, p, t, w, i = (
        x.ravel() for x in np.meshgrid(*map(np.arange, (8, raters, 8, waves, 2)), indexing="ij")
    )
    severity = rng.normal(0, 0.4, (8, raters))[u, p]
    service = rng.normal(0, 0.25, (8, 8))[u, t]  # some are honestly served better than others
    score = 3.6 + severity + service + rng.normal(0, 0.3, (8, waves))[t, w]
    score += rng.normal(0, 0.6, len(u))
    day = rng.uniform(0, 20, (8, raters, waves))[u, p, w]
    start = pd.Timestamp("2026-01-01", tz="Asia/Shanghai") + pd.to_timedelta(30 * w, unit="D")
    frame = pd.DataFrame({
        "wave": [f"w{x}" for x in w], "rater_key": [f"p{a}_{b}" for a, b in zip(u, p, strict=True)],
        "rater_unit_id": np.array(UNITS)[u], "target_id": np.array(UNITS)[t],
        "item_id": [f"q{x}" for x in i], "score": score.round().clip(1, 5),
        "submitted_at": start + pd.to_timedelta(day, unit="D"),
    })  # fmt: skip
    return frame[u != t].reset_index(drop=True)


def flagged(result) -> set[tuple[str, str]]:
    table = result.table
    return set(table.loc[table["flagged"], ["metric", "unit"]].itertuples(index=False, name=None))


def gaming(part: dict[str, pd.DataFrame], forms: pd.DataFrame | None = None, **more):
    return verify.gaming(forms, **part, **more)


def victim(part: dict[str, pd.DataFrame]) -> str:
    return str(part["services"]["provider_id"].value_counts().index[0])


def cases_of(part: dict[str, pd.DataFrame], unit: str) -> np.ndarray:
    mine = part["services"].loc[part["services"]["provider_id"] == unit, "service_id"]
    return part["events"].loc[part["events"]["service_id"].isin(mine), "case_id"].unique()


def more_events(part, rows: pd.DataFrame) -> None:
    part["events"] = pd.concat([part["events"], rows], ignore_index=True)


def test_honest_tables_raise_no_alarm_and_are_not_changed():
    part, forms = tables(), ratings()
    before = {name: frame.copy() for name, frame in part.items()}
    kept = forms.copy()
    result = gaming(part, forms)
    assert flagged(result) == set()
    assert result.findings[0].key == "gaming.nothing"
    assert result.table["metric"].nunique() == 9
    for name, frame in part.items():
        pd.testing.assert_frame_equal(frame, before[name])
    pd.testing.assert_frame_equal(forms, kept)


def test_deadlines_put_off_at_the_last_moment():
    part = tables()
    unit = part["services"]["provider_id"].iloc[0]
    own = part["commitments"]["case_id"].isin(cases_of(part, unit)) & (
        part["commitments"]["rev"] == 0
    )
    late = part["commitments"][own].sample(frac=0.6, random_state=1)
    late = late.assign(
        rev=9, agreed_at=late["due_at"], due_at=late["due_at"] + pd.Timedelta(days=5)
    )
    part["commitments"] = pd.concat([part["commitments"], late], ignore_index=True)
    result = gaming(part)
    assert flagged(result) == {("moved_deadline", unit)}
    row = result.table[result.table["flagged"]].iloc[0]
    assert row["expected"] < row["low"] <= row["estimate"] <= row["high"]


def test_cases_reopened_after_the_close():
    part = tables()
    unit = victim(part)
    closed = part["events"][part["events"]["action"] == "close"]
    some = closed[closed["case_id"].isin(cases_of(part, unit))].sample(frac=0.15, random_state=1)
    more_events(part, some.assign(seq=some["seq"] + 1, action="deliver", step_no=1))
    assert ("reopened", unit) in flagged(gaming(part))


def reopening(part, shares: dict[str, float]) -> None:
    """So large a share of each of these departments' closed cases is gone on with."""
    closed = part["events"][part["events"]["action"] == "close"]
    for unit, share in shares.items():
        some = closed[closed["case_id"].isin(cases_of(part, unit))]
        some = some.sample(frac=share, random_state=1)
        more_events(part, some.assign(seq=some["seq"] + 1, action="deliver", step_no=1))


@pytest.mark.parametrize("shares", [(0.57, 0.2), (0.3, 0.1, 0.2)])
def test_departments_that_do_the_same_do_not_hide_one_another(shares):
    part = tables()
    units = part["services"]["provider_id"].value_counts().index
    steering = dict(zip(map(str, units), shares, strict=False))
    reopening(part, steering)
    result = gaming(part)
    # Their outputs are handed over again as well: that is another check.
    assert {unit for check, unit in flagged(result) if check == "reopened"} == set(steering)
    rows = result.table[result.table["metric"] == "reopened"].set_index("unit")
    # What is expected of them is what the others do, and not each other.
    assert (rows.loc[list(steering), "expected"] < 0.02).all()
    assert (rows.drop(index=list(steering))["p"] > 0.1).all()
    said = result.say("zh")
    assert all(f"{unit}：办结后又继续办理的占" in said for unit in steering)


def test_two_of_five_hide_one_another_still():
    part = tables()
    units = part["services"]["provider_id"].value_counts().index[:5]
    part["services"] = part["services"][part["services"]["provider_id"].isin(units)]
    part["events"] = part["events"][
        part["events"]["service_id"].isin(part["services"]["service_id"])
    ]
    reopening(part, {str(u): 0.3 for u in units[:2]})
    table = gaming(part).table
    rows = table[table["metric"] == "reopened"]
    assert len(rows) == 5 and not rows["flagged"].any()


def test_withdrawn_and_begun_anew():
    part = tables()
    unit = victim(part)
    first = part["events"].drop_duplicates("case_id")
    some = first[first["case_id"].isin(cases_of(part, unit))].sample(frac=0.15, random_state=1)
    ago = pd.Timedelta(hours=2)
    old = some.assign(case_id="old" + some["case_id"].astype(str), at=some["at"] - ago)
    gone = old.assign(seq=1, action="withdraw", at=old["at"] + ago / 2)
    more_events(part, pd.concat([old, gone]))
    assert flagged(gaming(part)) == {("restarted", unit)}


def test_one_matter_split_into_cases():
    part = tables()
    unit = victim(part)
    some = part["events"][part["events"]["case_id"].isin(cases_of(part, unit)[::8])]
    copy = some.assign(case_id="b" + some["case_id"].astype(str),
                       at=some["at"] + pd.Timedelta(minutes=4))  # fmt: skip
    more_events(part, copy)
    assert flagged(gaming(part)) == {("split", unit)}


def test_work_sent_back_by_phone():
    part = tables()
    log = part["events"]
    done = log[(log["action"] == "deliver") & log["step_no"].notna()]
    unit = done["unit_id"].value_counts().index[0]
    some = done[done["unit_id"] == unit].sample(frac=0.1, random_state=1)
    # The same output once more, right after the first: the numbers of later events make room.
    log["seq"] *= 10
    again = some.assign(seq=some["seq"] * 10 + 1, at=some["at"] + pd.Timedelta(minutes=1))
    more_events(part, again)
    assert flagged(gaming(part)) == {("quiet_rework", unit)}


def test_padding_with_easy_cases():
    part = tables()
    unit = victim(part)
    log = part["events"]
    later = log[(log["action"] == "submit") & (log["at"] > log["at"].quantile(0.6))]
    some = later[later["case_id"].isin(cases_of(part, unit))].drop_duplicates("case_id").head(200)
    # Spread over days, by other people: neither split nor restarted.
    move = pd.to_timedelta(np.arange(len(some)) * 12, unit="h")
    new = some.assign(case_id="easy" + some["case_id"].astype(str), at=some["at"] + move)
    new["actor_key"] = [f"x{k}" for k in range(len(new))]
    end = new.assign(seq=1, action="close", at=new["at"] + pd.Timedelta(minutes=1))
    more_events(part, pd.concat([new, end]))
    assert flagged(gaming(part)) == {("easy_cases", unit)}


def test_mutual_fives():
    forms = ratings()
    pair = forms["rater_unit_id"].isin(["A", "B"]) & forms["target_id"].isin(["A", "B"])
    forms.loc[pair, "score"] = 5.0
    result = gaming({}, forms)
    hit = result.table[result.table["flagged"]]
    assert hit[["metric", "unit", "other"]].to_numpy().tolist() == [["mutual_top", "A", "B"]]


def test_ratings_without_a_wave_are_of_one():
    once = ratings(waves=1)
    pd.testing.assert_frame_equal(
        gaming({}, once.drop(columns="wave")).table, gaming({}, once).table
    )


def test_one_sided_praise_is_not_mutual():
    forms = ratings()
    forms.loc[(forms["rater_unit_id"] == "A") & (forms["target_id"] == "B"), "score"] = 5.0
    assert not any(check == "mutual_top" for check, _ in flagged(gaming({}, forms)))


def test_revenge():
    forms = ratings(waves=10)
    wave = forms["wave"].str[1:].astype(int)
    at_c = (forms["target_id"] == "C") & (wave % 2 == 0)  # C is marked down in even waves …
    forms.loc[at_c, "score"] = (forms.loc[at_c, "score"] - 1.5).clip(lower=1)
    for k, other in enumerate("ABDEFGH"):
        # … by departments in turn, and pays each of them back one wave later.
        low = (forms["rater_unit_id"] == other) & (forms["target_id"] == "C") & (wave % 4 == k % 4)
        back = (forms["rater_unit_id"] == "C") & (forms["target_id"] == other)
        back &= wave % 4 == (k + 1) % 4
        forms.loc[low | back, "score"] = 1.0
    assert ("revenge", "C") in flagged(gaming({}, forms))


def test_late_votes():
    forms = ratings()
    ends = {f"w{k}": pd.Timestamp("2026-01-19", tz="Asia/Shanghai") + pd.Timedelta(days=30 * k)
            for k in range(6)}  # fmt: skip
    late = forms["submitted_at"] > forms["wave"].map(ends)
    lifted = late & (forms["target_id"] == "D")
    forms.loc[lifted, "score"] = 5.0
    assert ("late_votes", "D") in flagged(gaming({}, forms, wave_ends=ends))


@pytest.mark.parametrize("code", ["zh", "en"])
def test_what_was_not_checked_is_said(code):
    nothing = gaming({})
    assert nothing.findings[0].level == "refused"
    assert nothing.table["n"].tolist() == [0]
    assert set(nothing.about["not_checked"]) == {"no_log", "no_deadlines", "no_ratings"}
    assert len(nothing.say(code).splitlines()) == 4
    plain = ratings().drop(columns=["rater_unit_id", "submitted_at"])
    assert "no_moments" in gaming({}, plain).about["not_checked"]


def test_too_few_departments_are_not_compared():
    part = tables()
    few = part["services"]["provider_id"].unique()[:4]
    part["services"] = part["services"][part["services"]["provider_id"].isin(few)]
    log = part["events"]
    part["events"] = log[log["service_id"].isin(part["services"]["service_id"])]
    table = gaming(part).table
    assert table.loc[table["metric"] == "reopened", "p"].isna().all()
    assert not table["flagged"].any()


def test_findings_name_departments_and_give_the_interval():
    forms = ratings()
    pair = forms["rater_unit_id"].isin(["A", "B"]) & forms["target_id"].isin(["A", "B"])
    forms.loc[pair, "score"] = 5.0
    said = gaming({}, forms).say("zh")
    assert "A 与 B" in said
    assert "95% 置信区间" in said
    assert not any(key in said for key in forms["rater_key"].unique())


def test_honest_ratings_raise_flags_no_more_often_than_the_reading_says():
    """Three checks at 5% each: at most 15% of studies; 5% of them over all comparisons together."""
    flags, clear, studies = 0, 0, 20
    for seed in range(100, 100 + studies):
        table = gaming({}, ratings(seed, waves=3, raters=6)).table
        flags += bool(table["flagged"].any())
        clear += bool((table["p_overall"] <= 0.05).any())
    # More would happen by chance once in a thousand times.
    assert flags <= binom.ppf(0.999, studies, 0.15)
    assert clear <= binom.ppf(0.999, studies, 0.05)
    assert clear <= flags


@pytest.mark.parametrize(("code", "said"), [("zh", "最多 15%"), ("en", "at most 15%")])
def test_the_reading_gives_the_chance_of_any_false_alarm(code, said):
    forms = ratings()
    pair = forms["rater_unit_id"].isin(["A", "B"]) & forms["target_id"].isin(["A", "B"])
    forms.loc[pair, "score"] = 5.0
    result = gaming({}, forms)
    told = next(f for f in result.findings if f.key == "gaming.a_question")
    assert said in told.say(code)
    overall = result.table.loc[result.table["flagged"], "p_overall"]
    assert told.values["sure"] == (overall <= 0.05).sum()
    known = result.table.dropna(subset="p")
    assert (known["p_overall"] >= known["p_adjusted"] - 1e-12).all()


# By hand: one department, a few cases, every rule at its limit


DAY = pd.Timestamp("2026-03-02 08:00", tz="Asia/Shanghai")


def counts_of(check: str, cases, since=None) -> dict[str, int]:
    """Counts of one check; a case is its minutes and actions, and who asked for it."""
    rows = [
        (f"c{k}", seq, "s1", DAY + pd.Timedelta(minutes=minute), 1, "U", asker, action)
        for k, (asker, steps) in enumerate(cases)
        for seq, (minute, action) in enumerate(steps)
    ]
    events = pd.DataFrame(rows, columns=gaming_log.EVENT)
    services = pd.DataFrame({"service_id": ["s1"], "provider_id": ["U"]})
    found = {c["check"].iloc[0]: c for c in gaming_log.of_log(events, services, since) if len(c)}
    row = found[check].iloc[0].to_dict()
    return {k: v for k, v in row.items() if k not in ("unit", "check")}


def starts(asker: str, *minutes: float):
    return [(asker, [(m, "submit")]) for m in minutes]


def test_cases_of_one_person_within_thirty_minutes_are_one_matter():
    # 30 minutes after the one before: still one; a second later, or by another person: not.
    cases = [*starts("p", 0, 30, 60 + 1 / 60), *starts("q", 31)]
    assert counts_of("split", cases) == {"hits": 1, "trials": 4}


def test_a_case_withdrawn_starts_anew_from_its_end_to_a_day_later():
    def pair(asker, ended, after):
        gone = (asker, [(0, "submit"), (ended, "withdraw")])
        return [gone, (asker, [(ended + after, "submit")])]

    day = 24 * 60
    cases = [*pair("p", 10, 0), *pair("q", 10, day), *pair("r", 10, day + 1), *pair("s", 10, -1)]
    assert counts_of("restarted", cases) == {"hits": 2, "trials": 8}
    closed = [("p", [(0, "submit"), (10, "close")]), *starts("p", 20)]
    assert counts_of("restarted", closed) == {"hits": 0, "trials": 2}


def test_only_work_after_the_close_reopens_a_case():
    done = [(0, "submit"), (5, "deliver"), (9, "close")]
    cases = [("p", [*done, (10, "deliver")]), ("p", [*done, (10, "note")]), ("p", done),
             ("p", [(0, "submit"), (9, "withdraw"), (10, "deliver")])]  # fmt: skip
    assert counts_of("reopened", cases) == {"hits": 1, "trials": 3}


def test_an_output_again_counts_unless_it_was_sent_back():
    cases = [
        ("p", [(0, "submit"), (5, "deliver"), (9, "deliver")]),
        ("p", [(0, "submit"), (5, "deliver"), (7, "return"), (9, "deliver")]),
        ("p", [(0, "submit"), (5, "deliver"), (9, "approve")]),
        ("p", [(0, "submit"), (5, "deliver"), (7, "return"), (9, "deliver"), (11, "deliver")]),
    ]
    assert counts_of("quiet_rework", cases) == {"hits": 2, "trials": 4}


def test_easy_is_less_than_a_tenth_of_the_usual_time_before_and_since():
    # The usual case takes 100 minutes; 10 are a tenth, and not easy.
    at = {"before": (0, [100, 100, 9]), "since": (3 * 1440, [100, 100, 100, 10, 9, 9])}
    cases = [
        (f"{when}{k}", [(start + k, "submit"), (start + k + took, "close")])
        for when, (start, all_) in at.items()
        for k, took in enumerate(all_)
    ]
    expected = {"hits": 2, "trials": 6, "hits_before": 1, "trials_before": 3}
    assert counts_of("easy_cases", cases, "2026-03-05") == expected
    # A case of the day itself belongs to the time since; without a day, the middle of the log does.
    assert counts_of("easy_cases", cases, "2026-03-05 08:00")["trials"] == 6
    assert counts_of("easy_cases", cases, "2026-03-05 08:01")["trials"] == 5
    assert counts_of("easy_cases", cases)["trials"] == 5


def test_a_deadline_is_moved_late_in_its_last_tenth_or_against_the_requester():
    start, hour = DAY, pd.Timedelta(hours=1)

    def case(name, agreed_after, due_after, agreed=True):
        first = (name, 0, start, start + 100 * hour, pd.NA)
        return [first, (name, 1, start + agreed_after * hour, start + due_after * hour, agreed)]

    rows = [
        *case("in the last tenth", 90, 120), *case("before it", 89.99, 120),
        *case("to the same hour", 95, 100), *case("earlier", 95, 99),
        *case("against", 10, 120, False), *case("nothing said", 10, 120, pd.NA),
    ]  # fmt: skip
    names = ["case_id", "rev", "agreed_at", "due_at", "requester_ok"]
    table = pd.DataFrame(rows, columns=names)
    units = pd.Series({row[0]: row[0] for row in rows})
    found = gaming_log.moved_deadlines(table, units).set_index("unit")
    assert set(found.index[found["hits"] == 1]) == {"in the last tenth", "against"}
    assert (found["trials"] == 1).all()
    unsaid = gaming_log.moved_deadlines(table.drop(columns="requester_ok"), units)
    assert unsaid.loc[unsaid["hits"] == 1, "unit"].tolist() == ["in the last tenth"]


def test_a_steady_share_of_easy_cases_is_what_it_was():
    counts = pd.DataFrame({
        "unit": UNITS, "check": "easy_cases", "hits": 2, "trials": 100,
        "hits_before": 2, "trials_before": 100,
    })  # fmt: skip
    found = gaming_module._shares(counts)
    # Half a case more of one more, for whom two are seen.
    np.testing.assert_allclose(found["expected"], 2.5 / 101, rtol=0.1)
    assert (found["p"] > 0.3).all()


@pytest.mark.parametrize(
    ("metric", "scale"),
    [
        ("mutual_top", 100),
        ("revenge", 1),
        ("late_votes", 1),
        ("reopened", 100),
        ("easy_cases", 100),
    ],
)
def test_shares_are_told_in_percent_and_points_as_they_are(metric, scale):
    module = importlib.import_module("svcmetrics.verify.gaming")
    row = pd.Series({"metric": metric, "unit": "a", "other": "b", "n": 7.0, "estimate": 0.5,
                     "low": 0.25, "high": 0.75, "expected": 0.125})  # fmt: skip
    said = module._told(row)
    assert (said.key, said.level) == (f"gaming.{metric}", "warning")
    assert dict(said.values) == {"unit": "a", "other": "b", "n": 7, "estimate": 0.5 * scale,
                                 "low": 0.25 * scale, "high": 0.75 * scale, "expected": 0.125 * scale}  # fmt: skip


def test_flags_are_a_question_and_their_chance_is_told():
    """Three checks at 5% flag something by chance in 15 of 100 studies at most."""
    module = importlib.import_module("svcmetrics.verify.gaming")
    rows = pd.DataFrame({
        "metric": ["reopened", "split", "revenge", "split"], "unit": list("abcd"), "other": "", "n": 9,
        "estimate": 0.5, "low": 0.2, "high": 0.7, "expected": 0.1, "p": [0.01, 0.02, 0.5, np.nan],
        "p_overall": [0.05, 0.051, 1, np.nan], "flagged": [True, True, False, False],
    })  # fmt: skip
    found = module._reading(rows, ["no_log"])
    assert [f.key for f in found] == [
        "gaming.reopened", "gaming.split", "gaming.a_question", "gaming.no_log"
    ]  # fmt: skip
    assert found[2].values == {"rows": 3, "checks": 3, "any": pytest.approx(15), "sure": 1}
    calm = module._reading(rows.assign(flagged=False), [])
    assert [(f.key, dict(f.values)) for f in calm] == [("gaming.nothing", {"rows": 3, "checks": 3})]
    none = module._reading(rows.assign(p=np.nan, flagged=False), [])
    assert [(f.key, f.level) for f in none] == [("gaming.none_possible", "refused")]


def test_the_error_of_a_block_is_that_of_its_raters():
    """Each rater once: the variance of a mean, s squared over n; five raters are needed."""
    module = importlib.import_module("svcmetrics.verify.gaming_votes")
    left = [0.5, -0.2, 0.1, 0.9, 0.4, 0.3]
    frame = pd.DataFrame({"unit": ["a"] * 6 + ["b"] * 4, "rater": [*range(6), *range(4)],
                          "left": [*left, *left[:4]]})  # fmt: skip
    found = module.blocks(frame, ["unit"])
    assert found["unit"].tolist() == ["a"] and found["n"].tolist() == [6]
    assert found["mean"].tolist() == pytest.approx([np.mean(left)])
    assert found["variance"].tolist() == pytest.approx([np.var(left, ddof=1) / 6])
    five = module.blocks(frame[frame["rater"] < 5], ["unit"])
    assert five["n"].tolist() == [5]
    even = module.blocks(frame.assign(left=1.0), ["unit"])
    assert even.empty


def test_points_of_a_block_have_students_limits():
    blocks = pd.DataFrame({"unit": list("abcdef"), "other": "", "mean": [0.1, 0.2, 0.15, 0.12, 0.18, 0.9],
                           "variance": 0.01, "n": [6, 7, 8, 9, 10, 11]})  # fmt: skip
    table = gaming_module._points("late_votes", blocks)
    half = np.array([2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139]) * 0.1
    np.testing.assert_allclose(table["estimate"] - table["low"], half, atol=1e-6)
    np.testing.assert_allclose(table["high"] - table["estimate"], half, atol=1e-6)
    assert table["p"].idxmin() == 5 and (table["metric"] == "late_votes").all()
    # What the others let expect: the mean of all but the last is 0.15.
    assert table["expected"].iloc[5] == pytest.approx(0.15, abs=0.01)


def test_of_two_directions_the_one_that_stands_out_less_decides():
    rng = np.random.default_rng(3)
    pairs = [(a, b) for a in "abcdef" for b in "abcdef" if a != b]
    blocks = pd.DataFrame(pairs, columns=["unit", "other"]).assign(variance=0.01, n=9)
    blocks["mean"] = rng.normal(0, 0.1, len(blocks))
    blocks.loc[(blocks["unit"] == "a") & (blocks["other"] == "b"), "mean"] = 2.0
    blocks.loc[(blocks["unit"] == "b") & (blocks["other"] == "a"), "mean"] = 0.7
    one = gaming_module._points("mutual_top", blocks).set_index(["unit", "other"])
    both = gaming_module._mutual(blocks).set_index(["unit", "other"])
    assert len(both) == 15 and all(a < b for a, b in both.index)
    for a, b in both.index:
        # Of two with one p, the one nearer to the others.
        weaker = max([(a, b), (b, a)], key=lambda k: (one.loc[k, "p"], -one.loc[k, "t"]))
        for column in ("estimate", "low", "high", "expected", "t", "p"):
            assert both.loc[(a, b), column] == pytest.approx(one.loc[weaker, column])
    assert both.loc[("a", "b"), "estimate"] == 0.7


def test_of_two_directions_told_together_the_nearer_one_decides():
    rng = np.random.default_rng(3)
    pairs = [(a, b) for a in "abcdef" for b in "abcdef" if a != b]
    blocks = pd.DataFrame(pairs, columns=["unit", "other"]).assign(variance=1e-4, n=9)
    blocks["mean"] = rng.normal(0, 0.1, len(blocks))
    for (a, b), far in {("a", "b"): 5.0, ("b", "a"): 4.0, ("c", "d"): 4.5, ("d", "c"): 5.5}.items():
        blocks.loc[(blocks["unit"] == a) & (blocks["other"] == b), "mean"] = far
    one = gaming_module._points("mutual_top", blocks).set_index(["unit", "other"])
    both = gaming_module._mutual(blocks).set_index(["unit", "other"])
    assert one.loc[("a", "b"), "p"] == one.loc[("b", "a"), "p"] == both.loc[("a", "b"), "p"]
    assert (
        both.loc[("a", "b"), ["estimate", "t"]].tolist()
        == one.loc[("b", "a"), ["estimate", "t"]].tolist()
    )
    assert both.loc[("c", "d"), "estimate"] == 4.5


def test_paying_back_is_a_slope_through_nought_from_five_steps_on():
    rng = np.random.default_rng(4)
    then = rng.normal(size=30)
    steps = pd.DataFrame({"unit": np.repeat(list("abcde"), 6), "then": then})
    steps["now"] = 0.5 * then + rng.normal(0, 0.1, 30)
    steps = steps.drop(index=29)  # five steps of e
    found = gaming_module._slopes(steps).set_index("unit")
    for name, rows in steps.groupby("unit"):
        x, y = rows["then"].to_numpy(), rows["now"].to_numpy()
        slope = (x @ y) / (x @ x)
        error = np.sqrt((((y - slope * x) * x) ** 2).sum()) / (x @ x)  # White's
        row = found.loc[name]
        assert row["estimate"] == pytest.approx(slope) and row["n"] == len(x)
        half = student.ppf(0.975, len(x) - 1) * error
        assert row["high"] - row["estimate"] == pytest.approx(half, rel=1e-5)
    assert gaming_module._slopes(steps.drop(index=28))["unit"].tolist() == list("abcd")
    assert len(gaming_module._slopes(steps.head(4))) == 0
    still = steps.assign(then=np.where(steps["unit"] == "a", 0.0, steps["then"]))
    assert gaming_module._slopes(still)["unit"].tolist() == list("bcde")


def test_names_of_neighbours_stand_above_and_below_and_nothing_is_drawn_of_nothing():
    part = tables()
    units = [str(u) for u in part["services"]["provider_id"].value_counts().index[:2]]
    reopening(part, dict(zip(units, (0.5, 0.3), strict=True)))
    del part["commitments"]
    axes = gaming(part).plot()
    lines: dict[float, list[float]] = {}
    for name in sorted(axes.texts, key=lambda a: a.xy[0]):
        lines.setdefault(name.xy[1], []).append(name.xyann[1])
    assert [8, -8] in lines.values()
    assert all(turns == [8, -8, 8, -8][: len(turns)] for turns in lines.values())
    assert gaming({}).plot().texts[:] == []
