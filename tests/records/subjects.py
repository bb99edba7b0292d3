"""Whose answers are on record: every metric with its sample, the tables behind them, the door out."""

from __future__ import annotations

import functools
import importlib
import inspect
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics import measure, privacy, score, verify
from svcmetrics.metric import REGISTRY
from svcmetrics.privacy import Behind, Ledger
from svcmetrics.result import Result
from tests.laws import Sample
from tests.measure import odd_log
from tests.privacy.scenarios import SCALE, Scenario, scenarios
from tests.records import edges, ill

QUESTIONS = ("design", "measure", "rate", "verify", "weigh", "score", "pilot")


@dataclass(frozen=True)
class Subject:
    """A function, a table and the other arguments; ``cases``: all of them, where they are not thought of."""

    function: Callable[..., Any]
    data: pd.DataFrame
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fixed_names: bool = False
    cases: tuple[str, ...] = ()


# More calls than can be thought of from the words of the options.
MORE: dict[str, list[dict[str, Any]]] = {
    "adjust": [{"mode": "wave"}, {"wave": None}],
    "adjust_draws": [{"mode": "wave"}],
    "agreement": [{"categories": (1, 2, 3, 4, 5, 6, 7)}, {"categories": (1, 2)}],
    "aiken_v": [{"scale": (1, 5)}, {"scale": (4, 1)}],
    "alpha": [{"interval": "bootstrap", "missing": "pairwise"}],
    "burden": [{"wave": "plan_id"}],
    "composite": [{"weights": {"按时": 0.4, "退回": 0.35}}, {"weights": {"按时": 1.4, "退回": -0.4, "评分": 0}},
                  {"method": "geometric", "missing": "renormalise"}],
    "critic": [{"better": {"按时": "lower"}}, {"better": {}}],
    "cvi": [{"scale": (1, 5), "relevant_from": 4}],
    "d_study": [{"cost": {"who": 3.0}}, {"fixed": ("who",)}, {"sizes": {"who": [0]}}, {"sizes": {"x": [2]}}],
    "duration": [{"of": "case", "by": None}, {"of": "span"}, {"by": ("service_id", "month")}],
    "effect": [{"season": 12}],
    "facets": [{"item": None}, {"steps": "item"}, {"interaction": ("target", "rater")}],
    "first_pass": [{"by": None}, {"by": "month"}, {"by": ("provider_id", "routine")}],
    "funnel": [{"target": 0.1}, {"kind": "rate", "spread": "factor"}, {"kind": "rate", "spread": "none"}],
    "generalizability": [{"fixed": ("who",)}, {"formula": "points ~ unit"}, {"object": "who"}],
    "icc": [{"interval": "bootstrap", "rng": 5}],
    "log_check": [{"steps": None}, {"timezone": "UTC"}],
    "normalise": [{"method": "z", "standard": None}, {"method": "percentile", "standard": None}],
    "on_time": [{"by": None}, {"by": "month"}, {"by": "nowhere"}],
    "pooled": [{"uncertainty": ("low", "nowhere")}],
    "ranks": [{"uncertainty": ("nowhere", "se")}, {"df": "raters"}],
    "groups": [{"df": "raters"}],
    "superiority": [{"df": "raters"}],
    "returns": [{"by": None}, {"by": ("unit_id", "service_id")}],
    "robustness": [{"limits": {"按时": (0.2, 0.4)}}, {"limits": {"按时": (0.9, 1.0), "退回": (0.9, 1.0)}}],
    "survival": [{"by": None}, {"by": "month"}],
    "time_use": [{"by": None}],
    "volume": [{"by": None}, {"by": ("service_id", "month")}],
}  # fmt: skip


@functools.cache
def subjects() -> dict[str, dict[str, Subject]]:
    """By question and name."""
    samples: dict[str, Sample] = {}
    for question in QUESTIONS:
        importlib.import_module(f"svcmetrics.{question}")
        samples |= importlib.import_module(f"tests.{question}.samples").SAMPLES
    found: dict[str, dict[str, Subject]] = {question: {} for question in QUESTIONS}
    for name, s in samples.items():
        entry = REGISTRY[name]
        subject = Subject(entry.function, s.data, s.arguments, s.fixed_names)
        found[entry.question][name] = subject
    for question, name, function in (
        ("measure", "log_check", measure.cases),
        ("measure", "loops", measure.passages),
        ("verify", "careless", verify.careless_raters),
        ("score", "adjust", score.adjust_draws),
    ):
        s = samples[name]
        found[question][function.__name__] = Subject(function, s.data, s.arguments, s.fixed_names)
    s = samples["composite"]
    names = {k: v for k, v in s.arguments.items() if k != "weights"}
    posts = dict.fromkeys(s.data[s.arguments.get("indicator", "metric")].unique(), (0.0, 100.0))
    found["score"]["normalise"] = Subject(score.normalise, s.data, {**names, "standard": posts})
    found["measure"] |= _odd()
    for word, book in (("ill", ill.calls()), ("edge", edges.calls())):
        for question, named in _of(book, word).items():
            found[question] |= named
    return {**found, "privacy": _doors(samples)}


