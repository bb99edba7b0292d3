"""Labels for the persons of one report: what is written in one cannot be looked up in another or in the study."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from svcmetrics.privacy.pseudonyms import load_key
from svcmetrics.study import Study

# Columns of persons, and of the rows of a plan, which lead to a person.
_PERSONS = {
    "plan": "rater_key", "rating": "rater_key", "event": "actor_key",
    "judgement": "judge_key", "relevance": "judge_key",
}  # fmt: skip
_DIGITS = 8  # of 32 signs: two of ten thousand persons share a label with probability 5e-5
_WORD = r"[0-9A-Za-z_\-]{6,}"
_SHORT = 6


def report_labels(study: Study, inputs: Mapping[str, str]) -> dict[str, str]:
    """A label for every person and plan row of a study, made for one report.

    ``inputs``: the digests of the files that the report rests on. The same files give the same
    labels, so that a report can be made again byte by byte; other files give other labels, which only
    the study's key could bring together.

    Misleads: persons who are called by one to five Latin letters or digits keep that name, since
    it could be any number of the page; the import makes no such names.
    """
    secret = report_secret(study.settings.name, inputs)
    taken = _not_persons(study)
    found: dict[str, str] = {}
    for table, column in _PERSONS.items():
        found |= {k: label("R-", k, secret) for k in _distinct(study.get(table), column)}
    found |= {k: label("F-", k, secret) for k in _distinct(study.get("plan"), "plan_id")}
    return {k: label for k, label in found.items() if k not in taken and _is_clear(k)}


def relabelled(text: str, labels: Mapping[str, str]) -> str:
    """A text with labels in place of persons and plan rows."""
    out = re.sub(_WORD, lambda m: labels.get(m[0], m[0]), text)
    # Other names are sought one by one, the longest first.
    odd = sorted((k for k in labels if not re.fullmatch(_WORD, k)), key=len, reverse=True)
    if odd:
        out = re.sub("|".join(map(re.escape, odd)), lambda m: labels[m[0]], out)
    return out


def report_secret(study: str, inputs: Mapping[str, str]) -> bytes:
    """What the labels of one report are made with; ``study`` is its name."""
    told = "report" + json.dumps(dict(inputs), sort_keys=True)
    return hmac.digest(load_key(study), told.encode(), "sha256")


def label(kind: str, key: str, secret: bytes) -> str:
    """The label of one person ("R-…") or form ("F-…")."""
    mark = base64.b32encode(hmac.digest(secret, key.encode(), "sha256")).decode()
    return kind + mark[:_DIGITS]


def _distinct(table: Any, column: str) -> list[str]:
    if table is None or column not in table.columns:
        return []
    if isinstance(table, pd.DataFrame):
        return [str(v) for v in table[column].dropna().unique()]
    values = table.select(column).distinct().execute()[column]
    return [str(v) for v in values.dropna()]


def _not_persons(study: Study) -> set[str]:
    """Departments that rate in their own name keep it."""
    known: set[str] = set()
    for name in ("unit", "service"):
        table = study.get(name)
        for column in (f"{name}_id", "name_zh", "name_en") if table is not None else ():
            known |= set(_distinct(table, column))
    return known


def _is_clear(key: str) -> bool:
    return len(key) >= _SHORT or (len(key) > 1 and not key.isascii())
