"""Unsaved work: what a crash leaves behind, and what it never breaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.exchange.journal import Journal, discard, unsaved_work
from spinescrew.exchange.plan_file import read_plan, write_plan
from spinescrew.geometry.volume import Volume
from spinescrew.planning import edits
from spinescrew.planning.plan import Plan
from spinescrew.planning.session import Session

LEFT, RIGHT, NOT_PLANNED = (Level.L3, "left"), (Level.L3, "right"), (Level.T13, "right")
DEADLINE_S = 30.0


@pytest.fixture
def session(plan, spine) -> Session:
    return Session(plan, spine)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "unsaved"


@pytest.fixture
def journal(folder, session):
    made = Journal(folder)
    made.follow(session)
    yield made
    made.stop()


def deeper(session: Session, by: float = 1.0, key=LEFT) -> Plan:
    return session.edit("deeper", lambda p: edits.slide(p, *key, by))


def words(p: Plan) -> list[tuple]:
    """Everything a journal keeps of a plan's rows, without where their screws stand."""
    return [
        (
            row.key,
            None if row.screw is None else (row.screw.shape, row.screw.notes),
            (row.reason, row.planned_by, row.locked, row.reviewed, row.notes),
        )
        for row in p.screws
    ]


def ends(p: Plan) -> np.ndarray:
    return np.array([(*row.screw.entry, *row.screw.tip) for row in p.planned])


def same(found: Plan, expected: Plan) -> bool:
    """Whether two plans hold the same rows, coordinates to 1e-9 mm."""
    return words(found) == words(expected) and np.allclose(ends(found), ends(expected), rtol=0, atol=1e-9)


def crashed(journal: Journal) -> Path:
    """The journal as a crash would leave it: its lock let go of, its files in place."""
    path = journal.path
    journal._file.close()
    journal._lock.close()
    return path


def left_behind(folder: Path):
    found = unsaved_work(folder)
    assert len(found) == 1
    return found[0]


def test_nothing_is_written_before_the_first_step(journal, session, folder):
    session.select(RIGHT)
    session.begin("drag")
    deeper(session)
    assert journal.path is None and not folder.exists()
    session.cancel()
    assert journal.path is None and not folder.exists()
    deeper(session)
    assert journal.path.is_file() and journal.path.parent == folder


def test_every_finished_step_is_on_the_disk_when_its_edit_returns(journal, session):
    deeper(session)
    sizes = [journal.path.stat().st_size]
    for change in (session.undo, session.redo, lambda: deeper(session)):
        change()
        sizes.append(journal.path.stat().st_size)
    assert sizes == sorted(set(sizes))
    session.begin("drag")
    deeper(session)
    session.select(RIGHT)
    assert journal.path.stat().st_size == sizes[-1]
    session.end()
    assert journal.path.stat().st_size > sizes[-1]


def test_every_line_is_forced_to_the_disk_whole(journal, session, monkeypatch):
    sizes = []
    monkeypatch.setattr(os, "fsync", lambda number: sizes.append(os.fstat(number).st_size))
    for _ in range(3):
        deeper(session)
    whole = journal.path.read_bytes()
    assert sizes == [n + 1 for n, byte in enumerate(whole) if byte == 10] and len(sizes) == 4


def test_a_line_holds_the_rows_of_its_step_alone(journal, session):
    session.edit("review", lambda p: edits.set_reviewed(p, *LEFT, reviewed=False))
    session.edit("unlock", lambda p: edits.set_locked(p, *RIGHT, locked=False))
    lines = [json.loads(line) for line in journal.path.read_text(encoding="utf-8").splitlines()[1:]]
    assert [line["step"] for line in lines] == ["review", "unlock"]
    assert [[row["side"] for row in line["rows"]] for line in lines] == [["left"], ["right"]]


def test_what_a_crash_leaves_behind_is_the_plan_after_the_last_finished_step(journal, session, folder):
    begun = session.plan
    deeper(session, 2.5)
    session.edit("delete", lambda p: edits.delete(p, *LEFT))
    session.edit("unlock", lambda p: edits.set_locked(p, *RIGHT, locked=False))
    session.undo()
    session.undo()
    finished = session.edit("review", lambda p: edits.set_reviewed(p, *NOT_PLANNED))
    session.begin("drag")
    deeper(session, 9.0)
    crashed(journal)
    found = left_behind(folder)
    assert same(found.plan, finished) and not same(found.plan, session.plan)
    assert same(found.automatic, begun)
    assert found.steps == 6 and abs(found.modified - time.time()) < 60
    for name in ("parameters", "input_hash", "timings_s", "created", "engine"):
        assert getattr(found.plan, name) == getattr(begun, name)
    assert all(row.assessment is None for row in found.plan.screws)


