"""Tables made of ratings, published row by row through the ledger."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from svcmetrics import lang
from svcmetrics.display import word
from svcmetrics.privacy.behind import Behind
from svcmetrics.privacy.ledger import Ledger
from svcmetrics.privacy.means import ask
from svcmetrics.privacy.published import (
    MIN_SPREAD,
    Published,
    at_least,
    blanked,
    publish,
    told_without,
)
from svcmetrics.privacy.spread import may_tell_spread
from svcmetrics.result import Finding, Result
from svcmetrics.study import MIN_RATERS

# How tables call the row of everybody.
_ALL = ("all", "")
# What stays of a row whose group is all at one end of the scale: which group it is in, not how far.
_WORDS = ("group",)
# Scores that are computed from more than a group's own ratings need so many times the raters.
COMPUTED = 2
_SCORED = ("composite", "groups", "ranks", "contributions")
# What tells how far the answers of all differ, row for row; and sentences that say they do not.
_DIFFER = ("generalizability", "formality")
_OF_SCORES = ("adjust", *_SCORED)
_ALIKE = ("adjust.no_spread", "adjust.perfect", "uncertain.no_spread", "composite.exact")
_LEANING = ("adjusted", "shrunken")


def publish_audited(
    result: Result,
    *,
    behind: Behind,
    ledger: Ledger,
    min_n: int = MIN_RATERS,
    quantity: str = "mean",
    leaning: Collection[tuple[str, str]] | None = None,
    spread: bool | None = None,
) -> Published:
    """Which rows of a statistic made of ratings may be shown, given everything shown before?

    ``behind``: the ratings behind the rows; rows are told apart by those of ``behind.by`` that the
    table has, the row of everybody rests on all ratings. Whatever a row says of a group is
    audited as if the exact mean of its ratings were known, with the weights of ``behind`` exactly,
    or, without a scale, from counts alone. So a score of the same forms with other weights, and
    means of single dimensions, are sums over the same parts. What a composite adds (measures of the
    log, weights of indicators) counts as known. Numbers are rounded to three digits of the largest of their metric.
    A group at one end of the scale keeps its word ("above") and loses its numbers; its own mean
    reads "4.8 or more".

    ``leaning``: the computed rows that may be shown, as (variant, group), see ``Ledger.admit_leaning``:
    an adjusted or composite score also leans on how its raters rated others. Left out, that part is
    not looked at. Such rows are shown only from twice ``min_n`` raters on.
    ``spread``: whether it may be told how far answers differ (``privacy.spread``): intervals of scores,
    variances, reliability. Left out, it is looked up for scores, and from twenty persons on for others.

    Misleads: the weights of a score are exact given the variances of its model, which follow from the
    ratings too; what these two or three numbers tell is not audited.
    """
    table = result.table
    by = [c for c in behind.by if c in table.columns]
    sharp = replace(behind, by=by, decimals=None)
    parts = behind.weight is not None
    asked, cells = ask(sharp, parts=parts)
    if by:
        everybody, row = ask(replace(sharp, by=[]), parts=parts)
        asked, cells = [*asked, *everybody], pd.concat([cells, row])
    place = _places(table, cells, by)
    persons = np.where(place >= 0, cells["n"].to_numpy()[place], np.nan)
    name = str(result.about["metric"])
    if spread is None:
        spread = name not in _OF_SCORES or may_tell_spread(ledger, sharp, at_least(min_n))
    plain = publish(result, min_n=min_n, persons=persons.tolist(), spread=spread)
    computed = _computed(result)
    few = computed & ~(persons >= COMPUTED * plain.min_n)
    may = plain.table["shown"].to_numpy() & (place >= 0) & ~few
    if name in _DIFFER:
        may &= spread & (persons >= MIN_SPREAD)
    if leaning is not None:
        may &= ~computed | np.array([row in leaning for row in _scores(table)], dtype=bool)
    wanted = np.unique(place[may])
    ok = np.zeros(len(cells), dtype=bool)
    ok[wanted] = ledger.admit(quantity, sharp, [asked[i] for i in wanted], least=plain.min_n)
    shown = may & ok[place]
    bound = np.where(shown, cells["bound"].to_numpy()[place], "")
    own = np.where(shown, cells["estimate"].to_numpy()[place], np.nan)
    made = _hidden(plain, result, shown, bound, own, bool((few & _had(result)).any()))
    return made if spread else _without_spread(made)


def _computed(result: Result) -> np.ndarray:
    """Rows whose score leans on more than the group's own ratings; a row without a score says nothing."""
    variant = result.table.get("variant", pd.Series("", index=result.table.index))
    name = str(result.about["metric"])
    own = variant.isin(_LEANING) if name == "adjust" else pd.Series(name in _SCORED, variant.index)
    return own.to_numpy() & _had(result)


