"""What do we tell whom: a workbook for the analyst and the consultant, a one-page brief for leadership.

Exporters take ``Published`` tables only (``svcmetrics.privacy.publish``), never raw frames: small
groups are hidden before a file can be written. Every datum is escaped; every file is written whole.
"""

from svcmetrics.report.brief import brief
from svcmetrics.report.workbook import workbook

__all__ = ["brief", "workbook"]
