"""The shipped typeface in pages: copied beside them once, so that Chinese shows on any machine."""

from __future__ import annotations

import os
import shutil
from importlib import resources
from pathlib import Path

_FILE = "NotoSansCJKsc-Regular-subset.otf"
# A reader's own font first: it has every character, the shipped one those of GB2312 and more.
_CHINESE = (
    "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Source Han Sans SC',svc-chinese,sans-serif"
)
# A Chinese typeface gives quotation marks the width of a character, which tears English apart.
_LATIN = "'Segoe UI','Helvetica Neue',Arial,'Liberation Sans'"
FAMILY = "var(--svc-family)"
FACE = (
    f"@font-face{{font-family:svc-chinese;src:url(fonts/{_FILE})}}"
    f":root{{--svc-family:{_CHINESE}}}:root:lang(en){{--svc-family:{_LATIN},{_CHINESE}}}"
)


def copy_typeface(folder: Path) -> Path:
    """Put the typeface and its licence beside the pages of a folder."""
    target = folder / "fonts"
    target.mkdir(parents=True, exist_ok=True)
    for name in (_FILE, "OFL.txt"):
        if not (target / name).exists():
            # Under another name first: half a typeface would stay for ever.
            draft = target / f".{name}.{os.getpid()}"
            with resources.as_file(resources.files("svcmetrics") / "fonts" / name) as source:
                shutil.copyfile(source, draft)
            os.replace(draft, target / name)
    return target / _FILE
