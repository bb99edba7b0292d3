"""The command line answers a user's mistake with sentences and a documented status, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from svcmetrics import cli


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "svcmetrics.cli", *arguments],
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )  # fmt: skip


def test_help_is_in_both_languages_and_documents_the_exit_status():
    done = _run("--help")
    assert done.returncode == 0
    for text in ("检查研究", "check a study", "退出状态", "Exit status"):
        assert text in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        "new",
        "check",
        "import",
        "calendar",
        "simulate",
        "run",
        "report",
        "comments",
        "person",
        "erase",
    ],
)
def test_every_command_explains_itself_in_both_languages(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert "退出状态" in text and "Exit status" in text


def test_a_wrong_command_is_status_2_in_both_languages(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["chek", "x"])
    assert stop.value.code == cli.USAGE
    text = capsys.readouterr().err
    assert "命令无法理解" in text and "was not understood" in text


@pytest.mark.parametrize("command", ["check", "run", "report"])
@pytest.mark.parametrize(("language", "word"), [("zh", "找不到"), ("en", "not found")])
def test_a_missing_study_is_a_sentence_in_the_users_language(
    command, language, word, tmp_path, capsys
):
    status = cli.main(["--lang", language, command, str(tmp_path / "nowhere")])
    said = capsys.readouterr()
    assert status in (cli.INPUT, cli.PROBLEMS)
    assert word in said.out + said.err
    assert "Traceback" not in said.err


def test_the_language_may_stand_before_or_after_the_command(tmp_path, capsys):
    texts = []
    for arguments in (
        ["--lang", "en", "run", str(tmp_path / "x")],
        ["run", str(tmp_path / "x"), "--lang", "en"],
    ):
        cli.main(arguments)
        texts.append(capsys.readouterr().err)
    assert texts[0] == texts[1]


def test_new_then_check_says_what_is_still_to_be_filled_in(tmp_path, capsys):
    assert cli.main(["--lang", "zh", "new", str(tmp_path / "study")]) == cli.DONE
    assert cli.main(["--lang", "zh", "check", str(tmp_path / "study")]) == cli.PROBLEMS
    assert "部门" in capsys.readouterr().out


def test_new_does_not_overwrite_a_study(tmp_path, capsys):
    cli.main(["new", str(tmp_path)])
    before = sorted((p.name, p.read_bytes()) for p in tmp_path.iterdir())
    assert cli.main(["new", str(tmp_path)]) in (cli.INPUT, cli.OUTPUT)
    assert sorted((p.name, p.read_bytes()) for p in tmp_path.iterdir()) == before
    assert "Traceback" not in capsys.readouterr().err


def test_the_example_study_has_no_errors(example_study_folder, capsys):
    assert cli.main(["check", str(example_study_folder), "--no-sheet"]) == cli.DONE
    assert "0 个错误" in capsys.readouterr().out


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="the administrator may write everywhere"
)
def test_a_folder_without_write_permission_is_status_4(tmp_path, capsys):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert cli.main(["new", str(closed / "study")]) == cli.OUTPUT
    assert "权限" in capsys.readouterr().err


def _log(folder):
    path = folder / "log.csv"
    rows = ["case_id,activity,timestamp", "A,提交,2024-03-01 09:00", "A,审批,2024-03-01 11:00"]
    path.write_text("\n".join(rows), "utf-8")
    return path


@pytest.mark.parametrize("language", ["zh", "en"])
def test_import_saves_the_confirmed_mapping_and_takes_it_again(
    tmp_path, capsys, monkeypatch, language
):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))
    log, saved = _log(tmp_path), tmp_path / "mapping.toml"
    first = ["--lang", language, "import", str(log), str(tmp_path / "a"), "--yes"]
    assert cli.main([*first, "--save-mapping", str(saved)]) == cli.DONE
    assert str(saved) in capsys.readouterr().out
    again = ["import", str(log), str(tmp_path / "b"), "--mapping", str(saved)]
    assert cli.main(again) == cli.DONE
    one, two = ((tmp_path / n / "event.csv").read_bytes() for n in "ab")
    assert one == two


def test_a_mapping_that_nobody_confirmed_is_not_saved(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))
    saved = tmp_path / "mapping.toml"
    asked = ["import", str(_log(tmp_path)), str(tmp_path / "a"), "--save-mapping", str(saved)]
    assert cli.main(asked) == cli.INPUT
    assert not saved.exists() and not (tmp_path / "a").exists()
    assert "尚未确认" in capsys.readouterr().err


def test_import_says_how_to_save_a_mapping_in_both_languages(capsys):
    with pytest.raises(SystemExit):
        cli.main(["import", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--save-mapping" in text
    assert "保存为" in text and "save the confirmed mapping" in text
