"""Unsaved work that survives a crash: every finished edit is on the disk before the next one begins."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from spinescrew.errors import InputError
from spinescrew.exchange.document import plan_from_document, plan_to_document
from spinescrew.geometry.atomic import hold
from spinescrew.planning.plan import Plan, PlannedScrew
from spinescrew.planning.session import Change, Session

_SUFFIX, _LOCK = ".journal", ".lock"
_VERSION = 1


@dataclass(frozen=True)
class Unsaved:
    """A plan that was being edited when the program ended.

    ``steps`` counts the edits after the last save; ``modified`` is in seconds since 1970.
    """

    path: Path
    plan: Plan
    automatic: Plan | None
    steps: int
    modified: float


class Journal:
    """Writes each step of a session to a file of its own, until the work was saved.

    The first line is the plan as the session began, each further one the rows that a step changed. Every line is on the
    disk before :meth:`follow`'s listener returns, so that after a crash at most the gesture under way is missing. The
    file holds coordinates and content hashes, no name and no path.

    Parameters
    ----------
    folder:
        Where journals are kept; made if it is not there.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._file: IO[str] | None = None
        self._lock: IO[bytes] | None = None
        self._path: Path | None = None
        self._session: Session | None = None
        self._written: Plan | None = None
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
            self._begin()

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
        plan = self._session.plan
        if self._file is None:
            self._begin()
        self._line({"step": change.step, "rows": _changed_rows(self._written, plan), "keys": _keys(plan)})
        self._written = plan

    def _begin(self) -> None:
        assert self._session is not None and self._written is not None
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path = self.folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns()}{_SUFFIX}"
            self._lock = hold(self._path.with_suffix(_LOCK))
            self._file = self._path.open("x", encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"unsaved work cannot be kept in '{self.folder}' ({error.strerror}); save often"
            ) from error
        self._line({"version": _VERSION, "plan": _bare(self._written), "automatic": _bare(self._session.automatic)})

    def _line(self, values: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._lock is not None and self._path is not None:
            self._lock.close()
            self._path.with_suffix(_LOCK).unlink(missing_ok=True)
        self._file = self._lock = None

    def _drop(self) -> None:
        self._close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self._path = None


def unsaved_work(folder: str | Path, labels_hash: str | None = None) -> list[Unsaved]:
    """Journals in ``folder`` that a crash left behind, the newest first.

    Parameters
    ----------
    labels_hash:
        Only of the case with these labels (``plan.input_hash["labels"]``).

    A journal that another running program is writing, or that is damaged from its first line on, is left out; of one
    whose last line was cut off everything before that line is used.
    """
    folder = Path(folder)
    found = []
    for path in folder.glob(f"*{_SUFFIX}") if folder.is_dir() else ():
        if _in_use(path):
            continue
        work = _read(path)
        if work is not None and (labels_hash is None or work.plan.input_hash.get("labels") == labels_hash):
            found.append(work)
    return sorted(found, key=lambda work: work.modified, reverse=True)


def discard(work: Unsaved) -> None:
    """Remove a journal that is not wanted."""
    work.path.unlink(missing_ok=True)
    work.path.with_suffix(_LOCK).unlink(missing_ok=True)


def _read(path: Path) -> Unsaved | None:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    try:
        first = json.loads(lines[0])
        plan = plan_from_document(first["plan"])
        automatic = plan_from_document(first["automatic"]) if first.get("automatic") else None
        if first["version"] != _VERSION:
            return None
    except (ValueError, KeyError, TypeError):
        return None
    steps = 0
    for line in lines[1:]:
        try:
            values = json.loads(line)
            rows = plan_from_document({"screws": values["rows"]}).screws
            keys = {tuple(key) for key in values["keys"]}
        except (ValueError, KeyError, TypeError, InputError):
            break
        for row in rows:
            plan = plan.with_screw(row)
        plan = replace(plan, screws=tuple(row for row in plan.screws if _name(row) in keys))
        steps += 1
    return Unsaved(path, plan, automatic, steps, path.stat().st_mtime)


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
