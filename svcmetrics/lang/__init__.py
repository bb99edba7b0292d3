"""Every sentence that a reader sees, in Chinese and in English.

Functions say *what* they found as a key and numbers; the words live in ``zh.toml`` and
``en.toml`` beside this file. The current language is one context variable, and only display
reads it.
"""

from __future__ import annotations

import math
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from numbers import Integral
from typing import Any

LANGUAGES = ("zh", "en")
MISSING = "—"

# What is counted in the English sentences, and the verbs that may follow it.
_NOUNS = (
    "answers|approvals|blocks|cases|cells|charts|columns|comparisons|departments|deadlines|dimensions|entries|"
    "errors|events|files|forms|groups|ids|items|judges|numbers|outputs|pairs|periods|persons|points|ratings|"
    "raters|requesters|requests|returns|rows|scores|services|sheets|stamps|steps|subsets|targets|units|values|"
    "warnings|waves"
)
_VERBS = {" have": " has", " are": " is", " were": " was", " do": " does", " reach": " reaches"}
_OTHERS = (
    "answer|bear|compare|contradict|differ|fall|hold|lack|lie|look|move|name|overlap|refer|remain|"
    "repeat|say|share"
)
_COUNTED = re.compile(
    r"(?P<number>\{(?P<blank>\w+)(?::[,d]+)?\} (?:[a-z-]+ ){0,3}?)"
    rf"(?P<noun>{_NOUNS})\b(?P<verb> (?:have|are|were|do|reach|{_OTHERS})\b)?"
)

# Blanks that hold a count; it is written with separators, while a year or an id never is.
_COUNTS = frozenset(
    (*_NOUNS.split("|"), "n", "count", "of", "total", "asked", "judged", "closed", "open")
)

# Signs of direction: a name that holds one would turn round the number behind it.
_TURNS = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))

_current: ContextVar[str] = ContextVar("svcmetrics_language", default="zh")


def use_language(code: str) -> None:
    """Set the language of everything displayed from now on: "zh" or "en"."""
    _current.set(_known(code))


def language() -> str:
    """The current display language."""
    return _current.get()


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Display in another language inside a ``with`` block."""
    token = _current.set(_known(code))
    try:
        yield
    finally:
        _current.reset(token)


def say(key: str, code: str | None = None, /, **values: Any) -> str:
    """The sentence of a key with its blanks filled, in the given or the current language."""
    template = phrases(code or language())[key]
    if (code or language()) == "en":
        template = singular(template, values)
    with speaking(code or language()):
        return plain(_BLANKS.vformat(template, (), values))


def plain(text: str) -> str:
    """A text without the invisible signs that make what follows read from right to left."""
    return text if text.isascii() else text.translate(_TURNS)


def has(key: str) -> bool:
    """Whether a sentence exists for this key."""
    return key in phrases("en")


@cache
def phrases(code: str) -> Mapping[str, str]:
    """All sentences of one language, keyed "section.name"."""
    text = resources.files(__name__).joinpath(f"{_known(code)}.toml").read_text("utf-8")
    return dict(_flat(tomllib.loads(text)))


def singular(template: str, values: Mapping[str, Any]) -> str:
    """An English sentence for counts of one: "1 row refers", not "1 rows refer"."""

    def one(match: re.Match[str]) -> str:
        value = values.get(match["blank"])
        if isinstance(value, bool) or value != 1:
            return match[0]
        noun = match["noun"]
        noun = f"{noun[:-3]}y" if noun.endswith("ies") else noun[:-1]
        verb = match["verb"] or ""
        return f"{match['number']}{noun}{_VERBS.get(verb, f'{verb}s') if verb else ''}"

    return _COUNTED.sub(one, template)


def blanks(template: str) -> set[str]:
    """The names of the blanks in a sentence."""
    return {
        name.split(".")[0].split("[")[0]
        for _, name, _, _ in string.Formatter().parse(template)
        if name
    }


def _known(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(
            f"语言 {code!r} 不可用,请用 zh 或 en / language {code!r} is not available; use zh or en"
        )
    return code


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


class _Blanks(string.Formatter):
    """Format that writes a dash for a missing number and joins lists the way the language does."""

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        value = super().get_value(key, args, kwargs)
        return f"{value:,}" if key in _COUNTS and _is_whole(value) else value

    def format_field(self, value: Any, spec: str) -> str:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return MISSING
        if isinstance(value, (list, tuple, set, frozenset)):
            joint = "、" if language() == "zh" else ", "
            return joint.join(str(v) for v in value) or MISSING
        if isinstance(value, str):
            return value
        return super().format_field(value, spec)


_BLANKS = _Blanks()
