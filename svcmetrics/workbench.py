"""The analyst's workbench: the questions of ``verify``, put to a study with the columns that it holds."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics import lang, verify
from svcmetrics.display import phrase
from svcmetrics.indicators import rating_scale
from svcmetrics.privacy.labels import label, report_secret
from svcmetrics.problems import InputError
from svcmetrics.result import Finding, Level, Result, estimates
from svcmetrics.showing import Shown
from svcmetrics.study import Study

# Which column of the long ratings a function means by the name of its argument.
_COLUMNS: dict[str, str | tuple[str, str]] = {
    "rater": "rater_key", "target": "target_id", "object": "target_id", "score": "score",
    "item": "item_id", "dimension": "dimension", "strata": "dimension", "wave": "wave",
    "time": "submitted_at", "seconds": "seconds", "mode": "mode", "person": "form", "form": "form",
    "rater_unit": "rater_unit_id", "stratum": "rater_unit_id", "rater_group": "rater_side",
    "target_group": "target_side", "side": ("rater_side", "target_side"),
}  # fmt: skip
# Arguments that are tables of the study.
_TABLES = {"events": "event", "services": "service", "commitments": "commitment"}
# These look at what was ticked, before reversed items are turned round.
_AS_TICKED = ("careless", "straight_lining", "formality", "reportable")
# Without the rater's department these would take raters and departments for the same people.
_ALSO = {"reciprocity": ("rater_unit",), "collusion": ("rater_unit",)}
_KEY = ["wave", "rater_key", "target_id", "item_id"]


class Workbench:
    """The ratings of a study in the three shapes that questions need, and a way to put questions.

    ``ratings``: one row per answer, as ``study.long_ratings()``, with the line of management of
    rater and department (``rater_side``, ``target_side``). What is shown has labels made for this
    page in place of pseudonyms, so that a page can be handed on. ``answers``: the same of the
    last wave. ``forms``: one mean score per wave, rater and department.

    >>> from svcmetrics.simulate import company
    >>> bench = Workbench(company(events=100, ratings=600))
    >>> bench.ask(verify.halo).about["call"][:41]
    'verify.halo(bench.ratings, rater="rater_k'
    """

    def __init__(self, study: Study):
        self.study = study
        long = _with_sides(study.long_ratings(), study)
        self._labels = _labels(study, long)
        self.ratings, self.repeated = _once(long)
        self.answers = _last(self.ratings)
        keys = [c for c in ("wave", "rater_key", "target_id") if long[c].notna().any()]
        about = [c for c in ("rater_unit_id", "mode", "rater_side", "target_side") if c in long]
        grouped = self.ratings.groupby(keys, observed=True, sort=False)
        means = grouped.agg({"score": "mean", "raw_score": "mean", **dict.fromkeys(about, "first")})
        self.forms = means.reset_index()

    def show(self, *questions: Callable[..., Result], figure: bool = True, **given: Any) -> Shown:
        """Put one or more questions and show reading, table and figure, with the call to copy."""
        return self.study.show(*(self.ask(q, **given) for q in questions), figure=figure)

    def ask(self, question: Callable[..., Result], **given: Any) -> Result:
        """One question of ``verify``; ``given`` adds to or replaces what the study's columns say.

        What the study has no data for is answered by a sentence that says what is lacking.
        """
        name, asked = question.__name__, dict(given)
        wanted = inspect.signature(question).parameters
        shape = self._shape(wanted, given)
        data = getattr(self, shape)
        lacking = _lacking(given, data)
        for argument in (a for a in wanted if a in _COLUMNS and a not in given):
            column = _COLUMNS[argument]
            if _held(column, data):
                as_ticked = argument == "score" and name in _AS_TICKED
                asked[argument] = "raw_score" if as_ticked else column
            elif wanted[argument].default is inspect.Parameter.empty or argument in _ALSO.get(
                name, ()
            ):
                lacking.append(column)
        asked |= {k: v for k, v in self._known().items() if k in wanted and k not in given}
        if lacking:
            return _refusal(name, "workbench.lacks", columns=[_in_words(c) for c in lacking])
        try:
            found = question(data, **asked)
        except InputError as error:
            return _refusal(name, "workbench.refused", reason=str(error).split("\n")[0])
        return self._told(found, _call(name, shape, asked))

    def _told(self, found: Result, call: str) -> Result:
        """The result with labels for raters and forms, and with the call behind it."""
        table = found.table
        if "element" in table:  # of facets: departments, items and raters in one column
            table["element"] = [self._labels.get(str(v), v) for v in table["element"]]
        for column in {"rater_key", "form"} & set(table.columns):
            table[column] = [self._labels.get(str(v), v) for v in table[column]]
        findings = [
            Finding(f.key, {k: _relabelled(v, self._labels) for k, v in f.values.items()}, f.level)
            for f in found.findings
        ]
        about = {**found.about, "call": call}
        return Result(about["metric"], table, findings, about, drawing=found._drawing)

    def verdicts(self) -> Result:
        """May each wave be reported, and was it filled in by routine? One row per wave."""
        data = self.ratings
        waves = sorted(data["wave"].dropna().unique()) or [None]
        names: dict[str, Any] = {"target": "target_id", "rater": "rater_key", "score": "raw_score"}
        names |= {"item": "item_id"} if _held("item_id", data) else {}
        found = [verify.reportable(_wave(data, w), **names) for w in waves]
        rows = pd.concat([f.table[f.table["variant"] == "mean_reliability"].head(1) for f in found])
        routine = self.ask(verify.formality).table
        words = _by_wave(routine, "formality", "verdict", waves)
        may = [f.about["verdict"] for f in found]
        table = estimates(
            "mean_reliability", groups={"wave": [w or "" for w in waves]},
            **{k: rows[k].to_numpy() for k in ("estimate", "low", "high", "n")},
            wave_verdict=may, formality_verdict=words, copying=_by_wave(routine, "copying", "estimate", waves),
        )  # fmt: skip
        bad = np.isin(words, ("mechanical", "flat"))
        yes = np.array(may) == "yes"
        said = {"waves": len(waves), "yes": int(yes.sum()), "routine": int(bad.sum()),
                "both": int((yes & ~bad).sum())}  # fmt: skip
        level: Level = "note" if said["both"] == len(waves) else "warning"
        reading = [Finding("workbench.verdicts", said, level)]
        about = {"dropped": {}, "method": "verify.reportable, verify.formality", "figure": "none"}
        return Result("verdicts", table, reading, about)

    @property
    def wave_ends(self) -> dict[str, Any]:
        """The last moment of each wave, from study.toml."""
        return {w.id: w.end for w in self.study.settings.waves}

    def _known(self) -> dict[str, Any]:
        """What the study says besides the columns of its ratings; only what it holds."""
        settings = self.study.settings
        out = {k: self.study.get(t) for k, t in _TABLES.items() if self.study.has(t)}
        out["scale"] = rating_scale(self.study)
        if self.wave_ends:
            out["wave_ends"] = self.wave_ends
        if settings.pilot_from is not None:
            out["since"] = f"{settings.pilot_from:%Y-%m-%d}"
        return out

    def _shape(self, wanted: Any, given: dict[str, Any]) -> str:
        """Which of the three frames a function needs, read off the names of its arguments."""
        if "events" in wanted:
            return "ratings"
        spoken = f"{given.get('formula', '')} {given.get('strata', '')}"
        if not {"item", "person", "form", "strata"} & set(wanted) and "item_id" not in spoken:
            return "forms" if "wave" in wanted else "last_forms"
        return "ratings" if "wave" in wanted else "answers"

    @property
    def last_forms(self) -> pd.DataFrame:
        """The forms of the last wave."""
        return _last(self.forms)


def _with_sides(long: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The line of management of rater and department; a unit at the top is a line of its own."""
    unit = study.get("unit")
    if unit is None or "parent_id" not in unit:
        return long
    side = unit["parent_id"].fillna(unit["unit_id"]).set_axis(unit["unit_id"].astype("str"))
    for column, of in (("rater_side", "rater_unit_id"), ("target_side", "target_id")):
        long[column] = long[of].map(side)
    return long


