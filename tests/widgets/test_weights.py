"""The panel shows what the public functions say, and a picture where no kernel answers."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics import pages, score
from svcmetrics.widgets import weights_panel

INDICATORS = pd.DataFrame(
    {
        "unit": ["A", "A", "B", "B", "C", "C"],
        "metric": ["time", "returns"] * 3,
        "estimate": [90.0, 20.0, 50.0, 50.0, 20.0, 90.0],
        "low": [85.0, 15.0, 45.0, 45.0, 15.0, 85.0],
        "high": [95.0, 25.0, 55.0, 55.0, 25.0, 95.0],
    }
)
WEIGHTS = {"time": 0.5, "returns": 0.5}


@pytest.fixture
def panel():
    return weights_panel(INDICATORS, weights=WEIGHTS, target="unit")


def _direct(weights):
    composite = score.composite(INDICATORS, weights=weights, target="unit")
    return score.groups(composite.table, target="unit").table


def test_it_begins_with_the_given_weights(panel):
    pd.testing.assert_frame_equal(panel.result.table, _direct(WEIGHTS))


def test_moving_a_slider_calls_the_functions_with_weights_that_sum_to_one(panel):
    before = panel._image.value
    panel._sliders["time"].value = 1.0
    pd.testing.assert_frame_equal(panel.result.table, _direct({"time": 2 / 3, "returns": 1 / 3}))
    assert panel._image.value != before


def test_all_weights_at_zero_fall_back_to_the_first_ones(panel):
    for slider in panel._sliders.values():
        slider.value = 0.0
    pd.testing.assert_frame_equal(panel.result.table, _direct(WEIGHTS))


def test_an_exported_page_shows_a_picture(panel):
    page = panel._repr_mimebundle_()["text/html"]
    assert "data:image/png;base64," in page
    assert len(page) > 5000


def test_the_page_of_a_run_keeps_the_picture_and_drops_the_live_control(panel, tmp_path):
    import nbformat.v4 as nb

    bundle = {**panel._repr_mimebundle_(), "application/vnd.jupyter.widget-view+json": {}}
    alone = {"text/plain": "slider", "application/vnd.jupyter.widget-view+json": {}}
    outputs = [nb.new_output("display_data", data=d) for d in (bundle, alone)]
    path = tmp_path / "page.ipynb"
    path.write_text(nb.writes(nb.new_notebook(cells=[nb.new_code_cell(outputs=outputs)])), "utf-8")
    pages.settle(path)
    text = path.read_text("utf-8")
    assert "data:image/png;base64," in text
    assert "widget-view" not in text and "slider" not in text
