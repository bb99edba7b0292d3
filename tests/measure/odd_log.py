"""A log in which everything happens that may happen to a case, most of it exactly at a boundary.

Written by hand and never drawn by chance: what the measures say of it is on record
(``tests/records``), and what follows from it without a computer is in the tests of each measure.
"""

import pandas as pd

from svcmetrics.measure import working_calendar
from tests.measure.logs import log

CALENDAR = pd.concat(
    [
        working_calendar(
            "2024-08-01", "2024-12-31", hours=[("09:00", "12:00"), ("13:00", "18:00")]
        ),
        working_calendar("2024-08-01", "2024-12-31", hours=[("10:00", "16:00")]).assign(
            calendar_id="short"
        ),
    ],
    ignore_index=True,
)

# PAY and BUY promise something, IT1 and GEN do not; OLD is out of scope; NEW is in no catalogue.
SERVICES = pd.DataFrame(
    {
        "service_id": ["PAY", "BUY", "IT1", "FIRE", "GEN", "OLD"],
        "provider_id": ["HR", "PUR", "IT", "IT", None, "HR"],
        "routine": ["routine", "routine", "nonroutine", "emergency", None, "routine"],
        "in_scope": [True, True, True, True, None, False],
        "promise_h": [16.0, 12.0, None, 4.0, None, 1.0],
        "clock": ["business", "business", "business", "calendar", "calendar", "calendar"],
        "calendar_id": ["cn", "short", "cn", "cn", "cn", "cn"],
        "valid_from": ["2024-09-01", None, None, None, None, None],
        "valid_to": ["2024-09-30", None, None, None, None, None],
        "output_form": ["table", "table", "opinion", "opinion", "table", "table"],
        "baseline_from": ["2024-09-01", "2024-09-01", None, "2024-09-01", "2024-09-01", None],
        "baseline_to": ["2024-09-08", "2024-09-08", None, "2024-09-08", "2024-09-08", None],
    }
)

STEPS = pd.DataFrame(
    {
        "service_id": ["PAY", "PAY", "PAY", "BUY", "BUY", "IT1", "FIRE", "GEN"],
        "step_no": [1, 2, 3, 1, 2, 1, 1, 1],
        "unit_id": ["HR", "FIN", "HR", "PUR", "FIN", "IT", "IT", "OFF"],
        "is_final": [False, False, True, False, True, True, True, True],
        "role_weight": [0.5, 0.2, 0.3, 0.6, None, 1.0, 1.0, 1.0],
        "promise_h": [6.0, None, None, 12.0, 12.0, None, 4.0, None],
        "after": ["", "1", "1 2", "", "", "", "", ""],
    }
)

