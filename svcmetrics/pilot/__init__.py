"""Did the pilot work, and may the scheme go on?"""

from svcmetrics.pilot.effect import effect as effect
from svcmetrics.pilot.gate import gate as gate
