"""Can the ratings be trusted: formality, rater effects, reliability and agreement."""

from svcmetrics.verify.icc import icc

__all__ = ["icc"]
