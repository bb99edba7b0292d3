"""Items that run against the others: probably reversed, and not turned round."""

from __future__ import annotations

import numpy as np

from svcmetrics.numeric import careless_indices
from svcmetrics.result import Finding
from svcmetrics.verify.forms import Forms

# A correlation with the middle one of the other items below this is no accident of a few forms.
_AGAINST = -0.15


def reversed_items(forms: Forms, metric: str) -> list[Finding]:
    """A warning under the key of ``metric`` that names them; empty when there are none."""
    r = careless_indices.correlations(forms.answers)
    np.fill_diagonal(r, np.nan)
    with np.errstate(invalid="ignore"):
        alone = np.isnan(r).all(axis=1, keepdims=True)
        middle = np.nanmedian(np.where(alone, 0.0, r), axis=1)
    names = [str(i) for i, m in zip(forms.items, middle) if m < _AGAINST]
    return [Finding(f"{metric}.reversed", {"items": names}, "warning")] if names else []
