"""A facet formula, "score ~ target + rater + rater:item", as a score and its terms."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from svcmetrics.problems import table_error


@dataclass(frozen=True)
class Formula:
    """The score column and the terms, each a tuple of columns in the order written."""

    score: str
    terms: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All facet columns, each once."""
        return tuple(dict.fromkeys(c for term in self.terms for c in term))


def read_formula(text: str) -> Formula:
    """Read ``score ~ a + a:b``; ``a/b`` is a + a:b, ``a*b`` is a + b + a:b.

    Column names are the caller's; one with blanks or signs stands in backquotes.
    """
    left, tilde, right = text.partition("~")
    score = _names(left)
    if not tilde or len(score) != 1 or not right.strip():
        raise table_error("formula", found=text)
    terms: list[tuple[str, ...]] = []
    for part in _split(right, "+"):
        terms += _expanded(part, text)
    distinct = {frozenset(t): t for t in reversed(terms)}
    kept = [t for t in dict.fromkeys(terms) if distinct[frozenset(t)] == t]
    return Formula(score[0], tuple(kept))


def _expanded(part: str, text: str) -> list[tuple[str, ...]]:
    if len(_split(part, "*")) > 1:
        factors = [_one(p, text) for p in _split(part, "*")]
        sizes = range(1, len(factors) + 1)
        groups = itertools.chain.from_iterable(itertools.combinations(factors, s) for s in sizes)
        return [tuple(itertools.chain.from_iterable(g)) for g in groups]
    steps = [_one(p, text) for p in _split(part, "/")]
    return [tuple(itertools.chain.from_iterable(steps[: i + 1])) for i in range(len(steps))]


def _one(part: str, text: str) -> tuple[str, ...]:
    names = tuple(n for p in _split(part, ":") for n in _names(p))
    if not names or len(names) != len(_split(part, ":")) or len(set(names)) < len(names):
        raise table_error("formula", found=text)
    return names


def _names(text: str) -> list[str]:
    """The single name in a piece of text; none when it is empty or holds several words."""
    text = text.strip()
    if re.fullmatch(r"`[^`]+`", text):
        return [text[1:-1]]
    return [text] if re.fullmatch(r"[^\s`~+*:/()|^]+", text) else []


def _split(text: str, sign: str) -> list[str]:
    """Split at a sign outside backquotes."""
    return re.split(rf"{re.escape(sign)}(?=(?:[^`]*`[^`]*`)*[^`]*$)", text)
