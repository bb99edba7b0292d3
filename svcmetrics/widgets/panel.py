"""A control that is alive in a notebook and a picture in an exported page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from svcmetrics import plots
from svcmetrics.result import Result

# Redraw when the hand has rested this long, so that a dragged slider does not queue pictures.
_REST = 0.15


class Panel:
    """Sliders above the drawing of a result; ``result`` is what the sliders say now."""

    def __init__(self, sliders: Mapping[str, Any], compute: Callable[[dict[str, float]], Result]):
        import ipywidgets

        self._sliders, self._compute = dict(sliders), compute
        self._image = ipywidgets.Image(format="png")
        self._text = ipywidgets.HTML()
        self._timer: Any = None
        for slider in self._sliders.values():
            slider.observe(self._soon, names="value")
        self.widget = ipywidgets.VBox([*self._sliders.values(), self._text, self._image])
        self.redraw()

    def redraw(self) -> None:
        """Compute and show what the sliders say."""
        self.result = self._compute({name: s.value for name, s in self._sliders.items()})
        self._image.value = plots.picture(self.result.plot())
        self._text.value = escape(self.result.text).replace("\n", "<br>")

    def _soon(self, _change: object) -> None:
        """Redraw once the hand rests; at once where no event loop runs (tests, scripts)."""
        import asyncio

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.redraw()
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(_REST, self.redraw)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        live = self.widget._repr_mimebundle_(**options) or {}
        still = base64.b64encode(self._image.value).decode()
        page = f'<p>{self._text.value}</p><img alt="" src="data:image/png;base64,{still}">'
        return {**live, "text/html": page}
