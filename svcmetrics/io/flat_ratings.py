"""A flat table of ratings: one row per rating (long), or one row per form with a column per item."""

from __future__ import annotations

import re

import pandas as pd

from svcmetrics.io.answer_words import decimal_commas, guess_scores, seconds, to_numbers
from svcmetrics.io.foreign_table import mapped_ids
from svcmetrics.io.mapping import Answer, Mapping
from svcmetrics.io.quality import Tally, row_list
from svcmetrics.io.times import read_times
from svcmetrics.problems import Problem, StudyError

_IDS = {
    "rater": "plan.rater_key", "rater_unit": "plan.rater_unit_id", "rater_role": "plan.rater_role",
    "target": "plan.target_id", "parent": "unit.parent_id", "service": "plan.service_id", "wave": "plan.wave",
    "item": "rating.item_id", "case_id": "rating.case_id", "reason": "rating.reason",
}  # fmt: skip
# What a row is called that sums up the others.
_SUMS = re.compile(
    r"\s*(总?合计|总计|小计|汇总|总分|总?平均(分|值|数)?|均值|均分|最高分|最低分|标准差|"
    r"(grand |sub)?totals?|sum|averages?|means?|median|max(imum)?|min(imum)?|std)\s*[:：]?\s*",
    re.IGNORECASE,
)


def flat_answers(
    frame: pd.DataFrame, mapping: Mapping, tally: Tally, *, from_1904: bool = False
) -> tuple[pd.DataFrame, dict[str, Answer]]:
    """Answers in long form and where the items came from. Rows without rater or target are counted out."""
    if not len(frame):
        raise StudyError(Problem("import_no_rows", file=tally.source))
    double = frame.duplicated().to_numpy()
    frame = tally.leave_out(frame, double, "duplicate")
    forms = form_columns(frame, mapping, tally, from_1904=from_1904)
    forms = without_sums(forms, tally)
    for name, rule in (("rater", "no_rater"), ("target", "no_target")):
        forms = tally.leave_out(forms, forms[name].isna(), rule)
    frame = frame.loc[forms.index]
    if not mapping.answers:
        scores = scored(frame[mapping.source("rating.score")], mapping, tally)
        item = forms["item"].fillna(mapping.constant("rating.item_id", "overall"))
        return forms.assign(item=item, **scores), {}
    parts = [
        forms.assign(item=a.item, **scored(frame[a.column], mapping, tally))
        for a in mapping.answers
    ]
    return pd.concat(parts), {a.item: a for a in mapping.answers}


def without_sums(forms: pd.DataFrame, tally: Tally) -> pd.DataFrame:
    """Rows of sums and means below a sheet are nobody's answers."""
    named = (
        forms[["rater", "target"]].astype("str").apply(lambda c: c.str.fullmatch(_SUMS, na=False))
    )
    return tally.leave_out(forms, named.any(axis=1), "sum")


def form_columns(
    frame: pd.DataFrame, mapping: Mapping, tally: Tally, *, from_1904: bool = False
) -> pd.DataFrame:
    """What is said once per row: who, whom, when, how long."""
    out = pd.DataFrame(index=frame.index)
    for name, target in _IDS.items():
        out[name] = mapped_ids(frame, mapping, target, file=tally.source)
    source = mapping.source("rating.submitted_at")
    out["submitted_at"] = _submitted(frame[source], mapping, tally, from_1904) if source else pd.NaT
    source = mapping.source("rating.seconds")
    out["seconds"] = seconds(frame[source]) if source else float("nan")
    return out


def _submitted(values: pd.Series, mapping: Mapping, tally: Tally, from_1904: bool) -> pd.Series:
    read = read_times(
        values, timezone=mapping.timezone, day_first=mapping.day_first, from_1904=from_1904
    )
    bad = read["at"].isna() & (read["kind"] != "missing")
    if bad.any():
        tally.say(
            "submitted_unread",
            "warning",
            count=int(bad.sum()),
            kinds=sorted(set(read["kind"][bad])),
        )
    return read["at"]


def scored(values: pd.Series, mapping: Mapping, tally: Tally) -> dict[str, pd.Series]:
    """``score`` and ``na_reason`` of answers; a word without a score stops the import and is named."""
    words = {
        str(k): float(v) for k, v in mapping.values.get("rating.score", {}).items()
    } or guess_scores(values)
    read = to_numbers(values, words)
    unread = read["unread"].notna()
    if unread.any():
        names = sorted(set(read["unread"][unread]))[:10]
        rows = tuple(int(r) for r in values.index[unread][:50])
        raise StudyError(
            Problem(
                "import_unread_answers",
                {"words": names},
                file=tally.source,
                column=str(values.name),
                rows=rows,
                count=int(unread.sum()),
            )
        )
    commas = decimal_commas(values)
    if commas.any():
        where = row_list(values.index[commas])
        tally.say("decimal_comma", "warning", count=int(commas.sum()), rows=where)
    return {"score": read["score"], "na_reason": read["na_reason"]}