_LINES = """
on PAY 2024-09-02T09:00 submit @B1 ~p1
on PAY 2024-09-02T15:00 deliver 1 @HR
on PAY 2024-09-02T16:00 approve 2 @FIN
on PAY 2024-09-03T18:00 deliver 3 @HR
on PAY 2024-09-03T18:00 close @HR
late PAY 2024-09-02T09:00 submit @B1 ~p2
late PAY 2024-09-02T09:00 accept 1 @HR
late PAY 2024-09-03T12:00 deliver 1 @HR
late PAY 2024-09-03T12:00 accept 2 @FIN
late PAY 2024-09-03T12:01 approve 2 @FIN
late PAY 2024-09-04T09:01 deliver 3 @HR
late PAY 2024-09-04T09:01 close @HR
gross PAY 2024-09-02T09:00 submit @B1 ~p3
gross PAY 2024-09-02T10:00 return 1 @HR
gross PAY 2024-09-03T10:00 pause 1 @HR
gross PAY 2024-09-03T11:00 resume 1 @HR
gross PAY 2024-09-04T09:00 resubmit @B1 ~p3
gross PAY 2024-09-04T11:00 deliver 1 @HR
gross PAY 2024-09-04T13:00 return 2 >1 @FIN
gross PAY 2024-09-04T14:00 deliver 1 @HR
gross PAY 2024-09-04T14:30 return 2 >1 @FIN
gross PAY 2024-09-04T15:00 deliver 1 @HR
gross PAY 2024-09-04T15:00 approve 2 @FIN auto
gross PAY 2024-09-04T16:00 deliver 3 @HR
gross PAY 2024-09-04T17:00 close @HR
worse PAY 2024-09-02T09:00 submit @B1 ~p4
worse PAY 2024-09-04T18:00 deliver 1 @HR
worse PAY 2024-09-05T09:00 pause 2 @FIN
worse PAY 2024-09-05T10:00 pause 2 @FIN
worse PAY 2024-09-05T17:00 resume 2 @FIN
worse PAY 2024-09-06T12:00 approve 2 @FIN
worse PAY 2024-09-06T15:00 deliver 3 @HR
worse PAY 2024-09-06T16:00 close @HR auto
worst PAY 2024-09-03T09:00 submit @B2 ~p5
worst PAY 2024-09-10T09:00 deliver 1 @HR
worst PAY 2024-09-10T10:00 return 2 >1 @FIN
worst PAY 2024-09-12T10:00 deliver 1 @HR
worst PAY 2024-09-12T11:00 approve 2 @FIN
worst PAY 2024-09-12T12:00 deliver 3 @HR
first PAY 2024-09-01T09:00 submit @B2 ~p6
first PAY 2024-09-05T09:00 deliver 3 @HR
last PAY 2024-09-30T23:30 submit @B2 ~p6
last PAY 2024-10-08T10:00 deliver 3 @HR
beyond PAY 2024-10-01T00:30 submit @B2 ~p7
beyond PAY 2024-10-08T10:00 deliver 3 @HR
before PAY 2024-08-30T09:00 submit @B2 ~p8
before PAY 2024-09-04T10:00 deliver 3 @HR
timeless BUY 2024-07-31T09:00 submit @B1 ~p9
timeless BUY 2024-08-05T09:00 deliver 2 @FIN
pending BUY 2024-10-09T10:00 submit @B1 ~p9
just BUY 2024-10-07T12:00 submit @B2 ~p8
waiting PAY 2024-09-12T09:00 submit @B1 ~p1
waiting PAY 2024-09-12T10:00 accept 1 @HR
overdue BUY 2024-09-02T09:00 submit @B2 ~p5
overdue BUY 2024-09-03T09:00 accept 1 @PUR
overdue BUY 2024-09-03T15:00 pause 1 @PUR
gone BUY 2024-09-02T10:00 submit @B2 ~p6
gone BUY 2024-09-03T10:00 return 1 @PUR
gone BUY 2024-09-04T10:00 withdraw @B2 ~p6
gone2 PAY 2024-09-02T10:00 submit @B1 ~p2
gone2 PAY 2024-09-02T11:00 withdraw @B1 ~p2
no1 BUY 2024-09-02T10:00 submit @B1 ~p1
no1 BUY 2024-09-02T12:00 reject 1 @PUR
no2 BUY 2024-09-03T10:00 submit @B1 ~p1
no2 BUY 2024-09-03T12:00 reject 1 @PUR
no3 BUY 2024-09-05T10:00 submit @B1 ~p1
no3 BUY 2024-09-05T11:00 deliver 1 @PUR
no3 BUY 2024-09-05T12:00 deliver 2 @FIN
no4 BUY 2024-09-02T10:00 submit @B2 ~p7
no4 BUY 2024-09-02T12:00 reject 1 @PUR
no5 BUY 2024-10-02T12:00 submit @B2 ~p7
no5 BUY 2024-10-09T12:00 deliver 2 @FIN
no6 PAY 2024-09-04T10:00 submit @B2 ~p9
no6 PAY 2024-09-04T12:00 reject 2 @FIN
no7 PAY 2024-10-04T12:01 submit @B2 ~p9
no8 PAY 2024-09-05T10:00 submit @B1 ~p3
no8 PAY 2024-09-05T12:00 reject 2 @FIN
no8 PAY 2024-09-05T13:00 resubmit @B1 ~p3
no8 PAY 2024-09-05T15:00 deliver 1 @HR
no8 PAY 2024-09-05T16:00 deliver 3 @HR
no9 IT1 2024-09-05T10:00 submit @B2 ~p8 <no6
no9 IT1 2024-09-05T11:00 reject 1 @IT
tail PAY 2024-09-06T09:00 accept 1 @HR
tail PAY 2024-09-06T10:00 deliver 3 @HR
odd PAY 2024-09-06T12:00 submit @B1 ~p4
odd PAY 2024-09-06T10:00 close @HR
again PAY 2024-09-06T09:00 submit @B1 ~p5
again PAY 2024-09-06T10:00 close @HR
again PAY 2024-09-06T11:00 deliver 3 @HR
open2 GEN 2024-09-06T09:00 submit @B1 ~p6
open2 GEN 2024-09-06T10:00 close @OFF
open2 GEN 2024-09-06T11:00 return 1 @OFF
old OLD 2024-09-06T09:00 submit @B1 ~p7
old OLD 2024-09-07T09:00 close @HR
new NEW 2024-09-06T09:00 submit @B1 ~p8
new NEW 2024-09-06T12:00 deliver 7 @XX
new NEW 2024-09-06T13:00 return 8 @YY
new NEW 2024-09-06T14:00 deliver 7 @XX
new NEW 2024-09-07T09:00 close
fire1 FIRE 2024-09-07T01:00 submit @B1 ~p1
fire1 FIRE 2024-09-07T05:00 deliver 1 @IT
fire2 FIRE 2024-09-07T01:00 submit @B2 ~p5
fire2 FIRE 2024-09-07T02:00 accept 1 @IT
fire2 FIRE 2024-09-07T03:00 deliver 1 @IT
fire2 FIRE 2024-09-07T04:00 return 2 >1 @FIN
fire2 FIRE 2024-09-07T09:00 deliver 1 @IT
fire2 FIRE 2024-09-07T09:30 close @IT
fire3 FIRE 2024-09-08T01:00 submit @B2 ~p6
it1 IT1 2024-09-04T09:00 submit @B1 ~p1
it1 IT1 2024-09-04T09:01 approve 1 @IT
it2 IT1 2024-09-04T09:00 submit @B2 ~p5
it2 IT1 2024-09-04T09:01:01 approve 1 @IT
it3 IT1 2024-09-04T09:00 submit @B1 ~p2
it3 IT1 2024-09-04T11:00 return 1 >1 @IT
it3 IT1 2024-09-04T12:00 deliver @IT
it3 IT1 2024-09-04T13:00 deliver 1
it3 IT1 2024-09-04T13:00 close
it4 IT1 2024-09-04T09:00 submit ~p3
it4 IT1 2024-09-04T09:30 return 1 @IT
gen1 GEN 2024-09-04T09:00 submit @B1
gen1 GEN 2024-09-04T09:20 comment @OFF
gen1 GEN 2024-09-04T09:30 accept 1 @OFF
gen1 GEN 2024-09-04T10:30 deliver 1 @OFF
gen1 GEN 2024-09-04T10:30 close @OFF
"""


