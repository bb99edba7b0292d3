"""Can the ratings be trusted: formality, rater effects, reliability and agreement."""

from svcmetrics.verify.alpha import alpha
from svcmetrics.verify.icc import icc
from svcmetrics.verify.straight_lining import straight_lining

__all__ = [
    "alpha",
    "icc",
    "straight_lining",
]
