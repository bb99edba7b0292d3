"""Gaming: does anything look as if figures were steered instead of service improved?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.metric import metric
from svcmetrics.numeric import masking, outlier_counts, outliers
from svcmetrics.numeric.intervals import wilson
from svcmetrics.numeric.multiplicity import benjamini_hochberg, holm
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import gaming_log, gaming_votes

# Chance of any false alarm of one check, over all departments together.
LEVEL = 0.05
_VOTES = ("mutual_top", "revenge", "late_votes")


@metric(
    better="lower",
    drawing="flagged",
    source="Viechtbauer & Cheung 2010, Res. Synth. Methods 1, 112-125, eq. 15 (deleted residuals); "
    "Rosner 1983, Technometrics 25, 165-172 (several at once)",
)
def gaming(
    ratings: pd.DataFrame | None,
    *,
    events: pd.DataFrame | None = None,
    services: pd.DataFrame | None = None,
    commitments: pd.DataFrame | None = None,
    wave_ends: Mapping[str, Any] | None = None,
    since: str | None = None,
) -> Result:
    """Does anything look as if figures were steered instead of service improved?

    ratings: ``study.long_ratings()``, or None. events, services, commitments: tables of the study;
        a check whose table is missing is not made, and said so.
    wave_ends: the last moment of each wave; without it, the last 5% of its forms are the late ones.
    since: the day on which the evaluation began (for easy cases); otherwise the middle of the log.

    Returns a row per check and department, with the share of cases (Wilson interval) or the points
    (Student), the value ``expected`` from the *other* departments, ``p_adjusted`` over the rows of
    the check (``p_overall``: over all of the call), and ``flagged``.
    Checks: ``moved_deadline`` (put off in the last tenth of the time, after it, or
    against the requester), ``reopened``, ``restarted`` (withdrawn and begun anew within a day),
    ``split`` (several of the same person and service within 30 minutes), ``quiet_rework`` (output
    handed over again without a return on record), ``easy_cases`` (rise of cases that take less than
    a tenth of the usual time), ``mutual_top`` (two departments give each other the top score more often
    than others), ``revenge`` (a low score answered by a low score one wave later), ``late_votes``.
    No score is changed. n: cases, or raters; for revenge, pairs of waves.

    Misleads: there may be good reasons; a flag is a question to the department, never a verdict.
    What all departments do alike is not flagged. Several that do the same would hide one another; so
    fewer than half of them, ten at most, are also judged together, against the others alone, as long as
    these are four (``numeric.masking``; ``expected`` is then theirs). Two of five, or four of eight, still
    hide one another: read the estimates as well. Fewer than five departments cannot be compared.
    Departments differ honestly: each is judged against the spread among the others, and in each
    check the chance of any false alarm is held at 5% (Benjamini and Hochberg), as long as the log
    odds of honest departments scatter like a normal distribution: 1 to 4% of drawn counts with a spread
    of 0.5; with a spread of 1, where one honest department in forty has seven times the usual rate, 4 to
    6%. Few hits, and the rise of easy cases, are judged from the counts themselves
    (``numeric.outlier_counts``). Weak signs are not seen. In every second simulated study of eight
    departments are seen: work sent back by phone below 1% of a department's cases, reopened ones 1%,
    begun anew and split 1 to 2%, easy cases added 10%, deadlines put off 30% (of 36), mutual fives in
    half of the forms, late votes of 0.7 points, and paying back 1.3 times what was given; of two or three
    that do the same, 5% reopened, split or sent back by phone, and pairs with mutual fives in 70%, but
    not late votes of a point or paying back 1.5 times (``benchmarks/README.md``). Over nine checks
    false alarms may add up to 45%; the reading says so, and how many flags stand at 5% over all of them
    (``p_overall``, Holm). Flags are not held to that: with eight departments hardly anything would be seen.

    Source: Viechtbauer & Cheung 2010; Rosner 1983, Technometrics 25, 165-172 (several at once; here with
    exact chances, his hold from 25 values on); Higgins et al. 2009, J. R. Stat. Soc. A 172, 137-159; Holm 1979,
    Scand. J. Stat. 6, 65-70.

    >>> rows = [(f"{u}{k}", r, pd.Timestamp("2026-03-02") + pd.Timedelta(days=9 * r),
    ...          pd.Timestamp("2026-03-12") + pd.Timedelta(days=9 * r), u)
    ...         for u in "ABCDEF" for k in range(40) for r in range(1 + (u == "F"))]
    >>> due = pd.DataFrame(rows, columns=["case_id", "rev", "agreed_at", "due_at", "unit_id"])
    >>> found = gaming(None, commitments=due).table
    >>> found.loc[found["flagged"], ["unit", "metric", "estimate"]]
      unit          metric  estimate
    5    F  moved_deadline       1.0
    """
    counts, not_checked = _counts(events, services, commitments, since)
    parts = [_shares(c) for c in counts if len(c)]
    dropped: dict[str, int] = {}
    if ratings is not None:
        forms = gaming_votes.read(ratings)
        dropped |= forms.dropped
        found, missing = _votes(forms, wave_ends)
        parts, not_checked = parts + found, not_checked + missing
    else:
        not_checked.append("no_ratings")
    about: dict[str, Any] = {"dropped": dropped, "level": LEVEL, "not_checked": not_checked,
                             "method": "studentised deleted residuals, one or several; Benjamini-Hochberg"}  # fmt: skip
    table = _stacked(parts)
    return Result("gaming", table, _reading(table, not_checked), about)


def _counts(
    events: pd.DataFrame | None,
    services: pd.DataFrame | None,
    commitments: pd.DataFrame | None,
    since: str | None,
) -> tuple[list[pd.DataFrame], list[str]]:
    """Counts of the checks that these tables allow, and which tables are missing."""
    found, missing = [], []
    log = None if events is None or services is None else (events, services)
    if log:
        found += gaming_log.of_log(*log, since)
    else:
        missing.append("no_log")
    if commitments is not None and (log or "unit_id" in commitments):
        found.append(gaming_log.moved_deadlines(commitments, _owners(commitments, log)))
    else:
        missing.append("no_deadlines")
    return found, missing


def _owners(commitments: pd.DataFrame, log: tuple[pd.DataFrame, pd.DataFrame] | None) -> pd.Series:
    """The department that answers for each case."""
    if "unit_id" in commitments:
        return commitments.drop_duplicates("case_id").set_index("case_id")["unit_id"]
    if log is None:
        return pd.Series(dtype="object")
    case = log[0].drop_duplicates("case_id").set_index("case_id")["service_id"]
    return case.map(log[1].set_index("service_id")["provider_id"])


def _shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Share of each department beside what the others let expect."""
    hits, trials = (counts[c].to_numpy("float64") for c in ("hits", "trials"))
    share, (low, high) = hits / trials, wilson(hits, trials)
    if "hits_before" in counts:
        # A rise against the department's own past: honest differences of level drop out.
        b, n = (counts[f"{c}_before"].to_numpy("float64") for c in ("hits", "trials"))
        against = masking.several(outlier_counts.risen(hits, b, trials / n), len(hits))
        expected = np.minimum((b + 0.5) / (n + 1) * against.expected, 1.0)
    else:
        against = masking.several(outlier_counts.above(hits, trials), len(hits))
        expected = against.expected
    return estimates(
        counts["check"].iloc[0], groups={"unit": counts["unit"].astype(str), "other": ""},
        estimate=share, low=low, high=high, n=trials.astype(int),
        expected=expected, t=against.t, p=against.p,
    )  # fmt: skip