# A log in which everything happens

# What is asked of it beside the plain question.
_ODD_CALLS: dict[str, tuple[str, ...]] = {
    "automatic": ("{'by': ()}", "{'by': 'unit_id', 'fast': 61}"),
    "cases": ("{'until': '2024-12-31', 'calendar': None}",),
    "duration": ("{'of': 'case', 'by': None}", "{'of': 'span'}", "{'of': 'gap', 'by': 'action'}"),
    "first_pass": ("{'by': None}", "{'by': ('service_id', 'month')}"),
    "from_baseline": ("{'share': 0.8}",),
    "log_check": ("{'steps': None, 'calendar': None}",),
    "loops": ("{'by': None}", "{'by': 'month'}", "{'steps': None, 'services': None}"),
    "on_time": ("{'by': None, 'commitments': None}", "{'by': ('service_id', 'month')}"),
    "passages": ("{'until': '2024-12-31', 'calendar': None}",),
    "reasons": ("{'by': 'service_id', 'rare': 1}", "{'rare': 2}", "{'by': ('unit_id', 'month')}"),
    "rejections": ("{'by': None}", "{'days': 31}", "{'by': 'service_id', 'days': 1}"),
    "requester_input": ("{'by': None}", "{'by': 'requester_unit_id'}", "{'by': ('service_id', 'month')}"),
    "responsibility": ("{'by': ('case_id', 'step_no')}", "{'by': 'output_form', 'after': 'after'}"),
    "returns": ("{'by': None}", "{'by': ('service_id', 'step_no')}", "{'by': ('month', 'provider_id')}",
                "{'steps': None, 'services': None}"),
    "shortening": ("{'by': None, 'since': '2024-09-18'}", "{'by': 'service_id'}"),
    "standardised": ("{'by': 'service_id', 'mix': ()}", "{'mix': ('month', 'output_form')}"),
    "survival": ("{'by': None}", "{'by': 'service_id'}", "{'by': ('month',)}"),
    "time_ratio": ("{'by': None}", "{'by': ('service_id', 'month')}"),
    "time_use": ("{'by': None}", "{'by': 'unit_id'}", "{'by': ('service_id', 'step_no')}"),
    "volume": ("{'by': None}", "{'by': ('service_id', 'month')}"),
}  # fmt: skip


def _odd() -> dict[str, Subject]:
    book = {"services": odd_log.SERVICES, "steps": odd_log.STEPS, "calendar": odd_log.CALENDAR,
            "commitments": odd_log.COMMITMENTS}  # fmt: skip
    found = {}
    for name, calls in _ODD_CALLS.items():
        function = getattr(measure, name)
        taken = inspect.signature(function).parameters
        cases = ("as it is", *(f"as it is {call}" for call in calls), "fewer")
        own = {k: v for k, v in book.items() if k in taken}
        found[f"{name} odd"] = Subject(function, odd_log.EVENTS, own, cases=cases)
    return found


def _of(book: Mapping[str, Sequence[edges.Call]], word: str) -> dict[str, dict[str, Subject]]:
    """The same metric may be asked of several data sets: "severity ill 1", "severity ill 2"."""
    found: dict[str, dict[str, Subject]] = {}
    for question, calls in book.items():
        module = importlib.import_module(f"svcmetrics.{question}")
        named = found.setdefault(question, {})
        for name, data, arguments, more in calls:
            function = getattr(module, name)
            taken = inspect.signature(function).parameters
            asked = (f"as it is {c}" if c.startswith("{") else c for c in more)
            own = {a: v for a, v in arguments.items() if a in taken}
            again = sum(known.startswith(f"{name} {word} ") for known in named)
            named[f"{name} {word} {again + 1}"] = Subject(
                function, data, own, cases=("as it is", *asked)
            )
    return found


# The door out

_ALONE = ("as it is",)
_PUBLISHED = ("icc", "severity", "aggregation", "burden", "aiken_v", "on_time", "groups", "adjust")


