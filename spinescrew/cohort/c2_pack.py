"""Every file of a C2 case and its screws, for someone who will carry it away."""

from __future__ import annotations

from pathlib import Path

from spinescrew.anatomy.vertebra import Spine
from spinescrew.cohort.archive import pack
from spinescrew.cohort.c2 import REPORT, write_case
from spinescrew.exchange import write_plan
from spinescrew.feasibility.assessment import C2Assessment
from spinescrew.planning.plan import Plan
from spinescrew.progress import Progress

PLAN = "plan.json"


def pack_c2(
    found: C2Assessment, plan: Plan, spine: Spine, folder: Path, archive: Path, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write :func:`spinescrew.cohort.c2.write_case` and the screws into ``folder``, and a zip of it.

    Returns the paths of ``report.html``, ``plan.json`` and the archive; nothing holds the patient's identity.
    """
    progress = progress or Progress()
    folder = Path(folder)
    write_case(found, folder, force=True, progress=progress.part(0.0, 0.9))
    with progress.step("write the screws and pack", 0.9, 1.0):
        written = write_plan(plan, folder / PLAN, spine=spine)
        pack(folder, archive)
    return folder / REPORT, written, archive
