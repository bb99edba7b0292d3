"""Results of a study through the one door out: which ratings stand behind which table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from svcmetrics.display import phrase
from svcmetrics.indicators import dimension_weights, form_parts
from svcmetrics.metric import REGISTRY
from svcmetrics.naming import names
from svcmetrics.privacy import (
    Behind,
    Ledger,
    Published,
    publish,
    publish_audited,
    publish_comments,
)
from svcmetrics.privacy.audited import COMPUTED
from svcmetrics.privacy.leaning import MEAN, leaning
from svcmetrics.privacy.means import ask
from svcmetrics.privacy.spread import may_tell_spread
from svcmetrics.problems import Problem, StudyError
from svcmetrics.result import Finding, Result
from svcmetrics.study import Study

# Tables that speak of the scores of forms; the others of ratings are audited from counts alone.
_SCORES = ("adjust", "composite", "groups", "ranks", "contributions")
# Results that rest on the last wave alone.
_LAST_WAVE = ("reliability",)
# Where the evidence for a criterion is shown: the last row of its own metric there.
_EVIDENCE = {
    "phi": "reliability", "formality": "formality", "copying": "formality", "response": "response",
}  # fmt: skip
_OF_RATINGS = ("raters", "spread", "ratings")
# Decimals of the share of a dimension in a form, as it is audited.
_SHARE = 4


def published(study: Study, results: Mapping[str, Result]) -> dict[str, Published]:
    """Every result through the one door out, at the study's own group size and beside its ledger.

    ``results``: as ``assess`` gives them, with names in the current language. The ledger of the study
    lies beside its key. Cells that were published before are free: the same report gives the same
    tables. The group sizes of ``study.toml`` are locked for every wave that has begun.
    """
    least = study.settings.min_raters
    if not study.has("rating"):
        return {name: publish(r, min_n=least) for name, r in results.items()}
    ratings = study.long_ratings()
    scores, answers = _scores(study, results, ratings), _answers(study, ratings)
    with Ledger.open(study.settings.name) as ledger:
        ledger.lock(_opened(study, ratings), raters=least, comments=study.settings.min_comments)
        lean = _leaning(results, scores, ledger, least)
        spread = may_tell_spread(ledger, scores, least)
        out: dict[str, Published] = {}
        for name, result in results.items():
            if name == "gate":
                out[name] = publish(result, min_n=least, persons=_told_elsewhere(result, out))
                continue
            metric = str(result.about["metric"])
            entry = REGISTRY.get(metric)
            if entry is None or entry.behind not in _OF_RATINGS:
                out[name] = publish(result, min_n=least)
                continue
            behind, quantity = (scores, "score") if metric in _SCORES else (answers, "answers")
            if name in _LAST_WAVE:
                behind = _last_wave(answers)
            out[name] = publish_audited(
                result, behind=behind, ledger=ledger, min_n=least, quantity=quantity,
                leaning=lean.get("groups" if metric == "groups" else "scores"), spread=spread,
            )  # fmt: skip
            if metric == "adjust" and "refused" in lean:
                told = Finding("publish.too_large", {}, "warning")
                out[name] = replace(out[name], findings=(*out[name].findings, told))
    return out


def _told_elsewhere(gate: Result, out: Mapping[str, Published]) -> list[float]:
    """For each row of the gate 0 where its evidence is hidden in the table that it comes from."""
    known = {phrase(f"criterion.{m}", m): m for m in _EVIDENCE} | {m: m for m in _EVIDENCE}
    found = []
    for said in gate.table["measure"].astype("str"):
        measure = known.get(said, "")
        source = out.get(_EVIDENCE.get(measure, ""))
        rows = source.table if source else gate.table.head(0)
        rows = rows[rows["metric"] == measure]
        if measure == "formality":
            rows = rows[rows["variant"] == "targets"]
        found.append(np.inf if rows.empty or rows["shown"].iloc[-1] else 0.0)
    return found


def _leaning(
    results: Mapping[str, Result], scores: Behind, ledger: Ledger, least: int
) -> dict[str, set[tuple[str, str]]]:
    """Which adjusted scores may be shown, given what they lean on; and which differences from their mean.

    Nothing where no model was fitted: then no score is adjusted.
    """
    found = results.get("adjust")
    if found is None or "variances" not in found.about:
        return {}
    variances = {"adjusted": found.about["variances"]}
    if "variances_shrunken" in found.about:
        variances["shrunken"] = found.about["variances_shrunken"]
    taken_out = [c for c in ("wave", "mode") if c in found.about["adjusted_for"]]
    lean = leaning(scores, variances, target="target", taken_out=taken_out)
    names = dict(zip(scores.ratings["target"].astype("str"), scores.ratings["target_id"]))
    place = {str(names[t]): i for i, t in enumerate(lean.ids)}
    raters = scores.ratings.groupby("target_id")[scores.rater].nunique().sort_values()
    enough = [str(t) for t in raters.index[raters >= COMPUTED * least]][::-1]
    compared = results["groups"].table.iloc[:, 0].tolist() if "groups" in results else []
    mean = [place[str(t)] for t in compared if str(t) in place]
    lean = replace(lean, mean=tuple(mean))
    wanted = [("adjusted", place[t]) for t in enough] + [("adjusted", MEAN)] * bool(mean)
    wanted += [("shrunken", place[t]) for t in enough if "shrunken" in variances]
    asked, cells = ask(replace(scores, by=["target_id"]), parts=True)
    plain = [a for a, n in zip(asked, cells["n"]) if n >= least]
    before = len(ledger.refused())
    ok = ledger.admit_leaning("score", scores, lean, wanted, plain, least=least)
    named = {i: t for t, i in place.items()} | {MEAN: ""}
    shown = {(v, named[t]) for (v, t), good in zip(wanted, ok) if good}
    refused = {"refused": shown} if len(ledger.refused()) > before else {}
    return {"scores": shown, "groups": shown if ("adjusted", "") in shown else set(), **refused}


def published_comments(study: Study, *, mask: Sequence[str] = ()) -> Published:
    """What raters wrote about each department, as far as it may be shown beside all earlier lists.

    ``mask``: names of staff, which become "■■". Names of departments and services stay. Departments
    stand by their id in the ledger, so that a list in another language is the same list.
    """
    if not study.has("rating") or "reason" not in study.rating:
        raise StudyError(Problem("no_comments", {}, table="rating", column="reason"))
    ratings = study.long_ratings()
    said = pd.DataFrame({
        "target_id": ratings["target_id"], "rater_key": ratings["rater_key"],
        "reason": study.rating["reason"].to_numpy(),
    }).dropna(subset=["target_id"])  # fmt: skip
    settings = study.settings
    with Ledger.open(settings.name) as ledger:
        ledger.lock(
            _opened(study, ratings), raters=settings.min_raters, comments=settings.min_comments
        )
        shown = publish_comments(
            said, ledger=ledger, text="reason", rater="rater_key", by="target_id",
            min_raters=settings.min_comments, names=mask, keep=_house(study),
        )  # fmt: skip
    return replace(shown, _table=_named(study, shown.table))


def _house(study: Study) -> list[str]:
    """Names of departments and services in both languages: no persons."""
    found = []
    for table in ("unit", "service"):
        for column in ("name_zh", "name_en"):
            if study.has(table) and column in study.tables[table]:
                found += study.tables[table][column].dropna().astype("str").tolist()
    return found


def _opened(study: Study, ratings: pd.DataFrame) -> list[str]:
    """The waves that have begun: those with an answer, and those that started before the last one."""
    answered = set(ratings["wave"].dropna().astype("str"))
    last = pd.to_datetime(ratings["submitted_at"], utc=True, errors="coerce").max()
    begun = {w.id for w in study.settings.waves if pd.notna(last) and w.start <= last}
    return sorted(answered | begun) or [""]


def behind_scores(study: Study, results: Mapping[str, Result]) -> Behind:
    """What the scores of departments are made of: each form's dimensions, weighed as in the score.

    ``results``: as for ``published``. Scores of the same forms with other weights, and means of
    single dimensions, are then sums over the same parts, and audited together under the quantity
    "score".
    """
    return _scores(study, results, study.long_ratings())


def _scores(study: Study, results: Mapping[str, Result], ratings: pd.DataFrame) -> Behind:
    weights = dimension_weights(study, {k: v for k, v in results.items() if k == "weights"})
    parts = form_parts(ratings, weights)
    # Finer than any score is shown; a dimension without weight in a score is no part of it.
    parts["share"] = parts["share"].round(_SHARE)
    parts = parts[parts["share"] > 0].reset_index(drop=True)
    low, high = _ends(study, ratings)
    own = [c for c in ("wave", "mode", "rater_unit_id") if c in parts.columns]
    return Behind(
        _named(study, parts.assign(target=parts["target_id"])), by=["target_id"], rater="rater_key",
        score="score", scale=(low, high), rating=["target", *own, "dimension"], weight="share",
        decimals=None,
    )  # fmt: skip


def _answers(study: Study, ratings: pd.DataFrame) -> Behind:
    """Who answered which form, by wave and department; what was answered does not matter."""
    told = ratings.dropna(subset=["rater_key", "target_id"]).drop_duplicates("form")
    return Behind(
        _named(study, told.assign(target=told["target_id"])), by=["wave", "target_id"],
        rater="rater_key", score="score", scale=None, rating=["target", "form"],
    )  # fmt: skip


def _last_wave(answers: Behind) -> Behind:
    """The same cell as that wave's own: what is shown of it counts once."""
    told = answers.ratings
    known = told["wave"].dropna()
    return replace(answers, ratings=told[told["wave"] == known.max()]) if len(known) else answers


def _named(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """Departments by name, as in the results; the id stays in ``target``."""
    if not study.has("unit"):
        return table
    known = names(study.unit, "unit_id")
    return table.assign(target_id=[known.get(str(v), v) for v in table["target_id"]])


def _ends(study: Study, ratings: pd.DataFrame) -> tuple[float, float]:
    """The ends of the scale of a form: those of its items, and nothing that was answered outside."""
    low, high = float(ratings["score"].min()), float(ratings["score"].max())
    if study.has("item"):
        used = study.item[study.item["item_id"].isin(ratings["item_id"].unique())]
        if len(used):
            low, high = min(low, float(used["min"].min())), max(high, float(used["max"].max()))
    return low, high
