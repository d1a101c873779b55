"""The files of a C2 case for an answer that is in memory already, as windows have it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from spinescrew.cohort.c2 import C2Case, assess_case
from spinescrew.feasibility.assessment import C2Assessment
from spinescrew.geometry.volume import Volume
from spinescrew.images import write_volume
from spinescrew.progress import Progress


def export_assessment(
    found: C2Assessment, out: Path, *, force: bool = False, progress: Progress | None = None
) -> C2Case:
    """:func:`spinescrew.cohort.c2.assess_case` with the answer given; the times told are those of the answer's steps.

    Raises
    ------
    InputError
        If ``out`` cannot be written.
    """

    def known(_ct: Volume, *, device: str, progress: Progress) -> C2Assessment:
        progress.timings_s.update(found.seconds)
        return found

    with tempfile.TemporaryDirectory() as folder:
        # One writer of files for all: it reads its CT from a file.
        path = write_volume(found.ct, Path(folder) / "ct.nii")
        return assess_case(path, out, force=force, progress=progress, assess=known)
