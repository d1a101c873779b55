"""Every file of a case, for someone who will carry it away."""

from __future__ import annotations

from pathlib import Path

from spinescrew.cohort.archive import pack
from spinescrew.cohort.case import CaseResult, write_case
from spinescrew.progress import Progress


def export_case(
    result: CaseResult, folder: Path, archive: Path | None = None, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write the case into ``folder`` (one that is there is replaced when the new one is whole).

    Nothing is written beside it but ``archive``, a zip of the folder, where one is asked for. Returns the paths of
    ``report.html`` and ``plan.json``, and of the archive.
    """
    progress = progress or Progress()
    folder = Path(folder)
    written = write_case(result, folder, force=True, progress=progress.part(0.0, 0.9))
    by_name = {path.name: path for path in written.files}
    files = by_name["report.html"], by_name["plan.json"]
    if archive is None:
        return files
    with progress.step("pack", 0.9, 1.0):
        pack(folder, archive)
    return *files, archive
