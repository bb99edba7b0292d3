"""Criteria and group sizes of a study beside those on record: what stood before, and what came later."""

from __future__ import annotations

import pandas as pd

from svcmetrics import lang, pilot
from svcmetrics.privacy.record import (
    Locked,
    criteria_then,
    keep_criteria,
    keep_floors,
    locked_floors,
)
from svcmetrics.problems import Problem, StudyError
from svcmetrics.result import Result
from svcmetrics.study import Study


def on_record(study: Study) -> list[Problem]:
    """Put criteria and group sizes on record with today's date, when they are new or were changed.

    Gives back the group sizes that were lowered since a wave opened: with them nothing is shown.
    """
    settings = study.settings
    keep_criteria(settings.name, settings.criteria)
    asked = {"raters": settings.min_raters, "comments": settings.min_comments}
    keep_floors(settings.name, raters=settings.min_raters, comments=settings.min_comments)
    opened = locked_floors(settings.name, settings.waves)
    problems = []
    for name, least in asked.items():
        lowered = [w for w in opened if getattr(w, name) > least]
        if lowered:
            values = {
                "waves": [w.wave for w in lowered], "found": least,
                "locked": max(getattr(w, name) for w in lowered), "since": _day(study, lowered[0]),
            }  # fmt: skip
            problems.append(Problem("group_size_after_opening", values, file="study.toml",
                                    column=f"groups.{name}"))  # fmt: skip
    return problems


def keep_or_refuse(study: Study) -> None:
    """Put criteria and group sizes on record; an error when a group size was lowered too late."""
    lowered = on_record(study)
    if lowered:
        raise StudyError(lowered)


def locks_told(study: Study) -> list[str]:
    """Which group sizes are locked for which waves, since when: a sentence for each pair of sizes."""
    alike: dict[tuple[int, int, str, bool], list[str]] = {}
    for w in locked_floors(study.settings.name, study.settings.waves):
        alike.setdefault((w.raters, w.comments, _day(study, w), w.late), []).append(w.wave)
    return [
        lang.say(f"cli.group_sizes_{'late' if late else 'locked'}", waves=waves, raters=raters,
                 comments=comments, since=since)
        for (raters, comments, since, late), waves in alike.items()
    ]  # fmt: skip


def _day(study: Study, locked: Locked) -> str:
    return f"{locked.at.tz_convert(study.settings.timezone):%Y-%m-%d}"


def gate(study: Study, found: pd.DataFrame) -> Result:
    """Does the evidence meet the criteria, and were they those that stood before the pilot?

    ``found``: as ``assessment.evidence`` gives it. The copy on record when the pilot began (without a
    pilot, when the first wave opened) is the measure; a first copy that came later only shows that
    nothing was changed since.
    """
    settings = study.settings
    began = settings.pilot_from
    if began is None and settings.waves:
        began = min(w.start for w in settings.waves)
    dated = criteria_then(settings.name, began)
    if dated is None:
        return pilot.gate(found, criteria=settings.criteria)
    late = began is None or dated.at > began
    since = f"{dated.at.tz_convert(settings.timezone):%Y-%m-%d}" if late else ""
    return pilot.gate(found, criteria=settings.criteria, before=dated.criteria, since=since)
