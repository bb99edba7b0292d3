"""The words of the log's actions, and what they do to a case."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, IntegerValue, Value

from svcmetrics.tables import words_of

# What ends a case, what opens it again, and what moves it on. A comment, a transfer or a stopped
# clock does not move a case.
ACTIONS = words_of("action")
ENDS = ("close", "reject", "withdraw")
REOPENS = ("submit", "resubmit", "return")
OUTPUTS = ("deliver", "approve")
FLOW = ("submit", "resubmit", "accept", "deliver", "approve", "return", *ENDS)
# What a step decides about the work of others.
DECISIONS = ("approve", "return", "reject")
# What stops the clock and starts it again: a resume, a new submission, or the end of the case.
MARKS = ("pause", "resume", "resubmit", *ENDS)

# A word that is none of these, or missing. Numbers of words fit into four bits.
UNKNOWN = 15


def is_in(value: Value, words: tuple[str, ...]) -> BooleanValue:
    """Whether an action is one of these words; never NULL."""
    return value.isin(words).fill_null(False)  # type: ignore[no-any-return]


def number(action: Value) -> IntegerValue:
    """The word as its number: what is compared many times should not be text."""
    return action.cases(*((w, i) for i, w in enumerate(ACTIONS)), else_=UNKNOWN)  # type: ignore[no-any-return]


def text(number: Value) -> Value:
    """The word of such a number again; NULL where there is none."""
    return number.cases(*enumerate(ACTIONS), else_=ibis.null("string"))


def among(number: Value, words: tuple[str, ...]) -> BooleanValue:
    """Whether the number of a word is that of one of these."""
    return number.isin([ACTIONS.index(w) for w in words])  # type: ignore[no-any-return]
