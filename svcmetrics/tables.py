"""The twelve tables of a study: columns, types, bounds and keys, stated once.

Templates, checks, the data dictionary and the importers are all built from ``TABLES``. Headers
and word lists in Chinese and English live in the language files (``column.*``, ``word.*``).

A rating refers to a plan row (``plan_id``) or to a case (``case_id``); in a lite study, which has
no plan, it says itself who rated whom (``INLINE_PLAN``). ``study.long_ratings`` reads all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from svcmetrics import lang
from svcmetrics.columns import complete, numbers, once, require, to_scores, unique

Kind = Literal["id", "text", "word", "int", "float", "bool", "time", "date", "clock"]


@dataclass(frozen=True)
class Column:
    """One column: its kind, whether it must be there, its words or bounds, what it refers to."""

    name: str
    kind: Kind
    required: bool = False
    words: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    refers: str = ""  # "unit.unit_id"
    unit: str = ""  # "h", "s": printed in headers

    def header(self, table: str, code: str) -> str:
        """The header in a reader's language; the same column of two tables may share one."""
        own, common = f"column.{table}.{self.name}", f"column.any.{self.name}"
        return lang.say(own if lang.has(own) else common, code)


@dataclass(frozen=True)
class Table:
    """One table: its name, primary key and columns."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def __getitem__(self, column: str) -> Column:
        return next(c for c in self.columns if c.name == column)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.required)


def _id(name: str, refers: str = "", *, required: bool = False) -> Column:
    return Column(name, "id", required, refers=refers)


def _text(name: str, *, required: bool = False) -> Column:
    return Column(name, "text", required)


def _word(name: str, words: str, *, required: bool = False) -> Column:
    return Column(name, "word", required, tuple(words.split()))


def _flag(name: str, *, required: bool = False) -> Column:
    return Column(name, "bool", required)


def _time(name: str, *, required: bool = False) -> Column:
    return Column(name, "time", required)


def _date(name: str, *, required: bool = False) -> Column:
    return Column(name, "date", required)


def _number(
    name: str,
    low: float | None = None,
    high: float | None = None,
    *,
    required: bool = False,
    unit: str = "",
) -> Column:
    return Column(name, "float", required, low=low, high=high, unit=unit)


def _whole(name: str, low: float | None = None, *, required: bool = False) -> Column:
    return Column(name, "int", required, low=low)


# The smallest number above zero that a duration or a judgement may take.
_ABOVE_ZERO = float(np.nextafter(0, 1))

UNIT = Table("unit", ("unit_id",), (
    _id("unit_id", required=True), _text("name_zh"), _text("name_en"), _id("parent_id", "unit.unit_id"),
    _flag("is_service_unit", required=True), _text("category"), _whole("headcount", 1), _flag("in_pilot"),
))  # fmt: skip
SERVICE = Table("service", ("service_id",), (
    _id("service_id", required=True), _text("name_zh"), _text("name_en"),
    _id("provider_id", "unit.unit_id", required=True),
    _word("output_kind", "service software hardware processed_material", required=True),
    _word("output_form", "table report plan document other"),
    _word("relation", "public_service collaboration control"),
    _word("routine", "routine nonroutine emergency", required=True),
    _flag("in_scope", required=True), _text("scope_reason", required=True),
    _number("promise_h", _ABOVE_ZERO, unit="h"), _word("clock", "business calendar"),
    _id("calendar_id", "calendar.calendar_id"),
    _date("baseline_from"), _date("baseline_to"), _date("valid_from"), _date("valid_to"),
))  # fmt: skip
STEP = Table("step", ("service_id", "step_no"), (
    _id("service_id", "service.service_id", required=True), _whole("step_no", 1, required=True),
    _text("name_zh"), _text("name_en"), _id("unit_id", "unit.unit_id", required=True),
    _word("role", "lead do approve consult", required=True), _flag("is_final"),
    _number("promise_h", _ABOVE_ZERO, unit="h"), _number("role_weight", 0, 1),
))  # fmt: skip
_ACTIONS = (
    "submit accept deliver approve return reject resubmit "
    "withdraw reassign pause resume comment close"
)
EVENT = Table("event", ("case_id", "seq"), (
    _id("case_id", required=True), _whole("seq", 0, required=True),
    _id("service_id", "service.service_id", required=True), _time("at", required=True),
    _whole("step_no", 1), _whole("to_step_no", 1), _id("unit_id", "unit.unit_id"), _id("actor_key"),
    _word("action", _ACTIONS, required=True),
    _text("reason_code"), _flag("is_auto"), _id("prev_case_id"),
))  # fmt: skip
COMMITMENT = Table("commitment", ("case_id", "rev"), (
    _id("case_id", required=True), _whole("rev", 0, required=True), _time("agreed_at", required=True),
    _time("due_at", required=True), _flag("requester_ok"), _flag("provider_ok"), _text("reason"),
))  # fmt: skip
CALENDAR = Table("calendar", ("calendar_id", "date", "slot"), (
    _id("calendar_id", required=True), _date("date", required=True), _whole("slot", 0, required=True),
    _flag("is_workday", required=True), Column("open", "clock"), Column("close", "clock"),
    _text("source", required=True), _word("status", "official provisional", required=True),
))  # fmt: skip
ITEM = Table("item", ("form_version", "item_id"), (
    _id("form_version", required=True), _id("item_id", required=True), _text("dimension", required=True),
    _word("aspect", "result behaviour", required=True), _text("text_zh"), _text("text_en"),
    _number("min", required=True), _number("max", required=True), _flag("reversed"), _text("anchors"), _text("source"),
))  # fmt: skip
PLAN = Table("plan", ("plan_id",), (
    _id("plan_id", required=True), _id("wave", required=True), _id("rater_key", required=True),
    _id("rater_unit_id", "unit.unit_id", required=True),
    _word("rater_role", "employee downstream supervisor", required=True),
    _id("target_id", "unit.unit_id", required=True), _id("service_id", "service.service_id"),
    _word("trigger", "case_close periodic"), _word("mode", "anonymous confidential named", required=True),
    _id("form_version", required=True), _whole("cases_in_window", 0),
))  # fmt: skip
# A lite study has no plan: its ratings then say themselves who rated whom, in the last seven columns.
RATING = Table("rating", ("plan_id", "case_id", "item_id"), (
    _id("plan_id", "plan.plan_id"), _id("case_id"), _id("item_id", "item.item_id", required=True),
    _number("score"), _text("na_reason"), _time("submitted_at"), _number("seconds", 0, unit="s"), _text("reason"),
    _id("wave"), _id("rater_key"), _id("rater_unit_id", "unit.unit_id"),
    _word("rater_role", "employee downstream supervisor"), _id("target_id", "unit.unit_id"),
    _id("service_id", "service.service_id"), _word("mode", "anonymous confidential named"),
))  # fmt: skip
JUDGEMENT = Table("judgement", ("set_id", "judge_key", "node_a", "node_b"), (
    _id("set_id", required=True), _id("judge_key", required=True), _text("node_a", required=True), _text("node_b"),
    _word("method", "ahp bwm swing direct points", required=True),
    _number("value", _ABOVE_ZERO, required=True), _time("at"),
))  # fmt: skip
WEIGHT = Table("weight", ("set_id", "node"), (
    _id("set_id", required=True), _text("node", required=True), _text("parent"), _number("weight", 0, 1),
    _number("low", 0, 1), _number("high", 0, 1), _text("method", required=True), _text("fitted_waves"),
    _time("frozen_at"), _text("digest"),
))  # fmt: skip
RELEVANCE = Table("relevance", ("form_version", "item_id", "judge_key"), (
    _id("form_version", required=True), _id("item_id", "item.item_id", required=True), _id("judge_key", required=True),
    _word("relevance", "1 2 3 4 essential useful not_necessary", required=True),
))  # fmt: skip

TABLES: dict[str, Table] = {
    t.name: t
    for t in (
        UNIT,
        SERVICE,
        STEP,
        EVENT,
        COMMITMENT,
        CALENDAR,
        ITEM,
        PLAN,
        RATING,
        JUDGEMENT,
        WEIGHT,
        RELEVANCE,
    )
}
# What a rating of a lite study says in place of a plan row.
INLINE_PLAN = (
    "wave",
    "rater_key",
    "rater_unit_id",
    "rater_role",
    "target_id",
    "service_id",
    "mode",
)
# What a first result needs; every further table switches on what needs it.
LITE = ("unit", "service", "rating")


def words_of(column: str) -> tuple[str, ...]:
    """The machine words of a word column, e.g. of "action"."""
    return next(c.words for t in TABLES.values() for c in t.columns if c.name == column and c.words)


__all__ = [
    "INLINE_PLAN", "LITE", "TABLES", "Column", "Kind", "Table",
    "complete", "numbers", "once", "require", "to_scores", "unique", "words_of",
]  # fmt: skip
