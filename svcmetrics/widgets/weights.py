"""What if another criterion counted more? Sliders over the weights of a composite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from svcmetrics.result import Result
from svcmetrics.widgets.panel import Panel


def weights_panel(
    indicators: pd.DataFrame,
    *,
    weights: Mapping[str, float],
    target: str = "target_id",
    indicator: str = "metric",
    value: str | Sequence[str] = ("estimate", "low", "high"),
) -> Panel:
    """Which departments change their group when the weights change?

    ``indicators``, ``target``, ``indicator``, ``value``: as in ``score.composite``. ``weights``:
    where the sliders begin, {indicator: weight}. Moving a slider calls ``score.composite`` and
    ``score.groups`` with the weights scaled to sum to 1; frozen weights are not changed by it.
    """
    import ipywidgets

    from svcmetrics import score

    def compute(chosen: dict[str, float]) -> Result:
        total = sum(chosen.values())
        shares = {k: v / total for k, v in chosen.items()} if total > 0 else dict(weights)
        scores = score.composite(
            indicators, weights=shares, target=target, indicator=indicator, value=value
        )
        return score.groups(scores.table, target=target)

    wide = {"description_width": "14em"}
    sliders = {
        name: ipywidgets.FloatSlider(
            value=w, min=0, max=1, step=0.01, description=name, style=wide,
            layout={"width": "36em"}, readout_format=".0%", continuous_update=True,
        )
        for name, w in weights.items()
    }  # fmt: skip
    return Panel(sliders, compute)
