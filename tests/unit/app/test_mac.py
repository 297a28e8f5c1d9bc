"""The MACs of many files: in order, past failures, by several processes, in several runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from sr.app.checks.mac_pool import compute, compute_macs, not_yet_computed
from sr.app.pool import each
from sr.errors import ConfigurationError, DatasetError, ExternalServiceError, NotDICOMError
from sr.mac import MACAlgorithm, compute_mac
from tests.support.datasets import ct_files, opened
from tests.support.dicom_bytes import EXPLICIT, part10

SIX = ct_files(6)


@pytest.fixture
def series(tmp_path: Path) -> tuple[Path, ...]:
    """Return six images on disk, the third of them cut short, the fifth no DICOM."""
    paths = tuple(tmp_path / f"{n}.dcm" for n in range(6))
    for path, data in zip(paths, SIX, strict=True):
        path.write_bytes(data)
    paths[2].write_bytes(SIX[2][:-100])
    paths[4].write_bytes(b"no image")
    return paths


def _write_rows(target: Path, paths: tuple[Path, ...], **options: object) -> Path:
    rows = compute(paths, **options)  # type: ignore[arg-type]
    target.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return target


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_outcome_for_each_file(series, jobs):
    """Every file has its outcome, in order, though two of them fail."""
    found = list(compute_macs(series, jobs=jobs))
    assert [o.path for o in found] == list(series)
    for outcome, data in zip(found, SIX, strict=True):
        expected = None if outcome.path in (series[2], series[4]) else compute_mac(opened(data))
        assert outcome.reference == expected


@pytest.mark.parametrize("jobs", [1, 2])
def test_errors_keep_class_and_rule(series, jobs):
    """What kept a MAC from being computed is known as it was, whichever process met it."""
    _, _, cut, _, other, _ = compute_macs(series, jobs=jobs)
    assert type(cut.error) is DatasetError
    assert cut.error.rule == "TRUNCATED"
    assert type(other.error) is NotDICOMError


def test_a_file_that_is_not_there(series):
    """A path that does not exist is a failure like others and does not stop the rest."""
    missing, found = compute_macs([series[0].with_name("none"), series[0]])
    assert isinstance(missing.error, ConfigurationError)
    assert found.reference is not None


def test_algorithm(series):
    """The MAC is computed with the algorithm that was asked for."""
    (found,) = compute_macs(series[:1], algorithm=MACAlgorithm.SHA512)
    assert found.reference is not None
    assert found.reference.algorithm is MACAlgorithm.SHA512
    assert len(found.reference.mac) == 64


def test_what_is_not_covered_is_told(tmp_path):
    """Tags that a MAC leaves out are listed, group lengths are not."""
    path = tmp_path / "private.dcm"
    path.write_bytes(
        part10(
            EXPLICIT.element(0x00080000, "UL", bytes(4))
            + EXPLICIT.element(0x00080018, "UI", b"2.25.1")
            + EXPLICIT.element(0x00090010, "LO", b"MINE")
        )
    )
    assert next(compute_macs([path])).not_covered == (0x00090010,)
    assert next(compute_macs([path], private=True)).not_covered == ()


def test_rows_can_be_written_as_json(series):
    """A row is plain JSON, with the MAC in hexadecimal or the error."""
    rows = [json.loads(json.dumps(row)) for row in compute(series)]
    assert bytes.fromhex(rows[0]["mac"]) == compute_mac(opened(SIX[0])).mac
    assert rows[2]["error"]["rule"] == "TRUNCATED"
    assert "mac" not in rows[2]


def test_a_second_run_leaves_out_what_is_done(series, tmp_path):
    """Only what failed is left for a second run over unchanged files."""
    rows = _write_rows(tmp_path / "rows", series)
    assert not_yet_computed(series, rows) == (series[2], series[4])


def test_a_run_cut_short_goes_on_where_it_stopped(series, tmp_path):
    """A last line that was cut off counts as not written."""
    rows = _write_rows(tmp_path / "rows", (series[0], series[1]))
    rows.write_bytes(rows.read_bytes()[:-40])
    assert not_yet_computed((series[0], series[1]), rows) == (series[1],)


def test_changed_files_are_done_again(series, tmp_path):
    """A file of another size, or modified since, is done again."""
    good = (series[0], series[1], series[3])
    rows = _write_rows(tmp_path / "rows", good)
    os.utime(series[0], ns=(1, 1))
    series[1].write_bytes(SIX[1] + b"\0")
    assert not_yet_computed(good, rows) == (series[0], series[1])


@pytest.mark.parametrize(
    "asked", [{"algorithm": MACAlgorithm.SHA384}, {"private": True}], ids=["algorithm", "private"]
)
def test_another_question_is_answered_anew(series, tmp_path, asked):
    """A MAC with another algorithm or of other elements is no answer."""
    rows = _write_rows(tmp_path / "rows", series[:1])
    assert not_yet_computed(series[:1], rows, **asked) == series[:1]


@pytest.mark.parametrize("content", [b"", b"[]\n1\n{}\n", b"\xff\xfe\n", b'{"file": 1}\n'])
def test_earlier_output_that_holds_no_results(series, tmp_path, content):
    """Lines that are no results are passed over."""
    rows = tmp_path / "rows"
    rows.write_bytes(content)
    assert not_yet_computed(series, rows) == series


def test_earlier_output_must_exist(series, tmp_path):
    """Resuming from a file that is not there is an error, not a fresh start."""
    with pytest.raises(ConfigurationError):
        not_yet_computed(series, tmp_path / "none")


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("number", [0, 1, 2, 200])
def test_results_keep_the_order_of_the_items(jobs, number):
    """However many processes and items there are, results come in order and once each."""
    items = range(number)
    assert list(each(partial(pow, 2), items, jobs=jobs)) == [2**n for n in items]


def test_results_can_be_abandoned():
    """A caller that stops early leaves no work behind."""
    results = each(abs, range(-500, 0), jobs=2)
    assert next(results) == 500
    results.close()


def test_a_process_that_is_killed_is_an_error():
    """A worker that ends without an answer raises instead of hanging."""
    with pytest.raises(ExternalServiceError):
        list(each(os._exit, [3, 3], jobs=2))


def test_the_callers_program_runs_once(tmp_path):
    """Worker processes do not run the program that started them, as ``multiprocessing`` would."""
    program = tmp_path / "program.py"
    program.write_text(
        "print('begun')\n"
        "from sr.app.pool import each\n"
        "print(sum(each(abs, range(-9, 0), jobs=2)))\n"
    )
    found = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout == "begun\n45\n"


def test_what_work_prints_is_no_answer(capfd):
    """Output of the work in a worker process goes to standard error."""
    assert list(each(print, ["a", "b"], jobs=2)) == [None, None]
    out, err = capfd.readouterr()
    assert out == ""
    assert sorted(err.split()) == ["a", "b"]


def test_errors_of_the_work_reach_the_caller():
    """An exception in a worker process is raised where the results are collected."""
    with pytest.raises(ValueError, match="'x'"):
        list(each(int, ["1", "x"], jobs=2))
