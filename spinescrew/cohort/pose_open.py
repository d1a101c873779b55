"""Two radiographs as windows ask for them, and every file of their poses for someone who will carry it away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from spinescrew.cohort.archive import pack
from spinescrew.cohort.pose import POSE, REPORT, PoseCase, parse_size, write_pose_case
from spinescrew.cohort.pose_demo import write_example
from spinescrew.cohort.pose_pair import RadiographPair, read_pair, solve_pair
from spinescrew.errors import InputError
from spinescrew.progress import Progress
from spinescrew.viewer.opened import Posed, PoseTarget

EXAMPLE_NAME = "Simulated radiographs"


def target_of(images: Sequence[str | Path], geometry: str | Path | None, sizes: str = "") -> PoseTarget:
    """What is to be solved, from what a person chose and typed: sizes such as ``"6.5x45, 5.5x40"``.

    Raises
    ------
    InputError
        If a size is none.
    """
    wanted = tuple(parse_size(text) for text in sizes.replace(";", ",").split(",") if text.strip())
    return PoseTarget(tuple(map(Path, images)), Path(geometry) if geometry is not None else None, wanted)


def open_pose(target: PoseTarget, progress: Progress | None = None) -> Posed:
    """Find the screws of two radiographs; the built-in pair is made first.

    Raises
    ------
    InputError
        If images or geometry cannot be read or do not fit, or no screws are found; the message says which.
    """
    progress = progress or Progress()
    start = 0.5 if target.built_in else 0.1
    with progress.step("read the images", 0.0, start) as part:
        pair = _pair(target, part)
    solved = solve_pair(pair, target.sizes or None, progress=progress.part(start, 1.0))
    return Posed(solved.result, solved.radiographs, _name(target))


def pack_pose(posed: Posed, folder: Path, archive: Path, progress: Progress | None = None) -> tuple[Path, ...]:
    """Write :func:`spinescrew.cohort.pose.write_pose_case` into ``folder``, and a zip of it.

    Returns the paths of ``report.html``, ``pose.json`` and the archive; nothing holds the patient's identity.
    """
    progress = progress or Progress()
    case = PoseCase(posed.result, posed.radiographs)
    write_pose_case(case, folder, force=True, progress=progress.part(0.0, 0.9))
    with progress.step("pack", 0.9, 1.0):
        pack(folder, archive)
    return folder / REPORT, folder / POSE, archive


def _pair(target: PoseTarget, progress: Progress) -> RadiographPair:
    if target.built_in:
        with TemporaryDirectory() as folder:
            target = write_example(Path(folder), progress)
            return _read(target)
    return _read(target)


def _read(target: PoseTarget) -> RadiographPair:
    if target.geometry is None:
        raise InputError("the geometry is missing; give the calibration file of both radiographs")
    return read_pair(target.images, target.geometry)


def _name(target: PoseTarget) -> str:
    if target.built_in:
        return EXAMPLE_NAME
    return ", ".join(path.resolve().name for path in target.images)