def test_found_work_is_graded_and_edited_like_any_plan(journal, session, spine, folder):
    finished = deeper(session)
    crashed(journal)
    found = left_behind(folder)
    again = Session(found.plan, spine, automatic=found.automatic)
    before = finished.get(*LEFT).assessment.to_dict()
    after = again.plan.get(*LEFT).assessment.to_dict()
    assert after["gertzbein_robbins"] == before["gertzbein_robbins"]
    assert after["pta_deg"] == pytest.approx(before["pta_deg"], abs=1e-9)
    again.restore_automatic(LEFT)
    assert not same(again.plan, found.plan)


def test_the_automatic_plan_of_an_opened_one_is_kept(plan, spine, folder):
    session, journal = Session(edits.slide(plan, *LEFT, 4.0), spine, automatic=plan), Journal(folder)
    journal.follow(session)
    finished = deeper(session)
    crashed(journal)
    found = left_behind(folder)
    assert same(found.automatic, plan) and same(found.plan, finished) and not same(found.plan, plan)


def test_a_row_that_an_edit_took_out_of_the_plan_stays_out(journal, session, folder):
    session.edit("forget", lambda p: replace(p, screws=tuple(row for row in p.screws if row.key != LEFT)))
    crashed(journal)
    assert [row.key for row in left_behind(folder).plan.screws] == [NOT_PLANNED, RIGHT]


def test_saved_work_is_not_unsaved(journal, session, folder):
    deeper(session)
    path = journal.path
    journal.saved()
    assert journal.path is None and not path.exists() and list(folder.iterdir()) == []
    journal.saved()


def test_after_saving_only_what_follows_is_unsaved(journal, session, folder):
    deeper(session)
    journal.saved()
    deeper(session, 2.0)
    finished = deeper(session, -4.0, LEFT)
    crashed(journal)
    found = left_behind(folder)
    assert found.steps == 2 and same(found.plan, finished)


def test_taking_back_what_was_saved_is_unsaved_work(journal, session, folder):
    first = session.plan
    deeper(session)
    journal.saved()
    session.undo()
    crashed(journal)
    found = left_behind(folder)
    assert found.steps == 1 and same(found.plan, first)


def test_a_session_that_ends_in_order_leaves_nothing(journal, session, folder):
    deeper(session)
    journal.stop()
    assert list(folder.iterdir()) == [] and journal.path is None
    deeper(session)
    assert list(folder.iterdir()) == []
    journal.stop()


def test_kept_work_is_offered_again(journal, session, folder):
    finished = deeper(session)
    journal.stop(keep=True)
    assert journal.path is None and [path.suffix for path in folder.iterdir()] == [".journal"]
    deeper(session)
    assert same(left_behind(folder).plan, finished)


def test_work_that_is_saved_nowhere_is_written_at_once(session, folder):
    journal = Journal(folder)
    journal.follow(session, unsaved=True)
    crashed(journal)
    found = left_behind(folder)
    assert found.steps == 0 and same(found.plan, session.plan)


def test_following_another_session_forgets_the_first(journal, session, plan, spine, folder):
    deeper(session)
    other = Session(plan, spine)
    journal.follow(other)
    assert list(folder.iterdir()) == []
    deeper(session)
    assert journal.path is None
    finished = deeper(other, 5.0)
    crashed(journal)
    assert same(left_behind(folder).plan, finished)


def test_discarded_work_is_gone_with_its_lock(journal, session, folder):
    deeper(session)
    crashed(journal)
    found = left_behind(folder)
    assert len(list(folder.iterdir())) == 2
    discard(found)
    assert list(folder.iterdir()) == [] and unsaved_work(folder) == []
    discard(found)


def test_work_is_offered_for_its_own_image_only_the_newest_first(plan, spine, folder):
    made = []
    for n, labels in enumerate(["sha256:abc", "sha256:other", "sha256:abc"]):
        session, journal = Session(replace(plan, input_hash={"labels": labels, "ct": None}), spine), Journal(folder)
        journal.follow(session)
        deeper(session, 1.0 + n)
        made.append(journal.path)
        journal.stop(keep=True)
        os.utime(made[-1], (1e9 - n, 1e9 - n))
    assert [work.path for work in unsaved_work(folder)] == made
    assert [work.path for work in unsaved_work(folder, "sha256:abc")] == [made[0], made[2]]
    assert unsaved_work(folder, "sha256:abc")[0].modified == 1e9
    assert unsaved_work(folder, "sha256:none") == []


