"""Which foreign column is which: guessed from headers and a look at the entries, for confirmation."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from importlib import resources

import pandas as pd

from svcmetrics.io.actions import FALLBACK, action_of, guess_actions
from svcmetrics.io.mapping import LOGS, WORKFLOWS, Answer, Mapping
from svcmetrics.io.score_matrix import department_answers
from svcmetrics.io.times import read_times
from svcmetrics.problems import Problem, StudyError


def _patterns(section: str) -> dict[str, tuple[str, ...]]:
    """Canonical column → patterns of a header, best first."""
    text = resources.files("svcmetrics.io").joinpath("foreign_headers.toml").read_text("utf-8")
    return {target: tuple(patterns) for target, patterns in tomllib.loads(text)[section].items()}


LOG_HEADERS, CASE_HEADERS, RATING_HEADERS = (_patterns(s) for s in ("log", "case", "rating"))
NEEDED = {
    **dict.fromkeys(("flat", "xes"), ("event.case_id", "step.name", "event.at")),
    **dict.fromkeys(WORKFLOWS, ("event.case_id", "event.action", "event.at")),
    **dict.fromkeys(("ratings", "wjx", "qualtrics"), ("plan.rater_key",)),
}
# The only columns that a person may stand in, as a keyed pseudonym.
PERSONS = ("event.actor_key", "plan.rater_key")
_SAMPLE = 200
# Share of the entries of a column of actions that must say what was done.
_UNDERSTOOD = 0.9


def match_headers(
    headers: Sequence[str], rules: dict[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Source column → canonical columns, in the order of the file."""
    free = {h: str(h).strip().lower() for h in headers}
    found: dict[str, tuple[str, ...]] = {}
    for target, patterns in rules.items():
        hits = (h for p in patterns for h, low in free.items() if re.fullmatch(p.lower(), low))
        source = next(hits, None)
        if source is not None:
            found[source] = (target,)
            del free[source]
    return {h: found[h] for h in headers if h in found}


def guess_mapping(headers: Sequence[str], sample: pd.DataFrame, *, format: str = "flat") -> Mapping:  # noqa: A002
    """A mapping from headers and entries; ``sample`` should hold all rows, so that every word is seen."""
    if format == "ratings":
        return _guess_ratings(headers, sample)
    columns = match_headers(headers, {**LOG_HEADERS, **CASE_HEADERS})
    mapping = _without_lonely_start(Mapping(format=format, columns=columns))
    mapping = _without_vague_action(mapping, sample)
    left = tuple(h for h in headers if h not in mapping.columns)
    return with_words(mapping.but(left_out=left), sample)


def with_words(mapping: Mapping, sample: pd.DataFrame) -> Mapping:
    """The mapping with an action word for each action, or activity, of the file that has none yet."""
    activity, case = mapping.source("step.name"), mapping.source("event.case_id")
    if activity is None or activity not in sample or mapping.format in WORKFLOWS:
        return mapping
    given = mapping.values.get("event.action", {})
    done = mapping.source("event.action")
    if done in sample:
        # Where a row names no action, its activity is all there is.
        words = {
            **guess_actions(sample.loc[_blank(sample[done]), activity]),
            **guess_actions(sample[done]),
        }
        return mapping.but(values={**mapping.values, "event.action": {**words, **given}})
    opening = None
    at = mapping.source("event.at")
    if case in sample.columns and at in sample.columns:
        # Text sorts like time within one layout; for a guess that is enough.
        order = sample[[case, activity, at]].dropna()
        keys = order[at].astype("str") if order[at].dtype == object else order[at]
        order = order.iloc[keys.argsort(kind="stable")]
        opening = order.drop_duplicates(case)[activity]
    guessed = guess_actions(sample[activity], opening)
    return mapping.but(values={**mapping.values, "event.action": {**guessed, **given}})


def _blank(values: pd.Series) -> pd.Series:
    return values.isna() | (values.astype("str").str.strip() == "")


def _without_vague_action(mapping: Mapping, sample: pd.DataFrame) -> Mapping:
    """A column that may hold actions is one only where nearly every entry says what was done."""
    source = mapping.source("event.action")
    if source is None or source not in sample or mapping.format in WORKFLOWS:
        return mapping
    said = sample.loc[~_blank(sample[source]), source].astype("str").value_counts()
    known = sum(int(n) for word, n in said.items() if action_of(str(word)))
    if known and known >= _UNDERSTOOD * said.sum():
        return mapping
    return mapping.but(columns={c: t for c, t in mapping.columns.items() if c != source})


