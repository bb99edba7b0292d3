"""Small files in the exact layouts of foreign tools, made for the tests; nobody in them exists."""

from __future__ import annotations

import csv
import io
from pathlib import Path

WJX_TEXT = [
    ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP", "1、您所在的部门", "2、工号",
     "第3题(财务部)", "第3题(人力资源部)", "第4题(财务部)", "第4题(人力资源部)",
     "5、您看重哪些方面", "6、请按重要性排序", "7、其他意见", "总分"],
    ["1", "2024/3/5 9:02:11", "125秒", "微信", "N/A", "203.0.113.7(广东-深圳)", "研发部", "A001",
     "非常满意", "满意", "一般", "非常满意", "速度┋态度", "速度→态度→质量", "很好", "17"],
    ["2", "2024/3/5 9:40:00", "61秒", "链接", "直接访问", "203.0.113.8(北京)", "市场部", "A002",
     "不满意", "非常不满意", "满意", "(跳过)", "质量", "质量→速度", "", "7"],
    ["3", "2024/3/6 18:20:59", "300秒", "链接", "直接访问", "203.0.113.9(上海)", "研发部", "A003",
     "满意", "满意", "满意", "满意", "(空)", "(空)", "=1+1", "16"],
]  # fmt: skip
_CODES = {
    "非常满意": "5",
    "满意": "4",
    "一般": "3",
    "不满意": "2",
    "非常不满意": "1",
    "(跳过)": "-3",
    "(空)": "-2",
}

QUALTRICS = [
    ["StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "RecordedDate",
     "ResponseId", "RecipientLastName", "RecipientFirstName", "RecipientEmail", "ExternalReference", "LocationLatitude",
     "LocationLongitude", "DistributionChannel", "UserLanguage", "Q1", "Q2_1", "Q2_2", "Q3"],
    ["Start Date", "End Date", "Response Type", "IP Address", "Progress", "Duration (in seconds)", "Finished",
     "Recorded Date", "Response ID", "Recipient Last Name", "Recipient First Name", "Recipient Email",
     "External Data Reference", "Location Latitude", "Location Longitude", "Distribution Channel", "User Language",
     "Which department would you like to rate?", "How satisfied are you with...\n - Speed",
     "How satisfied are you with...\n - Courtesy", "Any comments?"],
    ['{"ImportId":"startDate","timeZone":"America/Denver"}', '{"ImportId":"endDate","timeZone":"America/Denver"}',
     '{"ImportId":"status"}', '{"ImportId":"ipAddress"}', '{"ImportId":"progress"}', '{"ImportId":"duration"}',
     '{"ImportId":"finished"}', '{"ImportId":"recordedDate","timeZone":"America/Denver"}', '{"ImportId":"_recordId"}',
     '{"ImportId":"recipientLastName"}', '{"ImportId":"recipientFirstName"}', '{"ImportId":"recipientEmail"}',
     '{"ImportId":"externalDataReference"}', '{"ImportId":"locationLatitude"}', '{"ImportId":"locationLongitude"}',
     '{"ImportId":"distributionChannel"}', '{"ImportId":"userLanguage"}', '{"ImportId":"QID1"}',
     '{"ImportId":"QID2_1"}', '{"ImportId":"QID2_2"}', '{"ImportId":"QID3_TEXT"}'],
    ["2024-03-05 08:58:00", "2024-03-05 09:00:00", "Survey Preview", "198.51.100.1", "100", "120", "True",
     "2024-03-05 09:00:00", "R_0preview", "", "", "", "", "39.7", "-104.9", "preview", "EN", "Finance",
     "Very satisfied", "Very satisfied", "test"],
    ["2024-03-05 09:10:00", "2024-03-05 09:12:00", "IP Address", "198.51.100.2", "100", "95", "True",
     "2024-03-05 09:12:00", "R_1abc", "Doe", "Jane", "jane@example.org", "", "39.7", "-104.9", "email", "EN", "Finance",
     "Satisfied", "Neutral", "fine"],
    ["2024-03-05 10:10:00", "2024-03-05 10:12:00", "IP Address", "198.51.100.3", "60", "50", "False",
     "2024-03-05 10:12:00", "R_2def", "", "", "", "", "39.7", "-104.9", "email", "EN", "IT",
     "Very dissatisfied", "", ""],
]  # fmt: skip


def wjx_coded() -> list[list[str]]:
    """The coded variant of the same export: numbers, and -2 and -3 for what was not answered."""
    return [WJX_TEXT[0], *([_CODES.get(c, c) for c in row] for row in WJX_TEXT[1:])]


def write_csv(path: Path, rows: list[list[str]], encoding: str = "utf-8-sig") -> Path:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def write_xlsx(path: Path, rows: list[list[object]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([v or None for v in row])
    for cell in (c for line in book.active.iter_rows() for c in line):
        if isinstance(cell.value, str):
            cell.data_type = "s"  # text stays text, also "=1+1"
    book.save(path)
    return path


def leaked(folder: Path, *words: str) -> list[str]:
    """The words that stand anywhere in the files of a folder."""
    text = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
    return [w for w in words if w.encode() in text or w.encode("gb18030") in text]