def test_where_nothing_was_kept_nothing_is_found(tmp_path):
    assert unsaved_work(tmp_path / "nowhere") == []
    (tmp_path / "plan.json").write_text("{}")
    assert unsaved_work(tmp_path) == [] and unsaved_work(tmp_path / "plan.json") == []


def test_a_journal_that_is_being_written_is_not_offered(journal, session, folder):
    deeper(session)
    assert unsaved_work(folder) == []
    deeper(session)
    assert journal.path.is_file()
    crashed(journal)
    assert left_behind(folder).steps == 2


@pytest.fixture
def torn(journal, session, folder):
    """(file, its whole bytes, plans after each line) of a crashed journal with three steps."""
    plans = [session.plan, deeper(session), deeper(session, 2.0)]
    plans.append(session.edit("größer", lambda p: edits.resize(p, *LEFT, diameter_mm=7.0)))
    path = crashed(journal)
    return path, path.read_bytes(), plans


def test_a_torn_file_gives_everything_before_the_torn_line_wherever_it_is_torn(torn, folder):
    path, whole, plans = torn
    breaks = [n for n, byte in enumerate(whole) if byte == 10]
    around = {at + by for at in breaks for by in (-1, 0, 1)}
    for length in sorted({0, 1, *range(2, len(whole), 61), *around}):
        path.write_bytes(whole[:length])
        complete = sum(at <= length for at in breaks)
        found = unsaved_work(folder)
        assert len(found) == min(complete, 1)
        if found:
            assert found[0].steps == complete - 1
            assert same(found[0].plan, plans[complete - 1])


@pytest.mark.parametrize(
    "rubbish", [b"\x00" * 4096, b"\xff\xfe\x80 no text", b"[]\n", b"{}\n", b"3\n", b'{"rows": 1}\n']
)
def test_rubbish_after_the_last_line_is_ignored(torn, folder, rubbish):
    path, whole, plans = torn
    path.write_bytes(whole + rubbish)
    assert same(left_behind(folder).plan, plans[-1])


@pytest.mark.parametrize("rubbish", [b"", b"\n", b"\x00" * 512, b"\xff\xfe", b"[]\n", b"{}\n", b"null\n", b'"plan"\n'])
def test_a_file_that_is_rubbish_from_its_start_is_left_out(torn, folder, rubbish):
    path, whole, plans = torn
    path.with_name("another.journal").write_bytes(rubbish)
    assert same(left_behind(folder).plan, plans[-1])


def damaged(whole: bytes, line: int, change) -> bytes:
    lines = whole.split(b"\n")
    values = json.loads(lines[line])
    change(values)
    lines[line] = json.dumps(values).encode()
    return b"\n".join(lines)


def test_a_line_that_makes_no_sense_ends_what_is_used(torn, folder):
    path, whole, plans = torn
    path.write_bytes(damaged(whole, 2, lambda values: values["rows"][0].update(length_mm=3.0)))
    found = left_behind(folder)
    assert found.steps == 1 and same(found.plan, plans[1])


def test_a_journal_of_another_version_is_left_out(torn, folder):
    path, whole, _ = torn
    path.write_bytes(damaged(whole, 0, lambda values: values.update(version=99)))
    assert unsaved_work(folder) == []


@pytest.mark.parametrize("part", ["plan", "automatic"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda plan: plan["screws"][1].update(length_mm=3.0), id="another length"),
        pytest.param(lambda plan: plan["screws"].append(plan["screws"][1]), id="a screw twice"),
        pytest.param(lambda plan: plan["screws"][1].update(level="X9"), id="no level"),
        pytest.param(lambda plan: plan["screws"][1].update(entry_ras=None), id="no entry"),
    ],
)
def test_a_journal_whose_first_plan_makes_no_sense_is_left_out(torn, folder, part, change):
    path, whole, _ = torn
    path.write_bytes(damaged(whole, 0, lambda values: change(values[part])))
    assert unsaved_work(folder) == []


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("nowhere")], ids=["folder", "vanished"])
def test_what_cannot_be_read_does_not_hide_the_other_journals(torn, folder, make):
    make(folder / "another.journal")
    assert left_behind(folder).steps == 3


def test_a_folder_that_cannot_be_written_is_reported(session, tmp_path):
    (tmp_path / "file").write_text("in the way")
    journal = Journal(tmp_path / "file")
    with pytest.raises(InputError, match="unsaved work cannot be kept in '.*file' .*; save often"):
        journal.follow(session, unsaved=True)