def _scores(table: pd.DataFrame) -> list[tuple[str, str]]:
    """What each row leans on: the adjusted score of its group, or the shrunken one."""
    variant = table.get("variant", pd.Series("", index=table.index))
    lean = np.where(variant.eq(_LEANING[1]), _LEANING[1], _LEANING[0])
    return list(zip(lean.tolist(), table.iloc[:, 0].astype("str")))


def _places(table: pd.DataFrame, cells: pd.DataFrame, by: list[str]) -> np.ndarray:
    """The cell of each row; -1 when no rating stands behind it."""
    if not by:
        return np.zeros(len(table), dtype=int)
    names = ["\x1f".join(map(str, row)) for row in cells[by].iloc[:-1].to_numpy()]
    wanted = ["\x1f".join(map(str, row)) for row in table[by].to_numpy()]
    place = pd.Index(names).get_indexer(pd.Index(wanted))
    whole = table[by].astype("str").isin(_ALL).all(axis=1).to_numpy()
    return np.where(whole, len(names), place)


def _hidden(
    plain: Published, result: Result, shown: np.ndarray, bound: np.ndarray, own: np.ndarray,
    few: bool,
) -> Published:  # fmt: skip
    table = plain.table
    first = list(table.columns).index("metric")
    capped = bound != ""
    for column in table.columns[first + 1 :]:
        if column in ("variant", "shown"):
            continue
        values = table[column]
        if column != "n" and pd.api.types.is_float_dtype(values):
            values = values.groupby(table["metric"]).transform(lambda v: v.round(_digits(v)))
        gone = ~shown | (capped & (column not in ("n", *_WORDS)))
        if gone.any():
            table[column] = blanked(values, gone)
        else:
            table[column] = values
    table["shown"] = shown
    if capped.any():
        table["bound"] = bound
        if plain.name == "adjust":
            table["estimate"] = table["estimate"].where(~capped, own)
    lost = sorted({_called(str(v)) for v in table.loc[~shown & _had(result), table.columns[0]]})
    told = told_without(result, ~shown | capped)
    if plain.name in _DIFFER and not shown.any():
        told = ()  # what these say of the whole needs no row
    about = word("metric", plain.name)
    told += _why(about, lost if first else [], COMPUTED * plain.min_n if few else 0)
    return Published(plain.name, table, told, plain.drawing, int((~shown).sum()), plain.min_n)


def _without_spread(made: Published) -> Published:
    """Without the sentences that tell how far answers differ: a number with decimals may do so."""
    if made.name not in _OF_SCORES:
        return made
    told = [
        f
        for f in made.findings
        if f.key not in _ALIKE and not any(isinstance(v, float) for v in f.values.values())
    ]
    return replace(made, findings=(*told, Finding("publish.no_spread", {"least": MIN_SPREAD})))


def _called(name: str) -> str:
    """The row of everybody by its word, any other by its name."""
    return lang.say("publish.everybody") if name in _ALL else name


def _why(about: str, lost: list[str], least: int) -> tuple[Finding, ...]:
    """Which names are hidden, and from how many raters on a computed score is shown, if one is not."""
    told = []
    if lost:
        values = {"table": about, "names": lost, "count": len(lost)}
        told.append(Finding("publish.hidden_rows", values, "warning"))
    if least:
        told.append(Finding("publish.computed", {"least": least}))
    return tuple(told)


def _had(result: Result) -> np.ndarray:
    return result.table["estimate"].notna().to_numpy()


def _digits(values: pd.Series) -> int:
    """Decimals that leave three digits of the largest number."""
    largest = float(values.abs().max())
    if not math.isfinite(largest) or largest == 0:
        return 3
    return min(max(2 - math.floor(math.log10(largest)), 0), 3)