def _votes(
    forms: gaming_votes.reader.Forms, wave_ends: Mapping[str, Any] | None
) -> tuple[list[pd.DataFrame], list[str]]:
    found, missing = [], []
    if "rater_unit_id" in forms.extra:
        found.append(_mutual(gaming_votes.mutual_top(forms)))
        found.append(_slopes(gaming_votes.revenge(forms)))
    else:
        missing.append("no_rater_units")
    if "submitted_at" in forms.extra and pd.notna(forms.extra["submitted_at"]).any():
        ends = pd.Series({str(k): v for k, v in wave_ends.items()}) if wave_ends else None
        found.append(_points("late_votes", gaming_votes.late_votes(forms, ends)))
    else:
        missing.append("no_moments")
    return [f for f in found if len(f)], missing


def _points(check: str, blocks: pd.DataFrame) -> pd.DataFrame:
    """Points of each block beside what the other blocks let expect."""
    mean, variance, n = (blocks[c].to_numpy("float64") for c in ("mean", "variance", "n"))
    against = masking.several(partial(outliers.deleted, mean, variance), len(mean))
    half = special.stdtrit(n - 1, 0.975) * np.sqrt(variance)
    return estimates(
        check, groups={"unit": blocks["unit"].astype(str), "other": blocks["other"].astype(str)},
        estimate=mean, low=mean - half, high=mean + half, n=n.astype(int),
        expected=against.expected, t=against.t, p=against.p,
    )  # fmt: skip


