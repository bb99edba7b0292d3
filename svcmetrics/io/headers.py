"""Which table, column or word is meant: machine name, Chinese or English, as people type them.

Case, spaces, full-width letters, brackets with a unit and stars are ignored.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from svcmetrics import lang
from svcmetrics.tables import TABLES

README_SHEET, CHECKS_SHEET, WORDS_SHEET = "说明 Read me", "检查 Checks", "词表 words"
# Sheets of the template that hold no data.
NO_TABLE = (README_SHEET, CHECKS_SHEET, WORDS_SHEET)

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^】]*】")
_SIGNS = re.compile(r"[\W_]+")
_YES = ("true", "t", "yes", "y", "1", "√", "✓", "✔", "对", "有")
_NO = ("false", "f", "no", "n", "0", "×", "✗", "✘", "错", "无")
# Headers of columns that may not come into a study. In Chinese a part of the header is enough.
_PERSONAL_PARTS = re.compile(
    r"姓名|名字|昵称|邮箱|邮件|手机|电话|工号|员工编号|身份证|微信号|e?mail|phone|mobile|wechat"
    r"|ipaddr|ip地址|来自ip|employee(no|num|id)|staff(no|num|id)|personnel|passport|idcard"
)
_PERSONAL_WHOLE = {
    "name", "ip", "fullname", "firstname", "lastname", "surname", "ratername", "judgename", "actorname",
    "username", "nickname", "employee", "employeename", "staffname",
}  # fmt: skip


def normal(text: object) -> str:
    """A header or word as it is compared: letters and digits of any script, lower case."""
    plain = unicodedata.normalize("NFKC", str(text)).strip().casefold()
    bare = _SIGNS.sub("", _BRACKETS.sub("", plain))
    return bare or _SIGNS.sub("", plain) or plain


@cache
def table_of(name: str) -> str | None:
    """The table that a sheet or file of this name holds, if any."""
    return _tables().get(normal(name))


@cache
def columns_of(table: str) -> dict[str, str]:
    """Every accepted header of a table, compared by ``normal``, and the column it names."""
    found: dict[str, str] = {}
    for column in TABLES[table].columns:
        zh, en = column.header(table, "zh"), column.header(table, "en")
        for form in _forms(column.name, zh, en):
            found.setdefault(form, column.name)
    return found


@cache
def words_of(column: str, words: tuple[str, ...]) -> dict[str, str]:
    """Every accepted form of the words of a column, and the machine word that it means."""
    found: dict[str, str] = {}
    for word in words:
        key = f"word.{column}.{word}"
        for form in _forms(word, lang.say(key, "zh"), lang.say(key, "en")):
            found.setdefault(form, word)
    return found


@cache
def yes_no() -> dict[str, bool]:
    """Every accepted form of yes and no."""
    found = dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)
    for word, value in (("true", True), ("false", False)):
        zh, en = (lang.say(f"word.bool.{word}", code) for code in lang.LANGUAGES)
        found |= dict.fromkeys(_forms(word, zh, en), value)
    return found


def is_personal(header: object) -> bool:
    """Whether a header announces names, addresses, telephone or personnel numbers."""
    form = normal(header)
    return form in _PERSONAL_WHOLE or bool(_PERSONAL_PARTS.search(form))


def suggestion(word: object, known: Iterable[str]) -> str:
    """The accepted word most like a misspelt one; a dash when none is near."""
    forms = {normal(k): k for k in known}
    near = difflib.get_close_matches(normal(word), list(forms), n=1, cutoff=0.6)
    return forms[near[0]] if near else lang.MISSING


@cache
def _tables() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in TABLES:
        key = f"table.{name}"
        for form in _forms(name, lang.say(key, "zh"), lang.say(key, "en")):
            found.setdefault(form, name)
    return found


def _forms(machine: str, zh: str, en: str) -> list[str]:
    """One name alone or two together, as in "部门 unit" or "单位 / unit (h)"."""
    names = [normal(n) for n in (machine, zh, en)]
    return [*names, *(a + b for a in names for b in names if a != b)]
