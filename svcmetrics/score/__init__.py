"""score"""

from svcmetrics.score.groups import groups as groups
