"""Thin controls over public functions. A callback calls one function and shows its result.

In an exported page, where no kernel answers, a panel is the picture of its first state.
"""

from svcmetrics.widgets.weights import weights_panel

__all__ = ["weights_panel"]
