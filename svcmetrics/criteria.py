"""The criteria of a study beside those on record: what was written before the pilot, and what later."""

from __future__ import annotations

import pandas as pd

from svcmetrics import pilot
from svcmetrics.privacy.record import criteria_then, keep_criteria
from svcmetrics.result import Result
from svcmetrics.study import Study


def on_record(study: Study) -> None:
    """Put the study's criteria on record with today's date, when they are new or were changed."""
    keep_criteria(study.settings.name, study.settings.criteria)


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
