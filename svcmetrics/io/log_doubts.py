"""What a mapping of actions makes of a log and can hardly be meant: told, never corrected."""

from __future__ import annotations

import pandas as pd

from svcmetrics.io.quality import Tally

# A log in which more than this share of the completed cases was sent back, and at least so many of them.
_SHARE, _LEAST = 0.5, 20
_NAMED = 5


def tell_returns(events: pd.DataFrame, tally: Tally) -> None:
    """Warn where most completed cases were sent back: a usual step may bear a name like a return.

    A signed offer that the customer sends back is no return of work, though it is called
    "sent back". Completed are cases that were closed; in a log without closing, those that were
    neither rejected nor withdrawn.
    """
    case, action = events["case_id"], events["action"]
    closed, ended = set(case[action == "close"]), set(case[action.isin(["reject", "withdraw"])])
    completed = closed or set(case) - ended
    back = events[(action == "return") & case.isin(completed)]
    cases = back["case_id"].nunique()
    if len(completed) < _LEAST or cases <= _SHARE * len(completed):
        return
    names = back["word"].fillna(back["activity"]).value_counts().index[:_NAMED]
    share = cases / len(completed)
    tally.say("often_returned", "warning", share=share, of=len(completed), names=list(names))
