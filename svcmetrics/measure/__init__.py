"""What the systems know: time, returns and responsibility from the workflow log.

Decisions: the log's own numbering (``seq``) orders the events of a case, timestamps measure the
time between them; an instant is whole microseconds, so that sums are exact; what waits for the
requester is never charged to a department.
"""

from svcmetrics.io.calendars import working_calendar
from svcmetrics.measure.working_hours import working_hours

__all__ = ["working_calendar", "working_hours"]