class FullDisk:
    """The journal's file after the disk filled up."""

    def __init__(self, file):
        self.file = file

    def write(self, text):
        raise OSError(28, "No space left on device")

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_step_that_found_the_disk_full_is_made_up_for_by_the_next(journal, session, folder):
    deeper(session)
    journal._file = FullDisk(journal._file)
    with pytest.raises(InputError):
        deeper(session, 2.0)
    assert left_behind(folder).steps == 1
    finished = session.edit("unlock", lambda p: edits.set_locked(p, *RIGHT, locked=False))
    crashed(journal)
    assert same(left_behind(folder).plan, finished)


def test_a_full_disk_is_reported_as_what_people_can_act_on(journal, session):
    deeper(session)
    journal._file = FullDisk(journal._file)
    with pytest.raises(InputError, match="unsaved work cannot be kept"):
        deeper(session)


def test_found_work_names_the_labels_it_was_last_graded_against(journal, session, spine, folder):
    deeper(session)
    edited = Volume(spine.labels.array + np.uint8(1), spine.labels.affine)
    session.use_spine(Spine(spine.vertebrae, edited))
    deeper(session)
    crashed(journal)
    assert left_behind(folder).plan.input_hash["labels"] == edited.content_hash()


def test_of_a_path_only_the_files_name_is_kept(plan, spine, folder):
    session, journal = Session(replace(plan, parameters={"catalog": "/home/Doe^Jane/own.json"}), spine), Journal(folder)
    journal.follow(session)
    deeper(session)
    text = journal.path.read_text(encoding="utf-8")
    journal.stop()
    assert "own.json" in text and "Doe" not in text and "home" not in text


OPENED = """
import itertools, os, sys, time
from pathlib import Path
import numpy as np
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.exchange.journal import Journal
from spinescrew.exchange.plan_file import read_plan, write_plan
from spinescrew.geometry.volume import Volume
from spinescrew.planning import edits
from spinescrew.planning.session import Session

plan, folder, told = read_plan(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
session = Session(plan, Spine({}, Volume(np.zeros((2, 2, 2), dtype=np.uint8), np.eye(4))))
journal = Journal(folder)
journal.follow(session)
key = (Level.L3, "left")
"""

PAUSED = """
for n in range(20):
    session.edit(f"step {n}", lambda p: edits.move(p, *key, (0.1 * n, 0.3, -0.7)))
session.undo()
session.edit("mark", lambda p: edits.set_reviewed(p, *key))
session.edit("unlock", lambda p: edits.set_locked(p, Level.L3, "right", locked=False))
write_plan(session.plan, told.with_name("finished.json"))
session.begin("drag")
session.edit("part of it", lambda p: edits.move(p, *key, (5, 5, 5)))
told.write_text("ready")
time.sleep(600)
"""

BUSY = """
with told.open("w") as steps:
    for n in itertools.count(1):
        session.edit(f"step {n}", lambda p: edits.move(p, *key, (1, 0, 0)))
        steps.write(f"{n} ")
        steps.flush()
"""


def kill_when(told: Path, ready: int, plan: Plan, folder: Path, script: str) -> None:
    """Start a program that edits ``plan``, and kill it as soon as the file it tells of has this many characters."""
    begun = told.with_name("begun.json")
    write_plan(plan, begun)
    worker = subprocess.Popen(
        [sys.executable, "-c", OPENED + script, str(begun), str(folder), str(told)], stderr=subprocess.PIPE, text=True
    )
    try:
        until = time.monotonic() + DEADLINE_S
        while not told.exists() or told.stat().st_size < ready:
            assert worker.poll() is None, worker.communicate()[1]
            assert time.monotonic() < until, "the program took too long"
            time.sleep(0.001)
        assert len(list(folder.glob("*.journal"))) == 1 and unsaved_work(folder) == []
        assert worker.poll() is None
    finally:
        worker.kill()
        worker.communicate()


def test_a_killed_program_loses_at_most_the_gesture_under_way(plan, folder, tmp_path):
    kill_when(tmp_path / "told", len("ready"), plan, folder, PAUSED)
    found = left_behind(folder)
    assert same(found.plan, read_plan(tmp_path / "finished.json")) and found.steps == 23
    assert np.array_equal(found.automatic.get(*LEFT).screw.entry, plan.get(*LEFT).screw.entry)
    discard(found)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("ready", [2, 40, 150])
def test_a_program_killed_in_the_middle_of_its_edits_loses_none_that_was_finished(plan, folder, tmp_path, ready):
    kill_when(tmp_path / "told", ready, plan, folder, BUSY)
    found = left_behind(folder)
    finished = int((tmp_path / "told").read_text().split()[-1])
    assert finished <= found.steps <= finished + 1
    moved = found.plan.get(*LEFT).screw.entry - plan.get(*LEFT).screw.entry
    assert moved == pytest.approx([found.steps, 0, 0], abs=1e-9)
