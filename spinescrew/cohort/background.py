"""Planning in a process of its own, for windows that must not freeze.

Nothing here waits and nothing here is a thread: a window asks :meth:`BackgroundJob.poll` from a timer.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Generic, Self, TypeVar

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.cohort import worker
from spinescrew.cohort.case import CaseResult
from spinescrew.cohort.segment import AUTO, SegmentedCase
from spinescrew.errors import GeometryError, InputError, OtherImageError, SpineScrewError
from spinescrew.feasibility.assessment import C2Assessment
from spinescrew.geometry.atomic import hold
from spinescrew.geometry.volume import Volume
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.plan import Plan
from spinescrew.progress import Cancelled
from spinescrew.segmentation.process import find_python, library_path
from spinescrew.viewer.opened import BrandTarget, Identified, Judged, Opened, Posed, PoseTarget, Target

T = TypeVar("T")

_KINDS: dict[str, type[SpineScrewError]] = {
    kind.__name__: kind for kind in (InputError, OtherImageError, GeometryError)
}
_CANCELLED = "cancelled"


class BackgroundError(SpineScrewError):
    """A job ended without a result, through no fault of its input."""


@dataclass(frozen=True)
class State:
    """How far a job is.

    Attributes
    ----------
    fraction, text:
        In [0, 1], and the step for people.
    finished:
        Whether the process has ended, well or not.
    error:
        Why there is no result, in one line; empty while it runs and when it ended well.
    """

    fraction: float = 0.0
    text: str = ""
    finished: bool = False
    error: str = ""


class BackgroundJob(Generic[T]):
    """A function of :data:`spinescrew.cohort.worker.JOBS` that runs in a process of its own.

    Its data pass through a private folder that is removed when the result was read, when the job is cancelled or
    forgotten, and when this process ends, however that happens. The child is another Python where this program is
    none itself.

    Parameters
    ----------
    name:
        Of the function.
    volumes:
        What it works on. A volume that comes back in the result is the very one given here.
    arguments:
        What else it is given; must be picklable.
    python:
        The interpreter; by default the one running, or Slicer's.

    Raises
    ------
    InputError
        If no Python can be found.
    """

    def __init__(
        self,
        name: str,
        volumes: Mapping[str, Volume | None],
        arguments: dict[str, Any],
        *,
        python: str | None = None,
    ) -> None:
        if name not in worker.JOBS:
            raise ValueError(f"no job is called {name}")
        self._name, self._arguments = name, arguments
        self._volumes = {key: volume for key, volume in volumes.items() if volume is not None}
        self._python = python or find_python()
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._clean: Any = None
        self._state = State()
        self._failure: Exception | None = None
        self._values: list[T] = []

    def start(self) -> Self:
        """Write the data (about a second for a large CT) and start the process; returns itself.

        Raises
        ------
        InputError
            If the data cannot be written or the interpreter cannot be started.
        """
        if self._process is not None or self._state.finished:
            raise ValueError("a job is started once")
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="spinescrew-"))  # for this user alone
            alive = hold(self._folder / worker.ALIVE)
        except OSError as error:
            raise InputError(f"no temporary folder can be made ({error.strerror or error}); make room") from error
        try:
            self._process = self._prepare_and_launch(self._folder)
        except BaseException:
            _remove(None, alive, self._folder)
            raise
        self._clean = weakref.finalize(self, _remove, self._process, alive, self._folder)
        return self

    def _prepare_and_launch(self, folder: Path) -> subprocess.Popen[bytes]:
        try:
            worker.write_job(folder, self._name, self._volumes, self._arguments)
        except OSError as error:
            cause = error.strerror or str(error)
            raise InputError(f"'{folder}' cannot be written ({cause}); make room on that disk") from error
        try:
            return _launch(self._python, folder)
        except OSError as error:
            cause = error.strerror or str(error)
            raise InputError(f"'{self._python}' cannot be started ({cause}); give another Python") from error

    @property
    def pid(self) -> int | None:
        """The process's number; ``None`` before the start."""
        return self._process.pid if self._process is not None else None

    @property
    def folder(self) -> Path | None:
        """The private folder; ``None`` before the start."""
        return self._folder

    def poll(self) -> State:
        """How far it is; only looks, and never waits."""
        if self._process is None or self._folder is None or self._state.finished:
            return self._state
        ended = self._process.poll() is not None
        fraction, text = self._state.fraction, self._state.text
        with suppress(OSError, ValueError, KeyError):
            told = json.loads((self._folder / worker.PROGRESS).read_text(encoding="utf-8"))
            fraction, text = max(fraction, float(told["fraction"])), str(told["text"])
        error = ""
        if ended and not (self._folder / worker.RESULT).exists():
            self._failure = _failure(self._folder, self._process.returncode)
            error = str(self._failure)
            self._clean()
        self._state = State(fraction, text, ended, error)
        return self._state

    def result(self, timeout_s: float | None = None) -> T:
        """What the function returned; waits for it.

        Raises
        ------
        InputError, GeometryError
            What the function raised.
        BackgroundError
            If the process ended without a result.
        Cancelled
            If it was cancelled.
        TimeoutError
            If it still runs after ``timeout_s`` seconds.
        """
        if self._values:
            return self._values[0]
        if self._process is None and self._failure is None:
            raise ValueError("the job was not started")
        self._wait(timeout_s)
        if self.poll().error or self._folder is None:
            raise self._failure or BackgroundError(self._state.error)
        self._values.append(worker.read_pickle(self._folder / worker.RESULT, self._volumes))
        self._clean()
        return self._values[0]

    def _wait(self, timeout_s: float | None) -> None:
        if self._process is None or self._state.finished:
            return
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"the job is still running after {timeout_s} s") from None

    def cancel(self) -> None:
        """End the process and remove its folder; a result that was read stays."""
        if self._clean is not None:
            self._clean()
        if not self._values and self._failure is None:
            self._failure = Cancelled(_CANCELLED)
            self._state = State(self._state.fraction, self._state.text, True, _CANCELLED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()


class BackgroundPlanning(BackgroundJob[CaseResult]):
    """:func:`spinescrew.cohort.case.plan_volumes` in a process of its own.

    Examples
    --------
    >>> with BackgroundPlanning(labels, ct).start() as planning:  # doctest: +SKIP
    ...     while not planning.poll().finished:
    ...         ...
    ...     case = planning.result()
    """

    def __init__(
        self,
        labels: Volume,
        ct: Volume | None = None,
        levels: Sequence[Level] | None = None,
        options: PlanningOptions | None = None,
        *,
        python: str | None = None,
    ) -> None:
        arguments = {"levels": tuple(levels) if levels is not None else None, "options": options}
        super().__init__("plan", {"labels": labels, "ct": ct}, arguments, python=python)


class BackgroundMeasuring(BackgroundJob[Spine]):
    """:func:`spinescrew.anatomy.build.build_spine` in a process of its own, for a plan that exists already."""

    def __init__(
        self,
        labels: Volume,
        ct: Volume | None = None,
        levels: Sequence[Level] | None = None,
        *,
        python: str | None = None,
    ) -> None:
        arguments = {"levels": tuple(levels) if levels is not None else None}
        super().__init__("measure", {"labels": labels, "ct": ct}, arguments, python=python)


class BackgroundSegmenting(BackgroundJob[SegmentedCase]):
    """:func:`spinescrew.cohort.segment.segment_volume` in a process of its own."""

    def __init__(
        self, ct: Volume, levels: Sequence[Level] | None = None, engine: str = AUTO, *, python: str | None = None
    ) -> None:
        arguments = {"levels": tuple(levels) if levels is not None else None, "engine": engine}
        super().__init__("segment", {"ct": ct}, arguments, python=python)


class BackgroundC2(BackgroundJob[C2Assessment]):
    """:func:`spinescrew.feasibility.assessment.assess_c2` in a process of its own."""

    def __init__(self, ct: Volume, *, python: str | None = None) -> None:
        super().__init__("c2", {"ct": ct}, {}, python=python)


class BackgroundJudging(BackgroundJob[Judged]):
    """:func:`spinescrew.cohort.c2_open.judge_target` in a process of its own."""

    def __init__(self, target: Target, ct: Volume | None = None, *, python: str | None = None) -> None:
        super().__init__("judge", {"ct": ct}, {"target": target}, python=python)


class BackgroundOpening(BackgroundJob[Opened]):
    """:func:`spinescrew.cohort.open_files.open_target` in a process of its own."""

    def __init__(self, target: Target, *, python: str | None = None) -> None:
        super().__init__("open", {}, {"target": target}, python=python)


class BackgroundExport(BackgroundJob[tuple[Path, ...]]):
    """:func:`spinescrew.cohort.export.export_case` in a process of its own."""

    def __init__(
        self, plan: Plan, spine: Spine, folder: Path, archive: Path | None = None, *, python: str | None = None
    ) -> None:
        arguments = {"plan": plan, "spine": spine, "folder": folder, "archive": archive}
        super().__init__("export", {"labels": spine.labels, "ct": spine.ct}, arguments, python=python)


class BackgroundC2Export(BackgroundJob[tuple[Path, ...]]):
    """:func:`spinescrew.cohort.c2_pack.pack_c2` in a process of its own."""

    def __init__(
        self, found: C2Assessment, plan: Plan, spine: Spine, folder: Path, archive: Path, *, python: str | None = None
    ) -> None:
        arguments = {"found": found, "plan": plan, "spine": spine, "folder": folder, "archive": archive}
        super().__init__("export_c2", {"ct": found.ct}, arguments, python=python)


class BackgroundPose(BackgroundJob[Posed]):
    """:func:`spinescrew.cohort.pose_open.open_pose` in a process of its own."""

    def __init__(
        self,
        target: PoseTarget,
        plan: Plan | None = None,
        ct: Volume | None = None,
        labels: Volume | None = None,
        *,
        python: str | None = None,
    ) -> None:
        super().__init__("pose", {"ct": ct, "labels": labels}, {"target": target, "plan": plan}, python=python)


class BackgroundPoseExample(BackgroundJob[PoseTarget]):
    """:func:`spinescrew.cohort.pose_demo.write_example` in a process of its own."""

    def __init__(self, folder: Path, *, python: str | None = None) -> None:
        super().__init__("pose_example", {}, {"folder": folder}, python=python)


class BackgroundPoseExport(BackgroundJob[tuple[Path, ...]]):
    """:func:`spinescrew.cohort.pose_open.pack_pose` in a process of its own."""

    def __init__(self, posed: Posed, folder: Path, archive: Path, *, python: str | None = None) -> None:
        super().__init__("export_pose", {}, {"posed": posed, "folder": folder, "archive": archive}, python=python)


class BackgroundBrand(BackgroundJob[Identified]):
    """:func:`spinescrew.cohort.brand_open.open_brand` in a process of its own."""

    def __init__(self, target: BrandTarget, *, python: str | None = None) -> None:
        super().__init__("brand", {}, {"target": target}, python=python)


class BackgroundBrandExample(BackgroundJob[BrandTarget]):
    """:func:`spinescrew.cohort.brand_demo.write_example` in a process of its own."""

    def __init__(self, folder: Path, *, python: str | None = None) -> None:
        super().__init__("brand_example", {}, {"folder": folder}, python=python)


class BackgroundBrandExport(BackgroundJob[tuple[Path, ...]]):
    """:func:`spinescrew.cohort.brand_open.pack_brand` in a process of its own."""

    def __init__(self, found: Identified, folder: Path, archive: Path, *, python: str | None = None) -> None:
        super().__init__("export_brand", {}, {"found": found, "folder": folder, "archive": archive}, python=python)


def _launch(python: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [python, "-P", "-m", worker.__name__, str(folder)]
    options: dict[str, Any] = {"start_new_session": True}  # so that a launcher's children end with it
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NO_WINDOW}
    with (folder / worker.LOG).open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **library_path()},
            **options,
        )