def _alike() -> str:
    """Six ordinary cases of BUY in its baseline and five after it; of GEN four and four."""
    lines = []
    for service, unit, counts in (("BUY", "PUR", (6, 5)), ("GEN", "OFF", (4, 4))):
        for day, count, hours in ((3, counts[0], 3), (17, counts[1], 2)):
            for k in range(count):
                case, at = f"{service}{day}{k}", f"2024-09-{day + k % 3:02}T1{{}}:{10 * k:02}"
                lines += [
                    f"{case} {service} {at.format(0)} submit @B{1 + k % 2} ~q{k}",
                    f"{case} {service} {at.format(1)} accept 1 @{unit}",
                    f"{case} {service} {at.format(hours)} deliver 1 @{unit}",
                    f"{case} {service} {at.format(hours + k % 2)} approve 2 @FIN"
                    + (" auto" if k % 3 == 0 else ""),
                    f"{case} {service} {at.format(hours + 1)} close @{unit}",
                ]
    return "\n".join(lines)


_REASONS = ("资料不全", "填写错误", "资料不全", None, "超出范围")


def _with_reasons(events: pd.DataFrame) -> pd.DataFrame:
    back = events["action"].isin(("return", "reject"))
    said = pd.Series(_REASONS * len(events))[: back.sum()].to_numpy()
    return events.assign(reason_code=pd.Series(said, events.index[back]).reindex(events.index))


EVENTS = _with_reasons(log(_LINES + _alike()))

COMMITMENTS = pd.DataFrame(
    {
        "case_id": ["on", "late", "worse", "worse", "waiting", "it1", "it2", "fire1"],
        "rev": [1, 1, 1, 2, 1, 1, 1, 1],
        "agreed_at": ["2024-09-02T09:00", "2024-09-02T09:01", "2024-09-01T09:00", "2024-09-05T09:00",
                      "2024-09-10T09:00", "2024-09-03T09:00", "2024-09-03T09:00", "2024-09-06T09:00"],
        "due_at": ["2024-09-03T18:00", "2024-09-30T18:00", "2024-09-05T18:00", "2024-09-06T16:00",
                   "2025-02-01T18:00", "2024-09-04T09:01", "2024-09-04T09:01", "2024-09-07T04:59"],
    }
)  # fmt: skip
