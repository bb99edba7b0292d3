"""Small workflow logs that can be checked by hand."""

import pandas as pd

from svcmetrics.measure import working_calendar

CALENDAR = working_calendar(
    "2024-08-01", "2024-12-31", hours=[("09:00", "12:00"), ("13:00", "18:00")]
)

SERVICES = pd.DataFrame(
    {
        "service_id": ["PAY", "IT1", "FIRE"],
        "provider_id": ["HR", "IT", "IT"],
        "routine": ["routine", "nonroutine", "emergency"],
        "in_scope": True,
        "promise_h": [16.0, None, 4.0],
        "clock": ["business", "business", "calendar"],
        "calendar_id": "cn",
    }
)

STEPS = pd.DataFrame(
    {
        "service_id": ["PAY", "PAY", "PAY", "IT1", "FIRE"],
        "step_no": [1, 2, 3, 1, 1],
        "unit_id": ["HR", "FIN", "HR", "IT", "IT"],
        "is_final": [False, False, True, True, True],
    }
)


def log(text: str) -> pd.DataFrame:
    """Lines ``case service time action [step] [>to] [@unit] [~actor] [auto] [<previous case]``."""
    rows, seq = [], {}
    for line in filter(None, (x.strip() for x in text.splitlines())):
        case, service, at, action, *more = line.split()
        seq[case] = seq.get(case, 0) + 1
        row = {"case_id": case, "seq": seq[case], "service_id": service, "action": action}
        row |= {"at": pd.Timestamp(at).tz_localize("Asia/Shanghai"), "is_auto": "auto" in more}
        for word in more:
            if word.isdigit():
                row["step_no"] = int(word)
            elif word[0] in ">@~<":
                name = {">": "to_step_no", "@": "unit_id", "~": "actor_key", "<": "prev_case_id"}[
                    word[0]
                ]
                row[name] = int(word[1:]) if word[0] == ">" else word[1:]
        rows.append(row)
    columns = [
        "case_id", "seq", "service_id", "at", "step_no", "to_step_no", "unit_id", "actor_key",
        "action", "is_auto", "prev_case_id",
    ]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=columns)


# a: on time, one return to step 1, a pause. b: late. c: to the requester and back. d: rejected and
# taken up by e (by id). f: open and overdue. g: withdrawn. h: an emergency. i: without a promise.
SMALL = log("""
a PAY 2024-09-02T09:00 submit ~p1
a PAY 2024-09-02T10:00 accept 1 @HR
a PAY 2024-09-02T11:00 deliver 1 @HR
a PAY 2024-09-02T14:00 return 2 >1 @FIN
a PAY 2024-09-02T14:30 pause 1 @HR
a PAY 2024-09-03T14:30 resume 1 @HR
a PAY 2024-09-03T15:30 deliver 1 @HR
a PAY 2024-09-03T16:00 approve 2 @FIN
a PAY 2024-09-03T17:00 deliver 3 @HR
a PAY 2024-09-03T17:00 close @HR auto
b PAY 2024-09-02T09:00 submit ~p2
b PAY 2024-09-04T09:00 deliver 1 @HR
b PAY 2024-09-04T09:00 approve 2 @FIN auto
b PAY 2024-09-06T18:00 deliver 3 @HR
b PAY 2024-09-06T18:00 close @HR
c PAY 2024-09-02T09:00 submit ~p3
c PAY 2024-09-02T10:00 return 1 @HR
c PAY 2024-09-04T10:00 resubmit ~p3
c PAY 2024-09-04T15:00 deliver 1 @HR
c PAY 2024-09-04T15:20 approve 2 @FIN
c PAY 2024-09-04T16:00 deliver 3 @HR
d PAY 2024-09-02T09:00 submit ~p4
d PAY 2024-09-02T12:00 deliver 1 @HR
d PAY 2024-09-02T15:00 reject 2 @FIN
e PAY 2024-09-05T09:00 submit ~p4 <d
e PAY 2024-09-05T12:00 deliver 1 @HR
e PAY 2024-09-05T15:00 approve 2 @FIN
e PAY 2024-09-05T16:00 deliver 3 @HR
e PAY 2024-09-05T16:00 close @HR
f PAY 2024-09-02T09:00 submit ~p5
f PAY 2024-09-02T10:00 accept 1 @HR
g PAY 2024-09-03T09:00 submit ~p6
g PAY 2024-09-03T12:00 withdraw ~p6
h FIRE 2024-09-07T01:00 submit ~p7
h FIRE 2024-09-07T03:00 deliver 1 @IT
h FIRE 2024-09-07T03:30 close @IT
i IT1 2024-09-04T09:00 submit ~p1
i IT1 2024-09-09T10:00 deliver 1 @IT
i IT1 2024-09-09T10:00 close @IT
""")