def _doors(samples: Mapping[str, Sample]) -> dict[str, Subject]:
    found = {
        f"published {name}": Subject(
            functools.partial(_publish, name), samples[name].data, samples[name].arguments,
            cases=("as it is", "fewer", "as it is {'min_n': 20}", "as it is {'min_n': 4}",
                   "as it is {'count': 'n'}", "as it is {'persons': 4}", "as it is {'persons': 25}"),
        )
        for name in _PUBLISHED
    }  # fmt: skip
    for s in scenarios(1):
        found[f"means {s.name}"] = Subject(
            _means, _one(s), cases=_ALONE if s.kind == "overlaps" else
            (*_ALONE, "fewer", "as it is {'scale': None}", "as it is {'min_computed': 2}"),
        )  # fmt: skip
    rows = ill.survey().query("item == 0 and wave == 1").reset_index(drop=True)
    found |= {
        f"audited {name}": Subject(functools.partial(_audited, name), rows, cases=cases)
        for name, cases in _AUDITED.items()
    }
    found["comments"] = Subject(_comments, _said(), cases=(
        "as it is", "fewer", "missing", "few", "none", "without text", "only unit",
        "as it is {'min_raters': 11}", "as it is {'min_raters': 9}", "as it is {'by': None}",
    ))  # fmt: skip
    return found


_AUDITED = {
    "adjust": ("top points", "lone unit", "few", "as it is {'leaning': [('adjusted', '甲')]}"),
    "groups": ("third", "rare unit", "constant points", "third {'leaning': [('adjusted', '甲')]}"),
    "generalizability": ("first line", "lone unit"),
}  # fmt: skip


def _audited(name: str, data: pd.DataFrame, **how: Any) -> list[Any]:
    """Before and after the last six raters answer, through one ledger."""
    own = {"scale": (1, 5), "weight": None, "by": ["unit"], "decimals": 2}
    own |= {k: how.pop(k) for k in own if k in how}
    with tempfile.TemporaryDirectory() as folder, Ledger.open("record", Path(folder)) as ledger:
        return [
            privacy.publish_audited(
                _asked(name, part), ledger=ledger,
                behind=Behind(part, rater="who", score="points", rating=["wave"], **own), **how,
            )
            for part in (data.query("who < 30"), data)
        ]  # fmt: skip


def _asked(name: str, data: pd.DataFrame) -> Result:
    rated = {"target": "unit", "rater": "who", "score": "points"}
    if name == "generalizability":
        return verify.generalizability(data, "points ~ unit * who", object="unit")
    found = score.adjust(data, **rated)
    if name == "adjust":
        return found
    table = found.table[found.table["variant"] == "adjusted"]
    return score.groups(table, target="unit", uncertainty="se_compare")


def _publish(name: str, data: pd.DataFrame, **arguments: Any) -> Any:
    own = {k: arguments.pop(k) for k in ("min_n", "count", "persons") if k in arguments}
    return privacy.publish(REGISTRY[name].function(data, **arguments), **own)


def _one(scenario: Scenario) -> pd.DataFrame:
    """All releases of a scenario as one table."""
    return pd.concat([r.assign(release=k) for k, r in enumerate(scenario.releases)])


def _means(data: pd.DataFrame, *, scale: Any = SCALE, **floors: Any) -> list[Any]:
    """One release after the other through a ledger of its own."""
    with tempfile.TemporaryDirectory() as folder, Ledger.open("record", Path(folder)) as ledger:
        return [
            privacy.publish_means(
                Behind(release, ["cell"], "rater", "score", scale, ["rating", "version"], "weight"),
                ledger=ledger, **floors,
            )
            for _, release in data.groupby("release")
        ]  # fmt: skip


def _said() -> pd.DataFrame:
    rows = [(u, f"p{i}", f"张晓明第{i}条 Li Lei 13812345678") for u, n in (("人力", 14), ("IT", 10))
            for i in range(n)]  # fmt: skip
    return pd.DataFrame(rows, columns=["unit", "who", "text"])


def _comments(data: pd.DataFrame, **how: Any) -> list[Any]:
    """As they are, and month after month."""
    how = {"text": "text", "rater": "who", "by": "unit", "names": ["张晓明", "Li Lei"]} | how
    with tempfile.TemporaryDirectory() as folder, Ledger.open("record", Path(folder)) as ledger:
        over_time = [
            privacy.publish_comments(part, ledger=ledger, **how) for part in (data.iloc[:-1], data)
        ]
    return [privacy.comments(data, **how), *over_time]
