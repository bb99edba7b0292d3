"""Lists of comments beside all lists that were shown before: nobody stands out by what is new."""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.privacy.comments import comments
from svcmetrics.privacy.ledger import Ledger
from svcmetrics.privacy.published import Published
from svcmetrics.result import Finding
from svcmetrics.store import connect, writing
from svcmetrics.study import MIN_COMMENTS

_SCHEMA = """
CREATE TABLE IF NOT EXISTS comment_list (
    id INTEGER PRIMARY KEY, topic BLOB NOT NULL, writers BLOB NOT NULL, comments BLOB NOT NULL);
"""
_MARK = 12  # bytes
Pairs = frozenset[tuple[bytes, bytes]]  # (writer, comment), under keyed marks


def publish_comments(ratings: pd.DataFrame, *, ledger: Ledger, **how: Any) -> Published:
    """What did people write, as far as it may be shown beside every list that was shown before?

    ``ledger``: of the organisation; what is shown is written to it, as keyed marks. ``how``: as for
    ``comments``. Two lists of different months side by side show which comments are new and which
    are gone; who wrote in between is known in the house. So comments that stand in the same lists
    must come from ``min_raters`` persons, whichever lists are laid side by side. Where that fails,
    the largest earlier list that is still whole is shown again and the rest waits for more writers.

    Misleads: what is held back may be the newest complaint. Style and content are not looked at.
    Source: k-anonymity (Sweeney 2002) over the lists in which a comment stands.

    >>> import tempfile
    >>> from pathlib import Path
    >>> said = pd.DataFrame({"unit": "HR", "who": range(11), "text": [f"第{i}条" for i in range(11)]})
    >>> how = {"text": "text", "rater": "who", "by": "unit"}
    >>> with Ledger.open("example", Path(tempfile.mkdtemp())) as ledger:
    ...     [len(publish_comments(said[:n], ledger=ledger, **how).table) for n in (10, 11)]
    [10, 10]
    """
    plain = comments(ratings, **how)  # its refusals come before anything is kept
    text, rater, by = how["text"], how["rater"], how.get("by")
    least = int(how.get("min_raters", MIN_COMMENTS))
    said = ratings[ratings[text].notna() & ratings[rater].notna()]
    said = said[said[text].astype("str").str.strip().ne("")]
    marks = _marked(said, [rater, text], ledger.key)
    topic = said[by].astype("str") if by else pd.Series("", index=said.index)
    may = np.zeros(len(said), dtype=bool)
    held = 0
    store = connect(ledger.path, _SCHEMA, ("comment_list",))
    try:
        with writing(store, ledger.path.name):
            for name, rows in topic.groupby(topic).indices.items():
                asked = frozenset(marks[i] for i in rows)
                allowed = _allowed(store, _mark(str(name), ledger.key), asked, least)
                may[rows] = [marks[i] in allowed for i in rows]
                held += 0 < len(allowed) < len(asked) or (_many(asked, least) and not allowed)
    finally:
        store.close()
    shown = comments(said[may], **how)
    # Groups of too few writers are not among what may be shown: the plain list tells how many.
    few = [f for f in plain.findings if f.key == "comments.hidden" and len(shown.table)]
    waits = Finding("comments.held_back", {"groups": held, "least": least}, "warning")
    told = (*shown.findings, *few, *([waits] if held else []))
    return Published("comments", shown.table, told, "", plain.hidden + held, least)


def _allowed(store: Any, topic: bytes, asked: Pairs, least: int) -> Pairs:
    """What of a list may be shown: all of it, which is then kept, or a list that was shown before."""
    rows = store.execute(
        "SELECT writers, comments FROM comment_list WHERE topic = ? ORDER BY id", (topic,)
    ).fetchall()
    lists = [frozenset(zip(_parts(w), _parts(c))) for w, c in rows]
    if asked in lists:
        return asked
    if _many(asked, least) and _nobody_stands_out([*lists, asked], least):
        pairs = sorted(asked)
        store.execute(
            "INSERT INTO comment_list (topic, writers, comments) VALUES (?, ?, ?)",
            (topic, b"".join(w for w, _ in pairs), b"".join(c for _, c in pairs)),
        )
        return asked
    return max((old for old in lists if old <= asked), key=len, default=frozenset())


def _nobody_stands_out(lists: list[Pairs], least: int) -> bool:
    """Whether comments that stand in exactly the same lists come from enough persons, always."""
    together: dict[tuple[bool, ...], set[bytes]] = {}
    for pair in frozenset().union(*lists):
        together.setdefault(tuple(pair in one for one in lists), set()).add(pair[0])
    return all(len(writers) >= least for writers in together.values())


def _many(pairs: Iterable[tuple[bytes, bytes]], least: int) -> bool:
    return len({writer for writer, _ in pairs}) >= least


def _marked(said: pd.DataFrame, columns: list[str], key: bytes) -> list[tuple[bytes, bytes]]:
    writers, texts = (said[c].astype("str").tolist() for c in columns)
    return [(_mark(w, key), _mark(f"{w}\x1f{t}", key)) for w, t in zip(writers, texts)]


def _mark(text: str, key: bytes) -> bytes:
    own = hmac.digest(key, b"comments", "sha256")
    return hmac.digest(own, text.encode(), "sha256")[:_MARK]


def _parts(joined: bytes) -> list[bytes]:
    return [mark for (mark,) in struct.iter_unpack(f"{_MARK}s", joined)]
