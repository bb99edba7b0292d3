"""Data in which something is wrong, and clearly so: the samples of the laws are nearly all in order.

What the metrics say of them is on record; whether it is right, the tests of each metric show.
"""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from svcmetrics import read_study
from svcmetrics.study import Study
from tests.conftest import ROOT

UNITS = [*"甲乙丙丁戊己"]
FORM = {"rater": "who", "target": "unit", "item": "item", "score": "points", "wave": "wave"}
RATED = {"target": "unit", "rater": "who", "score": "points"}


@functools.cache
def survey() -> pd.DataFrame:
    """Six people in each of six departments rate the other five on six items in four waves.

    甲 and 乙 raise one another; the first three are one side and favour it; who signs is milder; some
    straight lines, some noise, some in haste; from the third wave on two of three copy their forms, and
    in the last one most are late.
    """
    rng = np.random.default_rng(61)
    rows = pd.DataFrame(
        [(p, d, w, i) for p in range(36) for d in range(6) for w in (1, 2, 3, 4) for i in range(6)
         if p // 6 != d],
        columns=["who", "d", "wave", "item"],
    )  # fmt: skip
    who, d, wave, item = (rows[c].to_numpy() for c in rows.columns)
    own = who // 6
    signed = (who // 2) % 2 == 0
    level = (
        np.array([2.6, 3.0, 3.3, 3.5, 3.8, 4.1])[d] + np.array([0.4, 0.2, 0, 0, -0.2, -0.4])[item]
    )
    level += rng.normal(0, 0.5, 36)[who] + rng.normal(0, 0.3, (36, 5))[who, wave]
    level += 0.9 * ((own < 2) & (d < 2)) + 0.3 * ((own < 3) == (d < 3)) + 0.4 * signed
    level += rng.normal(0, 0.5, (36, 6, 5))[who, d, wave] + rng.normal(0, 0.6, len(rows))
    level[who == 7] = rng.uniform(0.5, 5.5, (who == 7).sum())
    level[np.isin(who, (8, 20))] = 4
    points = level.round().clip(1, 5).astype("int64")
    early = pd.Series(points, index=pd.MultiIndex.from_arrays([who, d, wave, item]))
    copied = (wave > 2) & (who % 3 > 0)
    points[copied] = early.loc[
        list(zip(who[copied], d[copied], np.full(copied.sum(), 2), item[copied]))
    ]
    late = (wave == 4) & (who % 4 > 0)
    day = np.where(late, 19.9, rng.uniform(0, 20, (36, 5))[who, wave]) + d / 200 + 30 * wave
    hasty = np.isin(who, (3, 8, 15))
    return rows.assign(
        unit=np.array(UNITS)[d], points=points, own=np.array(UNITS)[own],
        line=np.where(own < 3, "前", "后"), side=np.where(d < 3, "前", "后"),
        mode=np.where(signed, "named", "confidential"), theme=np.array(["快", "好"])[item % 2],
        seconds=np.where(hasty, 4.0, 60 + 3.0 * (who % 5) + d),
        time=pd.Timestamp("2026-01-01") + pd.to_timedelta(day, unit="D"),
        form=who * 100 + d * 10 + wave,
    ).drop(columns="d")  # fmt: skip


@functools.cache
def turned() -> pd.DataFrame:
    """The first wave with the fifth item and three raters the wrong way round, one rater of fives alone."""
    rows = survey().query("wave == 1").reset_index(drop=True)
    around = (rows["item"] == 4) ^ rows["who"].isin([10, 22, 30])
    points = rows["points"].where(~around, 6 - rows["points"])
    return rows.assign(points=points.where(rows["who"] != 12, 5))


@functools.cache
def apart() -> pd.DataFrame:
    """Two halves of the plan without a rater in common; five raters rate one department only."""
    rows = survey().query("wave < 3 and line == side")
    return rows[(rows["who"] % 7 > 0) | (rows["unit"].isin(["甲", "丁"]))].reset_index(drop=True)


@functools.cache
def flat() -> pd.DataFrame:
    """Nearly everybody gives fives."""
    rows = survey()
    return rows.assign(
        points=np.where((rows["who"] + rows["item"] * 5) % 23 == 0, rows["points"], 5)
    )


@functools.cache
def late() -> pd.DataFrame:
    """One wave of those who copied in the survey's last one: nothing before it."""
    return survey().query("wave == 4").reset_index(drop=True)


@functools.cache
def answers() -> pd.DataFrame:
    """150 people answer eight items of two kinds that have little to do with one another."""
    rng = np.random.default_rng(62)
    rows = pd.DataFrame([(p, i) for p in range(150) for i in range(8)], columns=["form", "item"])
    kind = rows["item"].to_numpy() // 4
    points = (
        3 + 0.9 * rng.normal(0, 1, (150, 2))[rows["form"], kind] + rng.normal(0, 0.7, len(rows))
    )
    points = points.round().clip(1, 5).astype("int64")
    return rows.assign(points=points, side=kind, even=rows["item"] % 2, unit=rows["form"] % 6)


@functools.cache
def judged() -> pd.DataFrame:
    """Three raters of thirty departments: one hard, one with ties, all agree by and large."""
    rng = np.random.default_rng(63)
    rows = pd.DataFrame([(t, r) for t in range(30) for r in range(3)], columns=["unit", "who"])
    points = (
        rng.normal(3, 1.2, 30)[rows["unit"]] - 0.6 * (rows["who"] == 2) + rng.normal(0, 0.4, 90)
    )
    points = points.where(rows["who"] != 1, points.round(-0) // 2 * 2)
    return rows.assign(points=points.round().clip(1, 5).astype("int64"))


@functools.cache
def example() -> Study:
    return read_study(ROOT / "data" / "pilot")


@functools.cache
def steered() -> dict[str, pd.DataFrame]:
    """The log and the deadlines of the example, one department steering in each way."""
    study = example()
    events, services = study.event, study.service
    units = services["provider_id"].value_counts().index
    unit = events["service_id"].map(services.set_index("service_id")["provider_id"])
    closed = events[(events["action"] == "close") & (unit == units[0])].iloc[::5]
    first = events[unit == units[1]].drop_duplicates("case_id").iloc[::6]
    begun = first.assign(case_id="旧" + first["case_id"], at=first["at"] - pd.Timedelta(hours=2))
    gone = begun.assign(
        seq=begun["seq"] + 1, action="withdraw", at=begun["at"] + pd.Timedelta(hours=1)
    )
    twins = events[events["case_id"].isin(events.loc[unit == units[2], "case_id"].unique()[::5])]
    twins = twins.assign(case_id="双" + twins["case_id"], at=twins["at"] + pd.Timedelta(minutes=4))
    again = events[(events["action"] == "deliver") & (unit == units[3])].iloc[::4]
    due = study.commitment
    of = due["case_id"].map(events.drop_duplicates("case_id").set_index("case_id")["service_id"])
    whose = of.map(services.set_index("service_id")["provider_id"])
    own = due[(whose == whose.value_counts().index[0]) & (due["rev"] == 0)].iloc[::2]
    put_off = own.assign(
        rev=9, agreed_at=own["due_at"], due_at=own["due_at"] + pd.Timedelta(days=5)
    )
    return {
        "events": pd.concat([
            events, closed.assign(seq=closed["seq"] + 1, action="deliver", step_no=1), begun, gone, twins,
            again.assign(seq=again["seq"] + 90, at=again["at"] + pd.Timedelta(minutes=30)),
        ], ignore_index=True),
        "services": services,
        "commitments": pd.concat([due, put_off], ignore_index=True),
    }  # fmt: skip


@functools.cache
def votes() -> pd.DataFrame:
    """Ratings of the survey under the names that the checks of steering know."""
    names = {"who": "rater_key", "own": "rater_unit_id", "unit": "target_id", "points": "score",
             "time": "submitted_at", "item": "item_id"}  # fmt: skip
    rows = survey().rename(columns=names)
    top = rows["rater_unit_id"].isin(["甲", "乙"]) & rows["target_id"].isin(["甲", "乙"])
    late = (rows["rater_unit_id"] == "丙") & (rows["wave"] < 4) & (rows["rater_key"] % 2 == 0)
    day = pd.Timestamp("2026-01-20") + pd.to_timedelta(30 * rows["wave"], unit="D")
    moved = rows["submitted_at"].where(~late, day)
    score = rows["score"].where(~top, 5).where(~late, (rows["score"] - 2).clip(1))
    return rows.assign(score=score, submitted_at=moved)[
        ["rater_key", "rater_unit_id", "target_id", "wave", "item_id", "score", "submitted_at"]
    ]


# By question: the name of the metric, the data, its other arguments, and what is asked beside the plain
# question.
def calls() -> dict[str, list[tuple[str, pd.DataFrame, dict[str, object], tuple[str, ...]]]]:
    scale = {"person": "form", "item": "item", "score": "points"}
    thing = {**RATED, "item": "item"}
    first = survey().query("wave == 1")
    model = {"formula": "points ~ unit * who", "object": "unit"}
    units = {"rater_unit": "own"}
    sides = {"rater_group": "line", "target_group": "side"}
    seen = {"mode": "mode"}
    rated = {**RATED, "wave": "wave"}
    spent = {"seconds": "seconds", "dimension": "theme"}
    found = {
        "verify": [
            ("formality", survey(), {**FORM, "time": "time"}, ("{'time': None}", "missing")),
            ("formality", flat(), FORM, ("missing",)),
            ("formality", first, FORM, ("fewer",)),
            ("formality", late(), FORM, ("{'wave': None}",)),
            ("careless", survey(), {**FORM, **spent}, ()),
            ("careless_raters", survey(), {**FORM, **spent}, ()),
            ("careless", turned(), FORM, ("{'wave': None}",)),
            ("centrality", survey(), {**FORM, "scale": (1, 5)}, ("missing",)),
            ("centrality", turned(), FORM, ()),
            ("collusion", survey(), {**FORM, **units}, ("missing", f"{sides}")),
            ("drift", survey(), FORM, ("missing",)),
            ("halo", turned(), FORM, ("{'wave': None}",)),
            ("facets", turned(), thing,
             ("missing", "fewer", "{'item': None}", "{'interaction': ('unit', 'who')}",
              "{'interaction': ('who', 'item')}",
              "{'method': 'joint_corrected'}", "{'method': 'marginal'}")),
            ("facets", apart(), thing, ("{'method': 'marginal'}",)),
            ("facets", flat().query("wave == 1"), thing, ()),
            ("impact", survey(), {**FORM, **units, "side": ("line", "side"), **seen}, ("fewer",)),
            ("in_group", survey(), {**FORM, **sides}, ("missing",)),
            ("mode_effect", survey(), {**FORM, **seen}, ("{'stratum': 'own'}", "missing")),
            ("reciprocity", survey(), {**FORM, **units}, (f"{sides}", "missing")),
            ("severity", survey(), rated, ("missing",)),
            ("severity", apart(), RATED, ("fewer",)),
            ("gaming", votes(), steered(), ("{'events': None}", "{'commitments': None}", "missing")),
            ("alpha", answers(), scale, ("{'correlations': 'polychoric'}", "missing")),
            ("omega", answers(), scale, ("{'factors': 2}", "{'fit': 'ml', 'factors': 2}")),
            ("split_half", answers(), scale, ("missing",)),
            ("structure", answers(), scale,
             ("{'dimension': 'side', 'target': 'unit'}", "{'dimension': 'even'}")),
            ("straight_lining", survey(), {k: scale.get(k, k) for k in ("form", "item", "score", "wave")},
             ("{'wave': None}",)),
            ("icc", judged(), RATED, ("fewer",)),
            ("agreement", judged(), RATED, ("{'weights': 'nominal'}", "{'weights': 'quadratic'}")),
            ("kendall_w", judged(), RATED, ("fewer",)),
            ("reportable", first, thing, ("fewer", "missing")),
            ("aggregation", first, {**thing, "scale": (1.0, 5.0)}, ("missing",)),
            ("generalizability", first, model, ("missing",)),
            ("d_study", first, {**model, "sizes": {"who": [3, 30]}}, ("missing",)),
        ],
        "score": [
            ("adjust", survey(), {**rated, **seen}, ("{'mode': None}", "{'wave': None}", "missing")),
            ("adjust", apart(), RATED, ("fewer",)),
        ],
    }  # fmt: skip
    study = example()
    book = {
        "services": study.service, "steps": study.get("step"), "calendar": study.get("calendar"),
        "commitments": study.get("commitment"), "timezone": study.settings.timezone,
    }  # fmt: skip
    by = ("{'by': None}",)
    more = {
        "automatic": (), "duration": ("{'of': 'gap'}",), "first_pass": by, "log_check": (), "loops": by,
        "on_time": by, "reasons": (), "rejections": by, "requester_input": by, "responsibility": (),
        "returns": by, "shortening": by, "standardised": ("{'by': 'service_id', 'mix': ()}",),
        "survival": by, "time_ratio": by, "time_use": (), "volume": by,
    }  # fmt: skip
    found["measure"] = [(name, study.event, book, asked) for name, asked in more.items()]
    found["design"] = [("promote", study.event, book, ())]
    return found
