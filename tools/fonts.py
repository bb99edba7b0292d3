"""Cut the Chinese font for figures out of Debian's package `fonts-noto-cjk`.

The whole collection has 20 MB per weight; a chart about departments and people needs GB2312,
the common traditional characters, those of names, and the signs of formulas. Run `python3 dev.py fonts` where that
package is installed; the same package gives the same bytes. The outlines stay CFF, which
matplotlib draws and puts into PDF as long as `pdf.fonttype` stays 3, its default.
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

ROOT = Path(__file__).resolve().parent.parent
FONTS = ROOT / "svcmetrics" / "fonts"
SOURCE = Path("/usr/share/fonts/opentype/noto")
FAMILY = "Noto Sans CJK SC"
WEIGHTS = ("Regular", "Bold")
NAMES = Path(__file__).with_name("name_characters.txt")

# First and last code point of what is taken beside GB2312 and the names.
BLOCKS = (
    (0x0020, 0x017F),  # Latin with accents
    (0x0370, 0x03FF),  # Greek
    (0x2000, 0x206F),  # punctuation
    (0x2070, 0x209F),  # raised and lowered digits
    (0x20A0, 0x20CF),  # currencies
    (0x2100, 0x218F),  # letter-like signs, fractions, Roman numerals
    (0x2190, 0x21FF),  # arrows
    (0x2200, 0x22FF),  # mathematics
    (0x2460, 0x24FF),  # numbers in circles
    (0x2500, 0x25FF),  # lines, blocks, shapes
    (0x2600, 0x27BF),  # stars, ticks, crosses
    (0x3000, 0x303F),  # Chinese punctuation
    (0xFE30, 0xFE4F),  # the same for vertical text
    (0xFF00, 0xFFEF),  # full-width forms
)


def gb2312() -> set[int]:
    """Every character of GB2312."""
    found = set()
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes([row, cell]).decode("gb2312")))
            except UnicodeDecodeError:
                continue  # a place of the table that is not used
    return found


def traditional() -> set[int]:
    """The common traditional characters: the first level of Big5 (5,401 of them) and its signs."""
    found = set()
    for row in range(0xA1, 0xC7):
        for cell in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
            try:
                found.add(ord(bytes([row, cell]).decode("big5")))
            except UnicodeDecodeError:
                continue
    return found


def names() -> set[int]:
    """The characters of names."""
    lines = NAMES.read_text("utf-8").splitlines()
    return {ord(sign) for line in lines if not line.startswith("#") for sign in line}


def characters() -> set[int]:
    """All that the subset should hold, where the source has it."""
    blocks = {code for first, last in BLOCKS for code in range(first, last + 1)}
    return blocks | gb2312() | traditional() | names()


def source(weight: str) -> TTFont:
    """The simplified Chinese member of the collection."""
    collection = TTCollection(SOURCE / f"NotoSansCJK-{weight}.ttc", lazy=True)
    return next(font for font in collection if font["name"].getDebugName(1) == FAMILY)


def cut(font: TTFont) -> TTFont:
    """Keep the characters and the records of author and licence; drop what charts do not use."""
    options = Options()
    options.hinting = False
    options.layout_features = []  # no vertical forms, no ligatures
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.drop_tables += ["BASE", "DSIG", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    font.recalcTimestamp = False  # the same bytes from every run
    return font


def main() -> int:
    """Write one file per weight."""
    if not SOURCE.exists():
        print("请先安装 fonts-noto-cjk | Install Debian's fonts-noto-cjk first", file=sys.stderr)
        return 1
    for weight in WEIGHTS:
        out = FONTS / f"NotoSansCJKsc-{weight}-subset.otf"
        cut(source(weight)).save(out)
        print(f"{out.name}: {out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