def _labels(study: Study, long: pd.DataFrame) -> dict[str, str]:
    """Labels for raters and forms, made for these ratings: no other report has the same ones."""
    total = pd.util.hash_pandas_object(long, index=False).sum()
    secret = report_secret(study.settings.name, {"ratings": str(total)})
    out: dict[str, str] = {}
    for column, kind in (("rater_key", "R-"), ("form", "F-")):
        keys = long[column].dropna().astype("str").unique()
        out |= {k: label(kind, k, secret) for k in keys}
    # A bare number in a sentence may be a count.
    return {k: v for k, v in out.items() if not k.isdigit()}


def _relabelled(value: Any, labels: dict[str, str]) -> Any:
    """The same words with labels for pseudonyms and numbers of forms."""
    if isinstance(value, str):
        return re.sub(r"\w+", lambda m: labels.get(m[0], m[0]), value)
    if isinstance(value, (list, tuple)):
        return [_relabelled(v, labels) for v in value]
    return value


def _once(long: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """One answer per wave, rater, department and item: the mean where a rater answered for several cases."""
    kept = long.dropna(subset=["rater_key", "target_id"])
    again = kept.duplicated(_KEY)
    if not again.any():
        return kept.reset_index(drop=True), 0
    means = kept.groupby(_KEY, dropna=False, observed=True, sort=False)["score"].transform("mean")
    last = ~kept.duplicated(_KEY, keep="last")
    return kept.assign(score=means)[last].reset_index(drop=True), int(again.sum())


def _last(frame: pd.DataFrame) -> pd.DataFrame:
    if "wave" not in frame or frame["wave"].isna().all():
        return frame
    return _wave(frame, frame["wave"].max())


def _wave(frame: pd.DataFrame, wave: Any) -> pd.DataFrame:
    return frame if wave is None else frame[frame["wave"] == wave]


def _held(column: str | tuple[str, str], data: pd.DataFrame) -> bool:
    names = (column,) if isinstance(column, str) else column
    return all(n in data and data[n].notna().any() for n in names)


def _lacking(given: dict[str, Any], data: pd.DataFrame) -> list[Any]:
    """Columns that the caller's own words speak of and that hold nothing."""
    known = {
        c for value in _COLUMNS.values() for c in ((value,) if isinstance(value, str) else value)
    }
    spoken = " ".join(str(v) for v in given.values())
    return [
        c for c in dict.fromkeys(re.findall(r"\w+", spoken)) if c in known and not _held(c, data)
    ]


def _in_words(column: str | tuple[str, str]) -> str:
    names = (column,) if isinstance(column, str) else column
    return lang.say("workbench.joint").join(
        phrase(f"column.any.{n}", phrase(f"header.{n}", n)) for n in names
    )


def _refusal(name: str, key: str, **values: Any) -> Result:
    about = {"dropped": {}, "method": "none"}
    values["question"] = phrase(f"metric.{name}", name)
    return Result(name, estimates(name, n=0), [Finding(key, values, "refused")], about)


def _call(name: str, shape: str, asked: dict[str, Any]) -> str:
    own = {k: f"study.{t}" for k, t in _TABLES.items()} | {"wave_ends": "bench.wave_ends"}
    told = ", ".join(
        f"{k}={own[k]}" if k in own else f"{k}={v!r}".replace("'", '"') for k, v in asked.items()
    )
    return f"verify.{name}(bench.{shape}, {told})"


def _by_wave(table: pd.DataFrame, metric: str, column: str, waves: list[Any]) -> list[Any]:
    rows = table[(table["metric"] == metric) & table["variant"].isin(["", "targets"])]
    if column not in rows or not len(rows):
        return [np.nan] * len(waves)
    by = rows[column].set_axis(rows["wave"] if "wave" in rows else [None] * len(rows))
    return [by.get(w, np.nan) for w in waves]
