"""Formality: did the raters judge, or did they go through the motions? One verdict per wave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, change_point, two_way
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import formality_copies, formality_late
from svcmetrics.verify import formality_signs as signs
from svcmetrics.verify import forms as reader
from svcmetrics.verify.formality_verdict import TOP, findings, verdict

SHARES = ("targets", "raters", "residual")
# Fewer forms than this in a wave: no verdict.
FORMS = 30
DRAWS = 1000


@metric(
    better="higher", low=0, high=1, drawing="over_waves",
    source="Henderson 1953, Biometrics 9, 226-252 (shares of variance); House method (copies, bits)",
)  # fmt: skip
def formality(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    item: str,
    score: str,
    wave: str | None = None,
    time: str | None = None,
    changed: str | None = None,
    rng: int | np.random.Generator = 1,
) -> Result:
    """Is a wave of ratings a formality: do answers still tell departments apart, or are they copied?

    ratings: one row per answer. rater, target, item, score, wave: columns; without ``wave`` all is
        one wave and copying cannot be seen.
    time: the column with the moment of submission; it also puts the waves in order.
    changed: a column of true and false: the facts about this department (time, returns) changed
        since the wave before.
    rng: seed or generator of the resamples of raters.

    Returns per wave:
    ``formality`` (variants targets, raters, residual): shares of the variance of form means. The
    share between targets is the index: near 0, the ratings do not tell departments apart.
    ``copying``: share of forms copied from the wave before, beyond what honest raters with lasting
    opinions repeat (``expected``); forms whose predecessor was a straight line are left out, for
    there a copy proves nothing. ``near_copying``: the same with at most one answer given anew (forms
    of four items and more); an alarm only where the same raters do so more often than at first
    (``chance``) and the deviations within their forms follow the last form more closely, which
    steadier raters alone do not bring about. ``copies``: share of all forms that equal their predecessor, beside
    ``chance`` (Σp² per item, from each rater's own habits). ``copies_changed``: the same where the
    facts had changed. ``flat``: forms with one answer throughout. ``identical_sheets``: raters whose
    whole sheet equals another's. ``late``: raters with at least half of their forms in the last tenth
    of the time, beside ``chance``, an even spread (tested as copying is). ``bits``: what a form
    tells that the answer before it and the last form did not. ``change``: the largest step.
    ``verdict``: fine, signs, mechanical, flat or too_few. Copying is tested at 5% over all waves
    together (Benjamini and Hochberg), so that honest waves raise an alarm in 5% of studies at most.

    Misleads: departments that are truly alike give a low share as well: see the copies beside it.
    Raters may wait for the end for good reasons, and do after reminders: compare waves.
    Raters sampled anew in each wave, or without a key, show no copies. Near copies made from the
    first wave on are told from steady raters only by the copies that turn out exact. Raters with
    firm opinions on single items who become much steadier repeat whole forms: where answers within
    a form also lie less far apart than at first, a finding says that it may be either. Copies with two and more
    answers given anew are not looked for. How much the answers of a form agree together is taken
    as the same in all waves.

    Source: Henderson 1953, method 1; limits by leaving out raters (jackknife) or by resampling
    raters. The test of copying is this toolkit's own; see ``numeric/copies.py``.

    >>> r = pd.DataFrame([(p, d, i, 1 + (p + 3 * d + i % 2) % 4 + d % 2) for p in range(9) for d in range(4)
    ...                   for i in range(3)], columns=["who", "unit", "item", "points"])
    >>> found = formality(r, rater="who", target="unit", item="item", score="points")
    >>> found.table["verdict"].iloc[0], len(found.table)
    ('fine', 9)
    """
    forms = reader.read(
        ratings, rater=rater, target=target, item=item, score=score, wave=wave, time=time,
        extra=(changed,),
    )  # fmt: skip
    about: dict[str, Any] = {
        "dropped": forms.dropped,
        "forms": len(forms),
        "items": len(forms.items),
    }
    if not len(forms):
        none = Finding("formality.nothing", {}, "refused")
        return Result("formality", estimates("formality", n=0), [none], about)
    seed = bootstrap.generator(rng)
    index, moved = _index(forms)
    copying, noise, either = formality_copies.copying(forms, DRAWS, seed)
    words = verdict(forms, index, copying, FORMS, either)
    parts = [index, copying, *signs.others(forms, time, changed)]
    steps = [
        _step("targets", index[index["variant"] == "targets"], change_point.multiplier_noise(moved, DRAWS, seed)),
        _step("copying", copying[copying["metric"] == "copying"], noise),
    ]  # fmt: skip
    table = _stacked(forms, [*parts, *[s for s in steps if s is not None]], wave, words)
    about |= {"method": "Henderson 1; beta-binomial excess of copies", "alarm_rate": 0.05,
              "draws": DRAWS, "waves": [str(w) for w in forms.waves], "unusable": TOP}  # fmt: skip
    said = findings(forms, table, wave, either) + formality_late.findings(table, wave)
    return Result("formality", table, said + forms.findings, about)


def _index(forms: reader.Forms) -> tuple[pd.DataFrame, np.ndarray]:
    """The three shares of each wave, and how far each group of raters moves the first one."""
    score, rows, moved = forms.centred(), [], []
    groups = min(len(forms.raters), two_way.GROUPS)
    for w in range(len(forms.waves)):
        here = forms.wave == w
        whole, left = two_way.shares(score[here], forms.target[here], forms.rater[here])
        low, high, away = two_way.jackknife(whole, left)
        low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
        point = np.where(np.isfinite(whole), np.clip(whole, 0, 1), np.nan)
        enough = len(left) > 2
        rows.append(estimates(
            "formality", variant=SHARES, estimate=point, low=np.where(enough, low, np.nan),
            high=np.where(enough, high, np.nan), n=int(here.sum()), raw=whole, position=w,
        ))  # fmt: skip
        present = np.unique(forms.rater[here])
        own = np.zeros(groups)
        used = np.arange(groups) if len(present) > two_way.GROUPS else present % groups
        np.add.at(own, used[: len(away)], away[:, 0])
        moved.append(own)
    return pd.concat(rows), np.stack(moved, axis=1)


def _step(name: str, rows: pd.DataFrame, noise: np.ndarray) -> pd.DataFrame | None:
    """The largest step of a series over waves; the wave named is the first after the step."""
    found = change_point.change_point(rows["estimate"].to_numpy(), noise)
    if found is None:
        return None
    return estimates(
        "change", variant=name, estimate=found.size, low=found.low, high=found.high,
        n=len(rows), p=found.p, position=int(rows["position"].iloc[found.first]),
    )  # fmt: skip


def _stacked(
    forms: reader.Forms, parts: list[pd.DataFrame], wave: str | None, words: list[str]
) -> pd.DataFrame:
    """All rows, with the wave in front and the extras behind."""
    table = pd.concat(parts)
    place = table.pop("position").to_numpy(int)
    for extra in ("chance", "expected", "p", "p_adjusted", "raw"):
        table[extra] = table.pop(extra) if extra in table else np.nan
    index = (table["metric"] == "formality") & (table["variant"] == "targets")
    table["verdict"] = np.where(index, np.array(words, dtype=object)[place], "")
    if wave is not None:
        table.insert(0, wave, [forms.waves[k] for k in place])
    return table
