"""What people wrote, once enough of them did: shuffled, without a time, names masked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from svcmetrics.privacy.published import Published
from svcmetrics.problems import table_error
from svcmetrics.result import Finding
from svcmetrics.study import MIN_COMMENTS
from svcmetrics.tables import require

MASK = "■■"
# Surnames of four in five Chinese; before a title they are a person.
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_TITLES = "总监|总|经理|主任|主管|部长|处长|科长|组长|老师|工|姐|哥|师傅"
_PATTERNS = (
    r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+",  # e-mail
    r"(?<!\d)(?:\+?86[\- ]?)?1[3-9]\d(?:[\- ]?\d{4}){2}(?!\d)",  # mobile phone
    r"(?<!\d)0\d{2,3}[\- ]?\d{7,8}(?!\d)",  # telephone
    r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])",  # identity card
    r"(?<![0-9A-Za-z])[A-Za-z]{0,3}\d{5,}(?![0-9A-Za-z])",  # employee, account and case numbers
    rf"[{_SURNAMES}](?:{_TITLES})(?!作|程|资|具|结|体|部|会|是|共|计|之|数)",
    r"\b(?:Mr|Mrs|Ms|Dr|Prof)\.? [A-Z][\w\-]+(?: [A-Z][\w\-]+)?",
)


def comments(
    ratings: pd.DataFrame, *, text: str, rater: str, by: str | None = None,
    min_raters: int = MIN_COMMENTS, names: Sequence[str] = (), keep: Sequence[str] = (),
) -> Published:  # fmt: skip
    """What did people write, as far as it may be shown?

    ``ratings``: one row per answer. ``text``: column of what was written; ``rater``: of the person;
    ``by``: of the department rated (no smaller group: a team or a wave would point at the writer).
    ``min_raters``: persons who wrote, per group; ten at least. ``names``: staff names to mask.
    ``keep``: names of departments and services, which stay.

    Returns a published table with one row per comment of each group with enough writers, in an
    order that follows from the words alone, neither from the file nor from the time. Names that are
    given, surnames with a title, numbers, telephones and e-mail addresses become "■■". The
    same words by several people stand once.

    Misleads: masking is no guarantee. Nicknames, first names that are not given and stories that only
    one person can tell remain: somebody who knows the staff reads the list before it is passed on.
    Two lists of different months, side by side, show which comments are new: ``publish_comments``
    looks at every list that was shown before.
    Source: the rule of ten follows the study's own floor for comments, ``groups.comments``.

    >>> import pandas as pd
    >>> said = pd.DataFrame({"unit": "HR", "who": range(10), "text": [f"谢谢张三第{i}次" for i in range(10)]})
    >>> shown = comments(said, text="text", rater="who", by="unit", names=["张三"])
    >>> len(shown.table), shown.table["comment"].str.contains("张三").any()
    (10, np.False_)
    """
    if min_raters < MIN_COMMENTS:
        raise table_error("comments_lowered", found=min_raters, floor=MIN_COMMENTS)
    require(ratings, text, rater, *([by] if by else []))
    said = ratings[ratings[text].notna() & ratings[rater].notna()]
    said = said[said[text].astype("str").str.strip().ne("")]
    group = said[by].astype("str") if by else pd.Series("", index=said.index)
    writers = said[rater].groupby(group).nunique()
    enough = writers.index[writers >= min_raters]
    masked = _masked(said[text].astype("str"), names, keep)
    table = pd.DataFrame({by or "group": group, "comment": masked})
    table = table[group.isin(enough)].drop_duplicates()
    table = table.iloc[_shuffled(table)].reset_index(drop=True).assign(shown=True)
    all_groups = int(group.nunique())
    return Published("comments", table, tuple(_told(len(table), len(enough), all_groups, min_raters)),
                     "", all_groups - len(enough), min_raters)  # fmt: skip


def _told(rows: int, shown: int, groups: int, least: int) -> list[Finding]:
    if not rows:
        return [Finding("comments.none", {"least": least}, "refused")]
    found = [Finding("comments.shown", {"count": rows, "groups": shown})]
    if groups > shown:
        found.append(
            Finding("comments.hidden", {"hidden": groups - shown, "least": least}, "warning")
        )
    return [*found, Finding("comments.read_first", {}, "warning")]


def _shuffled(table: pd.DataFrame) -> np.ndarray:
    """By group, then by a hash of the words: nothing of the order in the file is left."""
    marks = [hashlib.sha256(t.encode()).hexdigest() for t in table["comment"]]
    groups, _ = pd.factorize(table.iloc[:, 0], sort=True)
    return np.lexsort((np.array(marks, dtype=str), groups))


def _masked(texts: pd.Series, names: Sequence[str], keep: Sequence[str]) -> pd.Series:
    """Names masked; a name inside that of a department is the department's."""
    kept = "|".join(re.escape(k) for k in sorted({k for k in keep if k}, key=len, reverse=True))
    gone = [
        _whole(n) for n in sorted({n.strip() for n in names if n.strip()}, key=len, reverse=True)
    ]
    pattern = re.compile((f"(?P<kept>{kept})|" if kept else "") + "|".join([*gone, *_PATTERNS]))

    def replace(found: re.Match[str]) -> str:
        return found[0] if kept and found["kept"] else MASK

    return texts.map(lambda t: pattern.sub(replace, t))


def _whole(name: str) -> str:
    """A Latin name is a whole word; a Chinese one stands among others without a space."""
    word = re.escape(name)
    return rf"(?<![0-9A-Za-z]){word}(?![0-9A-Za-z])" if name.isascii() else word
