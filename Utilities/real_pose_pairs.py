"""Put screws into the real CTs and take pairs of radiographs of them, for ``spinescrew evaluate pose --data``.

Example: SPINESCREW_REAL_CASES=/data python Utilities/real_pose_pairs.py runs/pose-real
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from spinescrew.anatomy.numbering import to_verse
from spinescrew.cohort.case import plan_volumes
from spinescrew.evaluation.pose_folder import PoseImage, write_pose_folder
from spinescrew.images import read_image, read_labels
from spinescrew.phantoms.xray import pair_of

CASES = (
    ("ct_lumbosacral_3mm", "totalsegmentator.nii.gz", 10),
    ("ct_l3_1.5mm", "vertebrae.nii.gz", 4),
)
"""Folder, labels, and how many constructs are put in."""

STYLES = ("clean", "realistic")


def main() -> None:
    """Plan each case, draw constructs about the plan, write the pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    root = Path(os.environ["SPINESCREW_REAL_CASES"])
    images = [
        image
        for case, labels, count in CASES
        for image in pairs(root / case / "ct.nii.gz", root / case / labels, count)
    ]
    print(write_pose_folder(arguments.out, images))  # noqa: T201


def pairs(ct_path: Path, labels_path: Path, count: int) -> list[PoseImage]:
    """Pairs of one CT in every style."""
    ct, labels = read_image(ct_path), to_verse(read_labels(labels_path))
    screws = {(row.level, row.side): row.screw for row in plan_volumes(labels, ct).plan.planned}
    found = []
    for style in STYLES:
        for seed in range(count):
            pair = pair_of(ct, screws, seed, style, cut=True)
            classes = (pair.shots[0].classes, pair.shots[1].classes)
            name = f"{ct_path.parent.name}-{style}-{seed}"
            views = pair.true_views
            found.append(PoseImage(name, f"real CT, {style}", pair.radiographs, views, views, pair.screws, classes))
    return found


if __name__ == "__main__":
    main()
