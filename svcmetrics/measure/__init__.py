"""What the systems know: time, returns and responsibility from the workflow log.

Decisions: the log's own numbering (``seq``) orders the events of a case, timestamps measure the
time between them; an instant is whole microseconds, so that sums are exact; what waits for the
requester is never charged to a department.
"""

from svcmetrics.io.calendars import working_calendar
from svcmetrics.measure.automatic import automatic
from svcmetrics.measure.cases import cases
from svcmetrics.measure.control import control
from svcmetrics.measure.duration import duration
from svcmetrics.measure.first_pass import first_pass
from svcmetrics.measure.from_baseline import from_baseline
from svcmetrics.measure.funnel import funnel
from svcmetrics.measure.log_check import log_check
from svcmetrics.measure.loops import loops
from svcmetrics.measure.on_time import on_time
from svcmetrics.measure.passages import passages
from svcmetrics.measure.pooled import pooled
from svcmetrics.measure.reasons import reasons
from svcmetrics.measure.rejections import rejections
from svcmetrics.measure.requester_input import requester_input
from svcmetrics.measure.responsibility import responsibility
from svcmetrics.measure.returns import returns
from svcmetrics.measure.shortening import shortening
from svcmetrics.measure.standardised import standardised
from svcmetrics.measure.survival import survival
from svcmetrics.measure.time_ratio import time_ratio
from svcmetrics.measure.time_use import time_use
from svcmetrics.measure.volume import volume
from svcmetrics.measure.working_hours import working_hours

__all__ = [
    "automatic",
    "cases",
    "control",
    "duration",
    "first_pass",
    "from_baseline",
    "funnel",
    "log_check",
    "loops",
    "on_time",
    "passages",
    "pooled",
    "reasons",
    "rejections",
    "requester_input",
    "responsibility",
    "returns",
    "shortening",
    "standardised",
    "survival",
    "time_ratio",
    "time_use",
    "volume",
    "working_calendar",
    "working_hours",
]
