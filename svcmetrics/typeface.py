"""The shipped typeface in pages: copied beside them once, so that Chinese shows on any machine."""

from __future__ import annotations

import os
import shutil
from importlib import resources
from pathlib import Path

_FILE = "NotoSansCJKsc-Regular-subset.otf"
# A reader's own font first: it has every character, the shipped one those of GB2312 and more.
FAMILY = (
    "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Source Han Sans SC',svc-chinese,sans-serif"
)
FACE = f"@font-face{{font-family:svc-chinese;src:url(fonts/{_FILE})}}"


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
