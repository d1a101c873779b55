"""Draw Docs/network-*.png: every slice of a real case with what was found and what others had labelled.

Example: SPINESCREW_REAL_CASES=/data python Utilities/network_pictures.py
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from model_figures import ENGINE, REAL

from spinescrew.anatomy.numbering import to_verse
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image, read_labels
from spinescrew.progress import Progress
from spinescrew.segmentation import get_engine
from spinescrew.segmentation.box import Box

DOCS = Path(__file__).resolve().parent.parent / "Docs"
FOUND, THEIRS = "#ff5a36", "#35d07f"
NOTE = "orange: found by SpineScrew (trained on simulated images; for research); green: labels made by others"


def main() -> None:
    """Each real case once from the side and once from above."""
    root = Path(os.environ["SPINESCREW_REAL_CASES"])
    for name, (labels, numbering) in REAL.items():
        ct = read_image(root / name / "ct.nii.gz")
        theirs = to_verse(read_labels(root / name / labels), numbering)
        found = get_engine(ENGINE).segment(ct, None, Progress()).labels
        box = _box(ct, theirs, found)
        grids = [box.cut(ct, 1, -1024.0), box.cut(theirs, 0, 0.0), box.cut(found, 0, 0.0)]
        for view, axis in (("sagittal", 0), ("axial", 2)):
            _draw(grids, axis, DOCS / f"network-{name.split('_')[1].split('.')[0]}-{view}.png")


def _box(ct: Volume, *labels: Volume) -> Box:
    """The image's voxels along the patient's axes, around what is labelled."""
    points = np.concatenate([each.index_to_ras(np.argwhere(each.array > 0)) for each in labels])
    low, high = points.min(axis=0) - 12.0, points.max(axis=0) + 12.0
    spacing = float(ct.spacing.min())
    i, j, k = (int(np.ceil(size / spacing)) for size in high - low)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = low
    return Box((i, j, k), affine)


def _draw(grids: list[np.ndarray], axis: int, path: Path) -> None:
    """All slices along one axis in which anything is labelled."""
    labelled = (grids[1] > 0) | (grids[2] > 0)
    others = tuple(n for n in range(3) if n != axis)
    slices = np.flatnonzero(labelled.any(axis=others))
    columns = 8
    rows = -(-len(slices) // columns)
    height, width = (grids[0].shape[n] for n in (others[1], others[0]))
    figure = Figure(figsize=(columns * 1.6, rows * 1.6 * height / width + 0.3), facecolor="black")
    FigureCanvasAgg(figure)
    for n, index in enumerate(slices):
        axes = figure.add_subplot(rows, columns, n + 1)
        ct, theirs, found = (np.take(grid, index, axis=axis).T for grid in grids)
        axes.imshow(ct, cmap="gray", vmin=-400, vmax=1000, origin="lower", interpolation="nearest")
        for labels, colour in ((theirs, THEIRS), (found, FOUND)):
            for value in np.unique(labels[labels > 0]):
                axes.contour(labels == value, [0.5], colors=colour, linewidths=0.5)
        axes.set_axis_off()
    figure.subplots_adjust(0, 0, 1, 1 - 0.25 / figure.get_size_inches()[1], 0.01, 0.01)
    figure.text(0.01, 1 - 0.18 / figure.get_size_inches()[1], NOTE, color="white", fontsize=8)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
