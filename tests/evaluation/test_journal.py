"""A file of whole lines: every way in which it can be cut off, and two writers."""

import subprocess
import sys

import pytest

from helpers.evaluation import Journal, whole_lines
from helpers.evaluation.journal import torn_line

LINES = ['{"a": 1}', '{"b": "é"}', '{"c": [3]}']


def written(file, lines=LINES):
    with Journal(file) as journal:
        for line in lines:
            journal.append(line)
    return file.read_bytes()


def test_lines_come_back_and_the_folder_is_made(tmp_path):
    file = tmp_path / "new" / "x.jsonl"
    assert [*whole_lines(file)] == [] and torn_line(file) == b""
    assert written(file) == "".join(f"{line}\n" for line in LINES).encode()
    assert [*whole_lines(file)] == [f"{line}\n" for line in LINES]
    with Journal(file):
        pass
    assert [*whole_lines(file)] == [f"{line}\n" for line in LINES]


def test_cut_off_anywhere_it_is_mended_by_the_next_line(tmp_path):
    content, file = written(tmp_path / "whole.jsonl"), tmp_path / "x.jsonl"
    for size in range(len(content) + 1):
        file.write_bytes(content[:size])
        there = [*whole_lines(file)]
        assert "".join(there).encode() + torn_line(file) == content[:size]
        assert file.read_bytes() == content[:size]  # reading changes nothing
        line = '{"new": 1}' if there else LINES[0]
        written(file, [line])
        assert [*whole_lines(file)] == [*there, line + "\n"]


def test_zero_bytes_after_a_power_cut_count_as_torn(tmp_path):
    file = tmp_path / "x.jsonl"
    content = written(file)
    file.write_bytes(content + b"\0" * 100)
    assert len([*whole_lines(file)]) == 3
    written(file, ["{}"])
    assert file.read_bytes() == content + b"{}\n"


def test_an_only_copy_on_one_line_is_not_cut(tmp_path):
    file = tmp_path / "x.jsonl"
    for text in ('{"my": "only copy"}', "\0\0"):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="is no journal"):
            written(file)
        assert file.read_text(encoding="utf-8") == text


def test_one_file_has_one_lock_whatever_its_name(tmp_path):
    link, file = tmp_path / "link.jsonl", tmp_path / "x.jsonl"
    file.touch()
    link.symlink_to(file)
    with Journal(file), pytest.raises(BlockingIOError):
        Journal(link).__enter__()


@pytest.mark.parametrize("text", ["my only copy", "first\nsecond", "\ufeff{"])
def test_a_file_of_other_people_is_no_journal(tmp_path, text):
    file = tmp_path / "x.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="is no journal. Name another file"):
        [*whole_lines(file)]


def test_two_writers_are_one_too_many(tmp_path):
    file = tmp_path / "x.jsonl"
    code = f"from helpers.evaluation import Journal\nwith Journal({str(file)!r}): pass"
    command = [sys.executable, "-c", code]
    with Journal(file) as journal:
        with pytest.raises(BlockingIOError, match="Another run is writing"):
            Journal(file).__enter__()
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
        assert "BlockingIOError: Another run" in done.stderr
        journal.append("{}")
    assert subprocess.run(command).returncode == 0
    assert [*whole_lines(file)] == ["{}\n"]
