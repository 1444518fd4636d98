"""A file of whole lines: every way in which it can be cut off, and two writers."""

import subprocess
import sys

import pytest

from helpers.journal import Journal, torn_line, whole_lines

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
        written(file, ['{"new": 1}'])
        assert [*whole_lines(file)] == [*there, '{"new": 1}\n']


@pytest.mark.parametrize("text", ["my only copy", "first\nsecond", "\ufeff{"])
def test_a_file_of_other_people_is_no_journal(tmp_path, text):
    file = tmp_path / "x.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="is no journal. Name another file"):
        [*whole_lines(file)]


def test_two_writers_are_one_too_many(tmp_path):
    file = tmp_path / "x.jsonl"
    code = f"from helpers.journal import Journal\nwith Journal({str(file)!r}): pass"
    command = [sys.executable, "-c", code]
    with Journal(file) as journal:
        with pytest.raises(BlockingIOError, match="Another run is writing"):
            Journal(file).__enter__()
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
        assert "BlockingIOError: Another run" in done.stderr
        journal.append("{}")
    assert subprocess.run(command).returncode == 0
    assert [*whole_lines(file)] == ["{}\n"]
