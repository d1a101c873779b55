"""Unsaved work that survives a crash: every finished edit is on the disk before the next one begins."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from spinescrew.errors import InputError
from spinescrew.exchange.document import plan_from_document, plan_to_document
from spinescrew.geometry.atomic import hold
from spinescrew.planning.plan import Plan, PlannedScrew
from spinescrew.planning.session import Change, Session

_SUFFIX, _LOCK = ".journal", ".lock"
_VERSION = 2
_NONSENSE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, InputError)


@dataclass(frozen=True)
class Unsaved:
    """A plan that was being edited when the program ended.

    ``steps`` counts the edits after the last save; ``modified`` is in seconds since
    1970. ``labels_hashes`` names the labels it was graded against, from the first to the last.
    """

    path: Path
    plan: Plan
    automatic: Plan | None
    steps: int
    modified: float
    labels_hashes: frozenset[str] = frozenset()


class Journal:
    """Writes each step of a session to a file of its own, until the work was saved.

    The first line is the plan as the session began, each further one the rows that a step changed. Every line is on the
    disk before :meth:`follow`'s listener returns, so that after a crash at most the gesture under way is missing. The
    file holds coordinates and content hashes, no name and no path.

    Parameters
    ----------
    folder:
        Where journals are kept; made if it is not there.
    tell:
        Called with one line when a step cannot be kept; without it that raises :class:`InputError` out of the edit.
    """

    def __init__(self, folder: str | Path, tell: Callable[[str], None] | None = None) -> None:
        self.folder = Path(folder)
        self._problem = tell
        self._file: IO[str] | None = None
        self._lock: IO[bytes] | None = None
        self._path: Path | None = None
        self._session: Session | None = None
        self._written: Plan | None = None
        self._outdated: list[Path] = []
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def path(self) -> Path | None:
        """The file in use; ``None`` until there is an edit to keep."""
        return self._path

    def follow(self, session: Session, unsaved: bool = False) -> None:
        """Write every step of ``session`` from now on; nothing is written until the first edit.

        ``unsaved`` says that the session begins with work that is nowhere else: it is written at once.
        """
        self.stop()
        self._session, self._written = session, session.plan
        self._unsubscribe = session.subscribe(self._on_change)
        if unsaved:
            self._begin(session.plan)

    def saved(self) -> None:
        """The plan was saved elsewhere: what was written so far is no longer needed."""
        self._drop()
        if self._session is not None:
            self._written = self._session.plan

    def stop(self, keep: bool = False) -> None:
        """Follow no longer; the file is removed unless it is to be offered again (``keep``)."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._unsubscribe = self._session = None
        if keep:
            self._close()
            self._path = None
        else:
            self._drop()

    def _on_change(self, change: Change) -> None:
        if change.live or not change.step or self._session is None:
            return
        plan, before = self._session.plan, self._written
        self._written = plan
        try:
            if self._file is None:
                self._begin(before)
            rows, hashes = _changed_rows(before, plan), plan.input_hash
            self._line({"step": change.step, "rows": rows, "keys": _keys(plan), "input_hash": hashes})
        except InputError as error:
            if self._problem is None:
                raise
            self._problem(str(error))

    def _begin(self, plan: Plan | None) -> None:
        assert self._session is not None and plan is not None
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path = self.folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns()}{_SUFFIX}"
            self._lock = hold(self._path.with_suffix(_LOCK))
            self._file = self._path.open("x", encoding="utf-8")
        except OSError as error:
            raise self._cannot_keep(error) from error
        self._line({"version": _VERSION, "plan": _bare(plan), "automatic": _bare(self._session.automatic)})
        self._remove_outdated()

    def _remove_outdated(self) -> None:
        """Files that were left where the disk was full: the present one holds everything that is in them."""
        while self._outdated:
            with suppress(OSError):
                self._outdated.pop().unlink(missing_ok=True)

    def _line(self, values: dict[str, Any]) -> None:
        """Onto the disk, whole. After a failure the next step begins a new file: this one may end in half a line."""
        assert self._file is not None
        try:
            self._file.write(json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self._close()
            if self._path is not None:
                self._outdated.append(self._path)
            self._path = None
            raise self._cannot_keep(error) from error

    def _cannot_keep(self, error: OSError) -> InputError:
        return InputError(f"unsaved work cannot be kept in '{self.folder}' ({error.strerror}); save often")

    def _close(self) -> None:
        file, lock = self._file, self._lock
        self._file = self._lock = None
        with suppress(OSError):  # a full disk: what was flushed before is there
            if file is not None:
                file.close()
        with suppress(OSError):
            if lock is not None and self._path is not None:
                lock.close()
                self._path.with_suffix(_LOCK).unlink(missing_ok=True)

    def _drop(self) -> None:
        self._close()
        self._remove_outdated()
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        self._path = None


def unsaved_work(folder: str | Path, labels_hash: str | None = None) -> list[Unsaved]:
    """Journals in ``folder`` that a crash left behind, the newest first.

    Parameters
    ----------
    labels_hash:
        Only work that was graded against these labels at some time: those of the case, or as they were corrected.

    A journal that another running program is writing, or that is damaged from its first line on, is left out; of one
    whose last line was cut off everything before that line is used.
    """
    folder = Path(folder)
    found = []
    for path in folder.glob(f"*{_SUFFIX}") if folder.is_dir() else ():
        if _in_use(path):
            continue
        work = _read(path)
        if work is not None and (labels_hash is None or labels_hash in work.labels_hashes):
            found.append(work)
    return sorted(found, key=lambda work: work.modified, reverse=True)


def discard(work: Unsaved) -> None:
    """Remove a journal that is not wanted."""
    work.path.unlink(missing_ok=True)
    work.path.with_suffix(_LOCK).unlink(missing_ok=True)


def _read(path: Path) -> Unsaved | None:
    try:
        modified = path.stat().st_mtime
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        first = json.loads(lines[0])
        plan = plan_from_document(first["plan"])
        automatic = plan_from_document(first["automatic"]) if first.get("automatic") else None
        if first["version"] != _VERSION:
            return None
        hashes = {plan.input_hash.get("labels")}
    except (OSError, *_NONSENSE):
        return None
    steps = 0
    for line in lines[1:]:
        try:
            values = json.loads(line)
            rows = plan_from_document({"screws": values["rows"]}).screws
            keys = {tuple(key) for key in values["keys"]}
            input_hash = dict(values["input_hash"])
        except _NONSENSE:
            break
        for row in rows:
            plan = plan.with_screw(row)
        kept = tuple(row for row in plan.screws if _name(row) in keys)
        plan = replace(plan, screws=kept, input_hash=input_hash)
        hashes.add(input_hash.get("labels"))
        steps += 1
    return Unsaved(path, plan, automatic, steps, modified, frozenset(text for text in hashes if text))


def _in_use(path: Path) -> bool:
    """Whether the program that writes this journal is still running."""
    lock = path.with_suffix(_LOCK)
    if not lock.exists():
        return False
    held = hold(lock)
    if held is None:
        return True
    held.close()
    return False


def _bare(plan: Plan) -> dict[str, Any]:
    rows = tuple(replace(row, assessment=None) for row in plan.screws)
    return plan_to_document(replace(plan, screws=rows))


def _changed_rows(before: Plan | None, after: Plan) -> list[dict[str, Any]]:
    old = {row.key: row for row in before.screws} if before is not None else {}
    rows = tuple(replace(row, assessment=None) for row in after.screws if old.get(row.key) is not row)
    document = plan_to_document(replace(after, screws=rows, parameters={}))
    screws: list[dict[str, Any]] = document["screws"]
    return screws


def _keys(plan: Plan) -> list[tuple[str, str]]:
    return [_name(row) for row in plan.screws]


def _name(row: PlannedScrew) -> tuple[str, str]:
    return row.level.name, row.side
