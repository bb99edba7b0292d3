"""Small tables by hand, most of what they hold exactly at a limit, and options that no sample asks for.

What the metrics say of them is on record; whether it is right, the tests of each metric show.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics import verify
from tests.records import ill

Call = tuple[str, pd.DataFrame, dict[str, Any], tuple[str, ...]]


def scored() -> pd.DataFrame:
    """Twelve departments: ties, an error of nought, too few raters, a score and an error missing."""
    score = [3.0, 3.0, 3.5, 4.2, 2.1, 3.9, 3.9, 4.6, 1.5, np.nan, 3.3, 2.8]
    error = [0.1, 0.1, 0.0, 0.3, 0.25, 0.05, 0.05, 0.2, 0.4, 0.1, np.nan, 0.15]
    raters = [5, 4, 9, 10, 30, 2, 40, 11, 1, 20, 20, 6]
    return pd.DataFrame({
        "unit": [*"甲乙丙丁戊己庚辛壬癸子丑"], "score": score, "se": error, "raters": raters,
        "lo": np.array(score) - 1.5 * np.array(error), "hi": np.array(score) + 2.5 * np.array(error),
        "df": np.array(raters) - 1.0, "zero": 0.0,
    })  # fmt: skip


def draws(units: list[str], n: int = 400) -> pd.DataFrame:
    """Scores drawn together: the first two move as one."""
    out = np.random.default_rng(71).normal(3, 0.2, (n, len(units))) + np.linspace(0, 1, len(units))
    out[:, 1] = out[:, 0] + 0.01
    return pd.DataFrame(out, columns=units)


def points(**rows: tuple[Any, ...]) -> pd.DataFrame:
    """Points of departments on a, b, c with limits; a number alone has none, None is missing."""
    return pd.DataFrame(
        [(unit, name, *(v if isinstance(v, tuple) else (v, None, None)))
         for unit, own in rows.items() for name, v in zip("abc", own) if v != "no row"],
        columns=["target_id", "metric", "estimate", "low", "high"],
    ).astype({"estimate": float, "low": float, "high": float})  # fmt: skip


POINTS = points(
    甲=((0.0, 0.0, 5.0), (100.0, 90.0, 100.0), 50.0), 乙=((60.0, 55.0, 70.0), None, (40.0, 30.0, 41.0)),
    丙=((60.0, 60.0, 60.0), (20.0, 10.0, 35.0), "no row"), 丁=(None, None, None),
    戊=((99.0, 95.0, 100.0), (99.0, 90.0, 100.0), (99.0, 98.0, 99.5)), 己=(30.0, 30.0, 30.0),
)  # fmt: skip
THREE = {"weights": {"a": 0.5, "b": 0.3, "c": 0.2}}


def plan() -> pd.DataFrame:
    """Two waves: the first falls into two parts and one rater alone, the second is whole."""
    rows = [(1, r, t) for r, ts in (("r1", "AB"), ("r2", "AB"), ("r3", "B"), ("r4", "CD"), ("r5", "CD"),
                                    ("r6", "E")) for t in ts]  # fmt: skip
    rows += [(2, f"r{k}", t) for k in range(1, 13) for t in "ABCDEF" if (k + ord(t)) % 4]
    return pd.DataFrame(rows, columns=["round", "who", "whom"]).assign(form=range(len(rows)))


def panel(*columns: str) -> pd.DataFrame:
    """Items judged by a panel, one word of marks each; "." where a judge says nothing."""
    rows = [(f"i{k}", f"j{j}", int(mark)) for k, word in enumerate(columns)
            for j, mark in enumerate(word) if mark != "."]  # fmt: skip
    table = pd.DataFrame(rows, columns=["item_id", "judge_key", "relevance"])
    return table.assign(side=np.where(table["judge_key"].isin(["j0", "j1", "j2"]), "a", "b"))


def monthly(*counts: int, size: int = 100, from_: int = 0) -> pd.DataFrame:
    n = len(counts)
    return pd.DataFrame({
        "month": pd.period_range("2024-01", periods=n, freq="M").astype(str), "t": range(1, n + 1),
        "back": counts, "all": [size + 7 * (k % 3) for k in range(n)],
        "pilot": [int(k >= (from_ or n // 2)) for k in range(n)], "hours": [c / 4 for c in counts],
        "phase": ["a" if k < n // 2 else "b" for k in range(n)],
    })  # fmt: skip


STEADY = (12, 9, 11, 10, 13, 8, 10, 12, 9, 11, 10, 9, 14, 10, 11, 9, 10, 12, 8, 11, 10, 13, 9, 10)
FALLEN = (20, 22, 19, 21, 24, 18, 20, 22, 21, 20, 19, 23, 8, 9, 7, 11, 8, 10, 9, 7, 8, 10, 9, 8)
RISING = tuple(range(4, 28))
WILD = (10, 11, 9, 10, 30, 10, 9, 11, 2, 10, 10, 10, 11, 12, 13, 14, 15, 16, 17, 9, 9, 9, 9, 9)

EVIDENCE = pd.DataFrame(
    [("a", 0.8, 0.8, 0.9, 10), ("b", 0.5, 0.4, 0.8, 10), ("c", 0.8, 0.7, 0.9, 0), ("d", 3.0, 2.0, 3.0, 5),
     ("e", 3.0, 3.0, 4.0, 5), ("f", np.nan, np.nan, np.nan, 0), ("g", 0.5, np.nan, np.nan, 7),
     ("h", 4.0, 3.5, 5.0, None)],
    columns=["metric", "estimate", "low", "high", "n"],
)  # fmt: skip
CRITERIA = {"a": {"at_least": 0.8}, "b": {"at_least": 0.8}, "c": {"at_least": 0.8}, "d": {"at_most": 3.0},
            "e": {"at_most": 3.0}, "f": {"at_least": 1}, "g": {"at_least": 0.5}, "h": {"at_most": 3.0},
            "nowhere": {"at_least": 0.1}}  # fmt: skip


def _score() -> list[Call]:
    own = {"target": "unit", "estimate": "score", "uncertainty": "se", "n": "raters"}
    asked = ("{'level': 0.5}", "{'level': 0.9}", "{'level': 0.49}", "{'level': 1}", "{'df': 'df'}", "few",
             "one", "none", "third", "doubled", "{'uncertainty': ('lo', 'hi')}", "{'uncertainty': 'zero'}",
             "{'uncertainty': ('lo', 'hi', 'se')}", "tied score", "constant score", "backwards",
             "minus se", "minus df {'df': 'df'}", "nought raters", "most", "empty score")  # fmt: skip
    some = scored().dropna()
    together = {**own, "uncertainty": draws(some["unit"].tolist())}
    short = {**own, "uncertainty": draws(some["unit"].tolist()[1:])}
    few = {**own, "uncertainty": draws(some["unit"].tolist(), 99)}
    found: list[Call] = []
    for name in ("groups", "superiority", "ranks"):
        found += [(name, scored(), own, asked), (name, some, together, ("few", "one", "most")),
                  (name, some, short, ("few",)), (name, some, few, ())]  # fmt: skip
    ways = ("{'method': 'geometric'}", "{'method': 'minimum'}", "{'missing': 'renormalise'}",
            "{'method': 'geometric', 'missing': 'renormalise'}", "{'weights': {'a': 1.0, 'b': 0, 'c': 0}}",
            "{'weights': {'a': 1, 'b': 1, 'c': 1}}", "{'weights': {'a': 0.5, 'b': 0.5}}", "few", "one", "none",
            "{'weights': {'a': 0, 'b': 0, 'c': 0}}", "gone estimate", "gone low", "doubled", "tenfold estimate",
            "minus estimate", "backwards", "constant metric", "first metric")  # fmt: skip
    plain = tuple(w for w in ways if "method" not in w and "missing" not in w)
    found += [(name, data, THREE, asked)
              for name, asked in (("composite", ways), ("contributions", plain))
              for data in (POINTS, POINTS.dropna())]  # fmt: skip
    posts = {"standard": {"a": (0.0, 60.0), "b": (99.0, 20.0), "c": (30.0, 99.0)}}
    better = {"better": {"a": "lower", "b": "higher", "c": "lower"}}
    told = ("few", "one", "none", "gone estimate", "gone low", "constant estimate", "tied estimate", "doubled",
            "{'better': {'a': 'lower'}}", "{'better': {'a': '?'}}", "{'standard': {'a': (1, 1)}}")  # fmt: skip
    found += [("normalise", POINTS, {**posts, "method": "goalposts"}, told)]
    many = pd.DataFrame(
        [(f"部{k}", m, x, x - 4 - k % 3, x + 5) for k in range(12)
         for m, x in (("a", (k * 7) % 10 * 9.0), ("b", 50.0 + k // 3), ("c", 0.5 * k * k))],
        columns=["target_id", "metric", "estimate", "low", "high"],
    )  # fmt: skip
    found += [("normalise", many, {**better, "method": m, "standard": s}, told[:-1])
              for m in ("z", "percentile") for s in (None, many.iloc[3:])]  # fmt: skip
    nine = many[many["target_id"] != "部11"]
    found += [("normalise", nine[nine["target_id"] != "部10"], {**better, "method": "z"}, ()),
              ("normalise", nine, {**better, "method": "z"}, ()),
              ("normalise", many, {**better, "standard": posts["standard"], "method": "z"}, ())]  # fmt: skip
    rated = {**ill.RATED, "wave": "wave"}
    early, later = ill.survey().query("wave < 3"), ill.survey().query("wave > 2 and item < 2")
    severe = verify.severity(early, **rated).table  # type: ignore[arg-type]
    found += [("adjust", later, {**rated, "severity": s}, ("few", "third", "{'wave': None}"))
              for s in (severe, severe.iloc[::2], severe.iloc[:0])]  # fmt: skip
    return found


def _rate() -> list[Call]:
    own = {"rater": "who", "target": "whom", "wave": "round"}
    whole = ("{'wave': None}", "few", "one", "none", "third", "doubled", "first round", "last round",
             "two whom", "two who", "lone whom", "rare whom", "gone who", "not whom")  # fmt: skip
    more = tuple(f"{{'{k}': {v}}}" for k, v in (("response", 0), ("response", 1.1), ("response", 0.5),
                 ("sd", 0), ("sd", 2.5), ("sd", -1)))  # fmt: skip
    caps = tuple(f"{{'{k}': {v}}}" for k, v in (("cap", 0), ("cap", 1), ("cap", 2), ("cap", 5),
                 ("minutes", 0), ("minutes", -1), ("minutes", 10)))  # fmt: skip
    forms = pd.DataFrame({
        "form": range(16), "w": [1, 2] * 8,
        "seconds": [0, 1, 59, 60, 61, 180, 180, 181, 300, 3599, 3600, 3601, np.nan, 90, 90, 100],
    })  # fmt: skip
    asked, back = plan(), plan().assign(extra=1).query("form % 3 > 0")
    late = pd.concat([back, back.head(2).assign(form=999)])
    return [
        ("connectivity", plan(), own, whole), ("load", plan(), own, (*whole, *caps)),
        ("precision", plan(), own, (*whole, *more)),
        ("burden", forms, {"form": "form", "seconds": "seconds"},
         ("{'wave': 'w'}", "few", "one", "none", "doubled", "minus seconds", "constant seconds",
          "gone seconds {'wave': 'w'}", "first w {'wave': 'w'}")),
        *[("response", asked, {"ratings": r, "form": "form", "wave": "round"},
           ("{'wave': None}", "few", "one", "none", "doubled", "gone round", "last round"))
          for r in (back, late, back.iloc[:0], asked)],
    ]  # fmt: skip


def _pilot() -> list[Call]:
    own = {"criteria": CRITERIA, "value": ("estimate", "low", "high")}
    gates = (
        "few",
        "none",
        "gone estimate",
        "gone low",
        "doubled",
        "minus estimate",
        "nought n",
        "empty n",
    )
    late = {
        "before": {**CRITERIA, "a": {"at_least": 0.9}, "b": {"at_most": 0.8}},
        "since": "2026-01",
    }
    only = {k: CRITERIA[k] for k in "ad"}
    series = {"count": "back", "exposure": "all", "time": "t", "after": "pilot"}
    asked = ("{'exposure': None}", "{'season': 1}", "{'season': 4}", "few", "none", "third", "backwards",
             "nought back", "constant back", "doubled", "constant pilot", "nought all")  # fmt: skip
    return [
        ("gate", EVIDENCE, own, gates), ("gate", EVIDENCE, {**own, **late}, gates),
        ("gate", EVIDENCE, {**own, "criteria": only}, ()), ("gate", EVIDENCE, {**own, "criteria": {}}, ()),
        ("gate", EVIDENCE, {**own, "criteria": {k: CRITERIA[k] for k in "bh"}}, ()),
        *[("effect", monthly(*c), series, asked) for c in (STEADY, FALLEN, RISING, WILD)],
        *[("effect", monthly(*FALLEN[8:k]), series, ()) for k in (14, 15, 16, 17, 18)],
    ]  # fmt: skip


def _design() -> list[Call]:
    marks = ("44444", "44443", "33344", "43210", "22222", "11111", "4444.", "1144.", "3....")
    big = panel("4444444444", "4444433333", "4443332221", "1122334412", "1111111111", "2222233333")
    asked = ("few", "one", "none", "third", "gone relevance", "doubled", "first item_id", "not judge_key",
             "two judge_key", "three judge_key", "backwards", "first judge_key")  # fmt: skip
    relevant = tuple(f"{{'relevant_from': {v}}}" for v in (1, 2, 4, 5, 0))
    scales = ("{'scale': (1, 5)}", "{'scale': (0, 4)}", "{'scale': (4, 1)}", "{'scale': (2, 4)}")
    found: list[Call] = []
    for table in (panel(*marks[:3]), panel(*marks), big, panel(*(m[:3] for m in marks))):
        zero = table.assign(relevance=table["relevance"].clip(1))
        found += [
            ("cvi", zero, {}, (*asked, *relevant, *scales)), ("cvr", table, {"essential": (4,)}, asked),
            ("cvr", table, {"essential": (4, 3, 2)}, ()),
            ("aiken_v", zero, {}, (*asked, *scales, "{'panel': 'side'}", "not judge_key {'panel': 'side'}",
                                   "third {'panel': 'side'}", "first side {'panel': 'side'}")),
        ]  # fmt: skip
    return found


def _measure() -> list[Call]:
    rows = pd.concat(
        [monthly(*c).assign(unit=u) for u, c in zip("甲乙丙丁", (STEADY, FALLEN, RISING, WILD))]
    )
    charts = tuple(
        f"{{'chart': '{c}', 'size': {s!r}, 'value': '{v}'}}"
        for c, s, v in (("u", "all", "back"), ("xmr", None, "hours"), ("p", "all", "back"), ("c", None, "back"),
                        ("i", None, "hours"), ("p", None, "back"), ("xmr", "all", "hours"))
    )  # fmt: skip
    asked = ("{'by': None}", "{'phase': 'phase'}", *charts, "few", "third", "nought back", "constant back",
             "gone back", "first unit", "last unit {'phase': 'phase'}", "none", "one", "tenfold back",
             "backwards", "last unit {'chart': 'u'}")  # fmt: skip
    counts = pd.DataFrame({
        "unit": [*"甲乙丙丁戊己庚辛"], "late": [0, 5, 10, 30, 9, 1, 40, 12],
        "cases": [20, 50, 100, 60, 90, 1, 400, 120],
    })  # fmt: skip
    ways = tuple(f"{{'kind': '{k}', 'spread': '{s}'}}" for k in ("share", "rate")
                 for s in ("between", "factor", "none"))  # fmt: skip
    funnels = (*ways, "{'target': 0.1}", "{'target': 0}", "{'target': 1}", "{'target': -0.1}",
               "{'target': 0.2, 'kind': 'rate'}", "few", "one", "none", "third", "nought cases", "nought late",
               "gone late", "doubled", "constant late", "tenfold late", "minus late", "not unit",
               "nought late {'kind': 'rate', 'spread': 'factor'}", "two unit", "three unit")  # fmt: skip
    same = counts.assign(late=[2, 5, 10, 6, 9, 0, 40, 12])
    return [
        ("control", rows, {"value": "back", "size": "all", "by": "unit"}, asked),
        *[("funnel", c, {"group": "unit", "count": "late", "size": "cases"}, funnels) for c in (counts, same)],
    ]  # fmt: skip


def _verify() -> list[Call]:
    first = ill.survey().query("wave == 1")
    thing: dict[str, Any] = {**ill.RATED, "item": "item"}
    small = first.query("who % 3 == 0 and item < 3").reset_index(drop=True)
    small = small.assign(
        times=np.where(small["who"] < 18, 1.0, np.where(small["who"] < 30, 0.5, 0.0))
    )
    held: dict[str, Any] = {"unit": {"甲": -1.0, "己": 1.0}}
    base = {"formula": "points ~ unit * who", "object": "unit", "strata": "theme"}
    whole = first.groupby(["unit", "who", "theme"], as_index=False)["points"].mean()
    kinds = {"linked": ["who"], "sizes": {"who": 12}, "weights": {"快": 0.7, "好": 0.3}}
    straight = {"form": "form", "item": "item", "score": "points"}
    mixed = ill.survey().query("who < 9").assign(place=lambda d: (d["item"] * 5 + d["who"]) % 6)
    scale: dict[str, Any] = {"person": "form", "item": "item", "score": "points"}
    holed = ill.answers()
    holed = holed.assign(points=holed["points"].where((holed["form"] * 7 + holed["item"]) % 11 > 0))
    return [
        ("facets", small, {**thing, "weight": "times"},
         ("{'weight': None}", "minus times", "{'item': None}", "{'steps': 'item'}")),
        ("facets", small, {**thing, "anchors": held},
         ("{'anchors': {'unit': {'甲': 0.0}}}", "{'anchors': {'unit': {'?': 0.0}}}", "{'method': 'marginal'}",
          "{'anchors': {'who': {0: 0.5}}}")),
        ("drift", ill.survey().query("item < 2"), {**ill.FORM, "time": "time"},
         ("{'item': None}", "gone time", "third", "two wave", "three wave", "{'time': None}")),
        ("icc", whole.groupby(["unit", "who"], as_index=False)["points"].mean().assign(
            own=lambda d: d["who"] // 6), {**ill.RATED, "rater_unit": "own"},
         ("third", "few", "two unit", "two who", "{'interval': 'bootstrap'}", "gone points", "gone own")),
        ("straight_lining", mixed, {**straight, "wave": "wave", "order": "place"},
         ("{'order': None}", "gone points", "gone place", "third", "first form")),
        ("formality", ill.survey().query("wave < 4 and item < 4").assign(
            news=lambda d: d["unit"].isin(["甲", "丁"]) | (d["wave"] == 2)), {**ill.FORM, "changed": "news"},
         ("gone news", "two wave")),
        ("omega", holed, {**scale, "missing": "pairwise"},
         ("{'missing': 'listwise'}", "{'missing': 'pairwise', 'factors': 2}", "third", "few")),
        ("structure", holed, {**scale, "dimension": "side"}, ("{'missing': 'pairwise'}",)),
        ("generalizability_composite", whole, {**base, **kinds},
         ("{'sizes': None}", "{'weights': {'快': 1.0}}", "{'weights': {'快': 0, '好': 0}}", "first theme",
          "{'weights': {'快': -1, '好': 2}}", "{'sizes': {'who': 0}}", "{'sizes': {'x': 3}}")),
    ]  # fmt: skip


@functools.cache
def calls() -> dict[str, list[Call]]:
    """As in ``ill.calls``."""
    return {"score": _score(), "rate": _rate(), "pilot": _pilot(), "design": _design(),
            "measure": _measure(), "verify": _verify()}  # fmt: skip
