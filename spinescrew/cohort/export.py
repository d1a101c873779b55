"""Every file of a case, for someone who will carry it away."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from spinescrew.cohort.case import CaseResult, write_case
from spinescrew.geometry.atomic import atomic_path
from spinescrew.progress import Progress

ARCHIVE = "case.zip"


def export_case(
    result: CaseResult, folder: Path, *, title: str = "", progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write the case into ``folder`` (one that is there is replaced when the new one is whole), and beside it as a zip.

    Returns the paths of ``report.html``, ``plan.json`` and the archive.
    """
    progress = progress or Progress()
    folder = Path(folder)
    written = write_case(replace(result, files=()), folder, title=title, force=True, progress=progress.part(0.0, 0.9))
    with progress.step("pack", 0.9, 1.0), atomic_path(folder.with_name(ARCHIVE)) as temporary:
        packed = Path(shutil.make_archive(str(temporary.with_suffix("")), "zip", folder.parent, folder.name))
        packed.replace(temporary)
    by_name = {path.name: path for path in written.files}
    return by_name["report.html"], by_name["plan.json"], folder.with_name(ARCHIVE)
