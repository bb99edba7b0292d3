"""What counts how much: judgements and data become weights with intervals."""

from svcmetrics.weigh.ahp import ahp
from svcmetrics.weigh.consistency import consistency

__all__ = ["ahp", "consistency"]