def two_years() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cases of two services, and their catalogue: PAY takes 10 h in 2024 and 8 h in 2025, BUY 100 h.

    PAY is lodged in March of both years, BUY in March 2024 and from June 2025 on.
    """
    rows = []
    for service, month, hours in (
        ("PAY", "2024-03", 10), ("PAY", "2025-03", 8), ("BUY", "2024-03", 100), ("BUY", "2025-06", 100),
    ):  # fmt: skip
        for day in range(1, 11):
            case, start = f"{service}{month}{day}", pd.Timestamp(f"{month}-{day:02}T09:00")
            end = start + pd.Timedelta(hours=hours * (1.1 if day % 2 else 1 / 1.1))
            rows += [(case, 1, service, start, "submit"), (case, 2, service, end, "close")]
    events = pd.DataFrame(rows, columns=["case_id", "seq", "service_id", "at", "action"])
    services = pd.DataFrame(
        {
            "service_id": ["PAY", "BUY"], "provider_id": ["HR", "PUR"], "clock": "calendar",
            "promise_h": [9.5, 100.0], "routine": "routine", "output_form": ["table", "table"],
            "baseline_from": "2024-01-01", "baseline_to": "2024-12-31",
        }
    )  # fmt: skip
    return events, services


def asked() -> pd.DataFrame:
    """First submissions of six people of B1, five of B2 and one of B3; who sends what back, and when.

    Each line: unit, person, service, and what follows the submission. ``r`` returns to the
    requester, ``s`` is submitted again, ``o`` an output, ``a`` an approval by the requester's own
    unit, ``x`` a rejection, ``c`` a close.
    """
    lines = """
    B1 p1 PAY oc
    B1 p2 PAY rsoc
    B1 p3 PAY rsrsoc
    B1 p4 PAY orsoc
    B1 p5 PAY arsoc
    B1 p6 PAY xs
    B2 q1 PAY oc
    B2 q2 PAY oc
    B2 q3 PAY oc
    B2 q4 PAY oc
    B2 q5 PAY x
    B2 q5 PAY -
    B3 z1 PAY rsoc
    B3 z1 FIRE oc
    """
    words = {
        "r": "return",
        "s": "resubmit",
        "o": "deliver",
        "a": "approve",
        "x": "reject",
        "c": "close",
    }
    rows = []
    for number, line in enumerate(filter(None, (x.strip() for x in lines.splitlines()))):
        unit, person, service, then = line.split()
        rows.append((f"c{number:02}", 0, service, "submit", None, unit, person))
        for k, letter in enumerate(then.strip("-"), 1):
            own = letter in "sa"
            step = None if letter in "sc" else 1
            rows.append(
                (f"c{number:02}", k, service, words[letter], step, unit if own else "HR", None)
            )
    columns = ["case_id", "seq", "service_id", "action", "step_no", "unit_id", "actor_key"]
    table = pd.DataFrame(rows, columns=columns)
    start = pd.Timestamp("2024-09-02 09:00", tz="Asia/Shanghai")
    return table.assign(at=start + pd.to_timedelta(table.index, "h"))