def _failure(folder: Path, code: int) -> Exception:
    """Why a process ended without a result."""
    try:
        told = json.loads((folder / worker.ERROR).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return _without_a_word(folder, code)
    if told["kind"] in _KINDS:
        return _KINDS[told["kind"]](told["text"])
    error = BackgroundError(f"the work stopped on a defect of the program ({told['text']}); please report it")
    error.add_note(told.get("traceback", ""))
    return error


def _without_a_word(folder: Path, code: int) -> BackgroundError:
    log = ""
    with suppress(OSError):
        log = (folder / worker.LOG).read_text(encoding="utf-8", errors="replace").strip()
    if code < 0:
        text = f"the work was ended from outside (signal {-code}), often because memory ran out; free memory and retry"
    else:
        last = log.splitlines()[-1] if log else "it said nothing"
        text = f"the process of the work ended with code {code} ({last}); try again"
    error = BackgroundError(text)
    error.add_note(log)
    return error


def _remove(process: subprocess.Popen[bytes] | None, alive: IO[bytes] | None, folder: Path) -> None:
    """End the process with its children and remove the folder."""
    if process is not None:
        _kill(process)
    if alive is not None:
        alive.close()
    shutil.rmtree(folder, ignore_errors=True)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        if sys.platform == "win32":
            process.kill()
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10.0)
