"""Every problem of a study at once: columns, keys, references, and the rules between tables.

Nothing is changed and nothing is dropped. Rules are vectorised; a log that stays in the engine is
checked there.
"""

from __future__ import annotations

from svcmetrics.checks import cases, catalogue, engine_log, plans, ratings, structure, weights
from svcmetrics.checks.view import View
from svcmetrics.problems import Problem
from svcmetrics.study import Study

_SUBJECTS = (structure, catalogue, cases, engine_log, plans, ratings, weights)


def check_study(study: Study) -> list[Problem]:
    """What is wrong with a study? Every problem, errors first; an empty list means: compute.

    Comes back: problems with file, sheet, rows and column where they are known, in both languages
    (``problem.say("en")``). ``level`` is "error" (do not compute with this) or "warning".
    """
    view = View(study)
    for subject in _SUBJECTS:
        subject.check(view)
    order = list(study.tables)
    return sorted(
        view.problems,
        key=lambda p: (p.level != "error", order.index(p.table) if p.table in order else -1),
    )