def _mutual(blocks: pd.DataFrame) -> pd.DataFrame:
    """Pairs of departments: the weaker of the two directions decides, since both must stand out."""
    one = _points("mutual_top", blocks)
    both = one.merge(
        one, left_on=["unit", "other"], right_on=["other", "unit"], suffixes=("", "_back")
    )
    both = both[both["unit"] < both["other"]]
    # Two that are told together have one p: then the one nearer to the others is the weaker.
    alike = (both["p_back"] == both["p"]) & (both["t_back"] < both["t"])
    weaker = ((both["p_back"] > both["p"]) | alike).to_numpy()
    for column in ("estimate", "low", "high", "n", "expected", "t", "p"):
        both[column] = both[column].mask(weaker, both[f"{column}_back"])
    return both[one.columns]


def _slopes(steps: pd.DataFrame) -> pd.DataFrame:
    """How far each department answers a change towards it with the same change one wave later."""
    rows = steps.assign(xy=steps["now"] * steps["then"], xx=steps["then"] ** 2)
    per = rows.groupby("unit").agg(xy=("xy", "sum"), xx=("xx", "sum"), n=("xx", "size"))
    per = per[(per["xx"] > 0) & (per["n"] >= 5)]
    if per.empty:
        return _points("revenge", pd.DataFrame(columns=["unit", "other", "mean", "variance", "n"]))
    rows = rows[rows["unit"].isin(per.index)]
    slope = per["xy"] / per["xx"]
    error = (rows["now"] - rows["unit"].map(slope) * rows["then"]) * rows["then"]
    variance = (error**2).groupby(rows["unit"]).sum().reindex(per.index) / per["xx"] ** 2
    return _points("revenge", pd.DataFrame({
        "unit": per.index, "other": "", "mean": slope.to_numpy(),
        "variance": variance.to_numpy(), "n": per["n"].to_numpy(),
    }))  # fmt: skip


def _stacked(parts: list[pd.DataFrame]) -> pd.DataFrame:
    if not parts:
        return estimates("gaming", groups={"unit": "", "other": ""}, n=0, flagged=False)
    table = pd.concat(parts, ignore_index=True)
    table["p_adjusted"] = table.groupby("metric")["p"].transform(
        lambda p: pd.Series(benjamini_hochberg(p), index=p.index)
    )
    table["p_overall"] = holm(table["p"])
    table["flagged"] = (table["p_adjusted"] <= LEVEL).to_numpy()
    return table.sort_values(["metric", "unit", "other"], kind="stable")


def _reading(table: pd.DataFrame, not_checked: list[str]) -> list[Finding]:
    tested = table[table["p"].notna()] if "p" in table else table.iloc[:0]
    about: dict[str, Any] = {"rows": len(tested), "checks": tested["metric"].nunique()}
    flagged = table[table["flagged"].astype(bool)]
    if len(flagged):
        # However the checks hang together: their chances add up at most.
        sure = int((flagged["p_overall"] <= LEVEL).sum())
        about |= {"any": min(100 * LEVEL * about["checks"], 100.0), "sure": sure}
    found = [_told(row) for _, row in flagged.iterrows()]
    if not len(tested):
        found.append(Finding("gaming.none_possible", {}, "refused"))
    else:
        found.append(Finding("gaming.a_question" if found else "gaming.nothing", about))
    return found + [Finding(f"gaming.{key}") for key in not_checked]


def _told(row: pd.Series) -> Finding:
    share = row["metric"] not in _VOTES or row["metric"] == "mutual_top"
    scale = 100 if share else 1
    values = {"unit": row["unit"], "other": row["other"], "n": int(row["n"]),
              **{k: scale * row[k] for k in ("estimate", "low", "high", "expected")}}  # fmt: skip
    return Finding(f"gaming.{row['metric']}", values, "warning")