def not_understood(mapping: Mapping) -> list[str]:
    """Actions, or activities, whose name told no action."""
    words = mapping.values.get("event.action", {})
    if mapping.format in WORKFLOWS:
        return []
    return [a for a, word in words.items() if word == FALLBACK and not action_of(a)]


def need(mapping: Mapping, headers: Sequence[str], file: str) -> Mapping:
    """Stop when the mapping lacks a column without which nothing can be read, or names one that is not there."""
    from svcmetrics.io.mapping import target_name

    needed = list(NEEDED[mapping.format])
    if mapping.format not in LOGS:
        if not mapping.source("rating.score") and not mapping.answers:
            needed.append("rating.score")
        if not mapping.answers or not all(a.target for a in mapping.answers):
            needed.append("plan.target_id")
    missing = [t for t in needed if not mapping.source(t) and not mapping.constant(t)]
    if missing:
        names = [f"{target_name(t, 'zh')} {target_name(t, 'en')} ({t})" for t in missing]
        raise StudyError(
            Problem(
                "mapping_incomplete", {"missing": names, "present": list(headers)[:30]}, file=file
            )
        )
    absent = [
        s for s in (*mapping.columns, *(a.column for a in mapping.answers)) if s not in set(headers)
    ]
    if absent:
        raise StudyError(
            Problem(
                "mapping_absent", {"missing": absent[:10], "present": list(headers)[:30]}, file=file
            )
        )
    _refuse_personal(mapping, file)
    return mapping


def _refuse_personal(mapping: Mapping, file: str) -> None:
    """A column of names, e-mails, phones or IP addresses may only become pseudonyms."""
    from svcmetrics.io.headers import is_personal

    for source, targets in mapping.columns.items():
        wrong = [t for t in targets if t not in PERSONS]
        if wrong and is_personal(source):
            raise StudyError(
                Problem("mapping_personal", {"source": source, "target": wrong[0]}, file=file)
            )


def _without_lonely_start(mapping: Mapping) -> Mapping:
    """A start column without an end column is the time of the event."""
    start = mapping.source("event.start")
    if start is None or mapping.source("event.at") is not None:
        return mapping
    return mapping.but(columns={**mapping.columns, start: ("event.at",)})


def _guess_ratings(headers: Sequence[str], sample: pd.DataFrame) -> Mapping:
    columns = match_headers(headers, RATING_HEADERS)
    rest = [h for h in headers if h not in columns]
    answers: tuple[Answer, ...] = ()
    told = {t for targets in columns.values() for t in targets}
    if not told & {"rating.score", "plan.target_id"}:
        answers = department_answers(rest, sample)
    if answers:
        columns |= _who(rest, told)
        used = {*columns, *(a.column for a in answers)}
        rest = [h for h in rest if h not in used]
    elif "rating.score" not in told:
        answers = tuple(
            Answer(h, str(h), text=str(h)) for h in rest if _looks_like_scores(sample[h])
        )
        rest = [h for h in rest if h not in {a.column for a in answers}]
    return Mapping(format="ratings", columns=columns, answers=answers, left_out=tuple(rest))


def _who(headers: list[str], told: set[str]) -> dict[str, tuple[str, ...]]:
    """In a sheet with a row per rater, the name, or else the number of the row, is the rater's."""
    if "plan.rater_key" in told:
        return {}
    names = match_headers(headers, {"plan.rater_key": ("姓名|name", "序号|编号|no|id")})
    return {h: t for h, t in names.items() if t}


def _looks_like_scores(column: pd.Series) -> bool:
    number = pd.to_numeric(column.dropna().astype("str").head(_SAMPLE), errors="coerce")
    return bool(
        len(number)
        and number.notna().all()
        and number.between(-9, 100).all()
        and number.nunique() <= 21
    )


def guess_day_first(values: pd.Series) -> str:
    """ "day" or "month" when entries such as 13/02/2024 tell; "" when none or both do. Only a hint."""
    text = values.dropna().astype("str")
    pair = text.str.extract(r"^(\d{1,2})[-/.](\d{1,2})[-/.]\d{4}").dropna().astype("int64")
    day, month = bool((pair[0] > 12).any()), bool((pair[1] > 12).any())
    return "" if day == month else "day" if day else "month"


def has_times(values: pd.Series) -> bool:
    """Whether most entries of a column are times."""
    head = values.dropna().head(_SAMPLE)
    return bool(len(head)) and bool(
        (read_times(head, timezone="UTC", day_first="day")["at"].notna()).mean() > 0.5
    )
