"""Can the ratings be trusted: formality, rater effects, reliability and agreement."""

from svcmetrics.verify.agreement import agreement
from svcmetrics.verify.alpha import alpha
from svcmetrics.verify.icc import icc
from svcmetrics.verify.severity import severity
from svcmetrics.verify.straight_lining import straight_lining

__all__ = [
    "agreement",
    "alpha",
    "icc",
    "severity",
    "straight_lining",
]
