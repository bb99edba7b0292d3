"""The shipped fonts: complete, licensed, and drawn and embedded by matplotlib."""

import io
import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from matplotlib.figure import Figure

from tools import fonts

FOLDER = Path(fonts.FONTS)
FILES = sorted(FOLDER.glob("*.otf"))
TEXT = "内部服务评价：财务部 −3.5，李喆、朱镕、陶堃，財務處、資訊與總務，α ≤ 0.7 → ★"


@pytest.fixture
def figure():
    """A figure with Chinese text in our fonts, chosen by file: the machine may have Noto too."""
    drawn = Figure(figsize=(7, 2))
    for place, path in enumerate(FILES):
        font = font_manager.FontProperties(fname=str(path))
        drawn.text(0.05, 0.3 + 0.3 * place, TEXT, fontproperties=font)
    return drawn


def saved(figure, kind):
    target = io.BytesIO()
    figure.savefig(target, format=kind)
    return target.getvalue()


def test_two_weights_of_less_than_three_megabytes():
    assert [path.name.split("-")[1] for path in FILES] == ["Bold", "Regular"]
    assert all(path.stat().st_size < 2.6e6 for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_covers_gb2312_names_and_signs(path):
    with TTFont(path) as font:
        covered = set(font.getBestCmap())
    assert fonts.gb2312() <= covered
    assert fonts.names() <= covered
    assert {c for c in fonts.traditional() if 0x4E00 <= c < 0xA000} <= covered
    assert {ord(sign) for sign in TEXT} <= covered
    assert len(fonts.gb2312()) == 7445
    assert len(fonts.names()) > 1000
    assert {ord(sign) for sign in "財務資訊總處採購稽核"} <= fonts.traditional()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_keeps_family_author_and_licence(path):
    with TTFont(path) as font:
        record = font["name"].getDebugName
    assert record(1) == fonts.FAMILY
    assert record(2) == path.name.split("-")[1]
    assert "Adobe" in record(0)
    assert "SIL Open Font License" in record(13)


def test_licence_lies_beside():
    text = (FOLDER / "OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in text
    assert "PERMISSION & CONDITIONS" in text


def test_registered_under_its_family_name():
    manager = font_manager.FontManager.__new__(font_manager.FontManager)
    manager.ttflist, manager.afmlist = [], []
    for path in FILES:
        manager.addfont(str(path))
    assert {(font.name, font.weight) for font in manager.ttflist} == {
        (fonts.FAMILY, 400),
        (fonts.FAMILY, 700),
    }


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_draws_without_a_missing_glyph(figure, kind):
    # A missing glyph is a warning, and warnings are errors in these tests.
    assert len(saved(figure, kind)) > 3000


def test_a_character_beyond_the_subset_is_noticed():
    lone = Figure()
    font = font_manager.FontProperties(fname=str(FILES[0]))
    lone.text(0.1, 0.5, "\U00020000", fontproperties=font)
    with pytest.warns(UserWarning, match="missing from font"):
        saved(lone, "png")


def test_pdf_embeds_the_font_and_its_text_can_be_copied(figure):
    page = saved(figure, "pdf")
    assert re.search(rb"/FontName /[A-Z]{6}\+NotoSansCJKsc-Regular", page)
    assert re.search(rb"/FontName /[A-Z]{6}\+NotoSansCJKsc-Bold", page)
    assert b"/Subtype /Type3" in page
    assert b"/ToUnicode" in page
