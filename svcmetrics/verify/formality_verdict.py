"""One plain verdict per wave, with advice: is this wave worth using?

Not a statistic. A verdict rests on effects and their intervals; thresholds stand here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.result import Finding, Level
from svcmetrics.verify.forms import Forms

# A wave is mechanical when at least this share of its forms is copied (lower limit) …
COPIED = 0.10
# … or when less than this share of the variance lies between departments (upper limit) …
INDEX = 0.05
# … and without information when one answer makes up this share of all answers.
ONE_ANSWER = 0.90
ALARM = 0.05
TOP = {
    "copied_at_least": COPIED,
    "between_targets_at_most": INDEX,
    "one_answer_at_least": ONE_ANSWER,
}


def verdict(
    forms: Forms, index: pd.DataFrame, copying: pd.DataFrame, least: int, either: list[int]
) -> list[str]:
    """One word per wave: too_few, flat, mechanical, signs or fine.

    ``either``: waves in which raters who became steadier would raise the alarm of copying, too;
    it is then no more than a sign.
    """
    targets = index[index["variant"] == "targets"].sort_values("position")
    exact, near = (
        copying[copying["metric"] == name].sort_values("position")
        for name in ("copying", "near_copying")
    )
    return [
        _word(forms, w, (targets.iloc[w], exact.iloc[w], near.iloc[w]), least, w in either)
        for w in range(len(forms.waves))
    ]


def _word(
    forms: Forms, w: int, rows: tuple[pd.Series, pd.Series, pd.Series], least: int, either: bool
) -> str:
    index, copied, near = rows
    if index["n"] < least:
        return "too_few"
    if one_answer(forms, w)[0] >= ONE_ANSWER:
        return "flat"
    alarm = copied["p_adjusted"] <= ALARM
    if index["high"] < INDEX or (alarm and copied["low"] >= COPIED and not either):
        return "mechanical"
    return "signs" if alarm or near["p_adjusted"] <= ALARM else "fine"


def one_answer(forms: Forms, w: int) -> tuple[float, float]:
    """The share of the most frequent answer of a wave, and that answer."""
    times = forms.counted[w].sum(axis=0)
    return float(times.max() / times.sum()), float(forms.coded[1][times.argmax()])


def findings(
    forms: Forms, table: pd.DataFrame, wave: str | None, either: list[int]
) -> list[Finding]:
    """What each wave says, then what happened over the waves, then what could not be seen.

    ``either``: waves in which raters who became steadier would raise the alarm of copying, too.
    """
    place = dict(zip(forms.waves, range(len(forms.waves))))
    rows = table.assign(position=[place[w] for w in table[wave]] if wave else 0)
    out = [_of_wave(forms, rows[rows["position"] == w], w) for w in range(len(forms.waves))]
    steps = rows[(rows["metric"] == "change") & (rows["p"] <= ALARM)]
    for step in steps.to_dict("records"):
        worse = (step["estimate"] > 0) == (step["variant"] == "copying")
        values = {"wave": str(forms.waves[step["position"]]), "size": 100 * abs(step["estimate"]),
                  "low": 100 * min(abs(step["low"]), abs(step["high"])),
                  "high": 100 * max(abs(step["low"]), abs(step["high"]))}  # fmt: skip
        key = f"formality.{step['variant']}_{'up' if step['estimate'] > 0 else 'down'}"
        out.append(Finding(key, values, "warning" if worse else "note"))
    if either:
        named = {"waves": [str(forms.waves[w]) for w in either]}
        out.append(Finding("formality.steadier", named, "note"))
    words = {r for r in table["verdict"] if r}
    if words & {"mechanical", "signs", "flat"}:
        out.append(Finding("formality.advice", {}, "note"))
    return out + _unseen(forms, table)


def _of_wave(forms: Forms, rows: pd.DataFrame, w: int) -> Finding:
    index = rows[(rows["metric"] == "formality") & (rows["variant"] == "targets")].iloc[0]
    copied, near = (rows[rows["metric"] == k].iloc[0] for k in ("copying", "near_copying"))
    top, value = one_answer(forms, w)
    values = {
        "wave": str(forms.waves[w]), "n": int(index["n"]), "share": 100 * index["estimate"],
        "low": 100 * index["low"], "high": 100 * index["high"], "copied": 100 * copied["estimate"],
        "copied_low": 100 * copied["low"], "copied_high": 100 * copied["high"],
        "top": 100 * top, "value": value,
    }  # fmt: skip
    word = index["verdict"]
    if word == "signs" and not copied["p_adjusted"] <= ALARM:
        values |= {"near": 100 * near["estimate"], "near_low": 100 * near["low"],
                   "near_high": 100 * near["high"]}  # fmt: skip
        return Finding("formality.signs_near", values, "warning")
    seen = "" if np.isfinite(copied["estimate"]) or word in ("flat", "too_few") else "_once"
    named = "" if forms.waves != [""] else "_whole"
    level: Level = "note" if word == "fine" else "refused" if word == "too_few" else "warning"
    return Finding(f"formality.{word}{named or seen}", values, level)


def _unseen(forms: Forms, table: pd.DataFrame) -> list[Finding]:
    """What the data cannot show: one wave only, or raters without a lasting key."""
    if len(forms.waves) < 2:
        return [Finding("formality.one_wave", {}, "note")]
    pairs = table.loc[table["metric"] == "copies", "n"].to_numpy()[1:]
    if not pairs.sum():
        return [Finding("formality.no_key", {"waves": len(forms.waves)}, "warning")]
    few = table[(table["metric"] == "copying") & (table["n"] < 30)]
    return [Finding("formality.few_pairs", {"count": len(few) - 1}, "note")] if len(few) > 1 else []
