"""Can the ratings be trusted: formality, rater effects, reliability and agreement."""

from svcmetrics.verify.aggregation import aggregation
from svcmetrics.verify.agreement import agreement
from svcmetrics.verify.alpha import alpha
from svcmetrics.verify.careless import careless, careless_raters
from svcmetrics.verify.centrality import centrality
from svcmetrics.verify.collusion import collusion
from svcmetrics.verify.d_study import d_study
from svcmetrics.verify.drift import drift
from svcmetrics.verify.facets import facets
from svcmetrics.verify.formality import formality
from svcmetrics.verify.gaming import gaming
from svcmetrics.verify.generalizability import generalizability
from svcmetrics.verify.generalizability_composite import generalizability_composite
from svcmetrics.verify.halo import halo
from svcmetrics.verify.icc import icc
from svcmetrics.verify.impact import impact
from svcmetrics.verify.in_group import in_group
from svcmetrics.verify.kendall_w import kendall_w
from svcmetrics.verify.mode_effect import mode_effect
from svcmetrics.verify.omega import omega
from svcmetrics.verify.reciprocity import reciprocity
from svcmetrics.verify.reportable import reportable
from svcmetrics.verify.severity import severity
from svcmetrics.verify.split_half import split_half
from svcmetrics.verify.straight_lining import straight_lining
from svcmetrics.verify.structure import structure

__all__ = [
    "aggregation",
    "agreement",
    "alpha",
    "careless",
    "careless_raters",
    "centrality",
    "collusion",
    "d_study",
    "drift",
    "facets",
    "formality",
    "gaming",
    "generalizability",
    "generalizability_composite",
    "halo",
    "icc",
    "impact",
    "in_group",
    "kendall_w",
    "mode_effect",
    "omega",
    "reciprocity",
    "reportable",
    "severity",
    "split_half",
    "straight_lining",
    "structure",
]
