"""Can the ratings be trusted: formality, rater effects, reliability and agreement."""

from svcmetrics.verify.alpha import alpha
from svcmetrics.verify.icc import icc

__all__ = [
    "alpha",
    "icc",
]
