"""Pseudonyms on the way in, small groups hidden on the way out.

A pseudonym is a keyed hash: nobody without the key can guess or link it. ``publish`` is the one door
out: exporters take nothing else. A **ledger** beside the key, outside the study and its outputs,
holds every cell that was ever published; no new cell is shown that would let anybody, or one
insider who knows their own ratings, compute a rating from all of them together.
"""

from svcmetrics.privacy.audited import publish_audited
from svcmetrics.privacy.behind import Behind
from svcmetrics.privacy.comments import comments
from svcmetrics.privacy.comments_over_time import publish_comments
from svcmetrics.privacy.ledger import Ledger
from svcmetrics.privacy.means import publish_means
from svcmetrics.privacy.pseudonyms import load_key, pseudonym, pseudonymise
from svcmetrics.privacy.published import Published, publish

__all__ = [
    "Behind",
    "Ledger",
    "Published",
    "comments",
    "load_key",
    "pseudonym",
    "pseudonymise",
    "publish",
    "publish_audited",
    "publish_comments",
    "publish_means",
]
