"""Write Docs/real-cases.md: the plans of the real cases, screw by screw.

Example: SPINESCREW_REAL_CASES=/data python Utilities/real_case_tables.py
"""

from __future__ import annotations

import os
from pathlib import Path

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import parse_levels
from spinescrew.anatomy.numbering import to_verse
from spinescrew.evaluation.plans import markdown_table
from spinescrew.images import read_image, read_labels
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.planner import plan_spine

TARGET = Path(__file__).resolve().parent.parent / "Docs" / "real-cases.md"

CASES = (
    ("mask_lumbosacral", "vertebrae.nii.gz", "", "L1-S1", "Visible Human male, 0.8 mm, no CT"),
    ("mask_t9_l5", "vertebrae.nii.gz", "", "T9-L5", "expert mask, 1 x 1 x 2 mm, no CT; L1 is crushed to 9 mm"),
    ("ct_lumbosacral_3mm", "totalsegmentator.nii.gz", "ct.nii.gz", "L1-S1", "labels of a network, 3 mm voxels"),
    ("ct_l3_1.5mm", "vertebrae.nii.gz", "ct.nii.gz", "L3", "CT crop, 1.5 mm"),
    (
        ".",
        "dicom_thoracolumbar.totalsegmentator.nii.gz",
        "dicom_thoracolumbar",
        "T11-T12",
        "20 DICOM slices that cut both",
    ),
)

HEAD = """# Real cases, screw by screw

Written by `Utilities/real_case_tables.py`. None of these cases was drawn by this project, and none is part of it;
sources and licences: TotalSegmentator and TPTBox test data (Apache-2.0), a VerSe sample (CC BY-SA 4.0), the artisynth
lumbosacral model (BSD-3). No surgeon's screws exist for them: what stands here is how our planner's screws measure, not
how near they are to a surgeon's.

*GR (range)*: letter, and the letters that half a voxel of segmentation error allows. *margin*: signed distance to the
pedicle's wall, negative inside. *facet* `not gradable`: the vertebra above is not in view.
"""


def main() -> None:
    """Plan every case along both trajectories and write the tables."""
    root = Path(os.environ["SPINESCREW_REAL_CASES"])
    parts = [HEAD]
    for folder, labels, ct, levels, what in CASES:
        volume = to_verse(read_labels(root / folder / labels))
        image = read_image(root / folder / ct) if ct else None
        spine = build_spine(volume, image, parse_levels(levels))
        name = folder if folder != "." else "dicom_thoracolumbar"
        parts.append(f"\n## {name}\n\n{what}. Numbering: {volume.metadata['numbering'].split(';')[0]}.\n")
        for trajectory in ("straight-forward", "anatomic"):
            plan = plan_spine(spine, parse_levels(levels), PlanningOptions(trajectory=trajectory))
            parts.append(f"\n### {trajectory}\n\n{markdown_table(plan)}")
            notes = [f"- {row.level.label} {row.side}: {note}" for row in plan.planned for note in row.notes]
            if notes:
                parts.append("\n" + "\n".join(notes) + "\n")
    TARGET.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
