"""A sheet of all design families as X-rays show their metal: from the side, from the front and along the screw."""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from spinescrew.geometry.vectors import rotation, unit
from spinescrew.implants.design_mesh import (
    crosslink_mesh,
    head_matrix,
    head_mesh,
    rod_mesh,
    set_screw_mesh,
    shaft_mesh,
)
from spinescrew.implants.families import FAMILIES, UNKNOWN_FAMILIES, DesignFamily
from spinescrew.implants.mesh import pose_matrix
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.implants.solids import Mesh, placed
from spinescrew.radiographs.c_arm import ap, from_c_arm, lateral
from spinescrew.radiographs.metal import metal_paths
from spinescrew.radiographs.view import View

PIXEL_MM, PER_CM = 0.25, 2.0
"""Size of a pixel at the detector; how strongly metal weakens the beam (1/cm): less than it does, or heads
would be all white."""


def one_screw(family: DesignFamily, direction: np.ndarray) -> list[Mesh]:
    """A screw of 6.5 x 45 mm with its head and a piece of rod, its middle at the origin."""
    design = family.design
    direction = unit(direction)
    stand = pose_matrix(Screw(-16 * direction, direction, ScrewShape(6.5, 45.0)))
    turned = head_matrix(design, stand)
    seat = turned[:3, 3] - design.rod_above_pivot_mm * turned[:3, 2]
    rod = rod_mesh([seat - 9 * turned[:3, 0], seat + 9 * turned[:3, 0]], design.rod_mm / 2)
    parts = [placed(shaft_mesh(design, 6.5, 45.0), stand)]
    parts += [placed(mesh, turned) for mesh in (head_mesh(design, 6.5), set_screw_mesh(design))]
    return [*parts, rod]


def construct(family: DesignFamily) -> list[Mesh]:
    """Two levels, both sides, rods and the family's crosslink."""
    design, parts, seats = family.design, [], {-1: [], 1: []}
    for side in (-1, 1):
        for height in (18.0, -18.0):
            direction = unit(np.array([-0.25 * side, 1.0, -0.05]))
            stand = pose_matrix(Screw(np.array([side * 17.0, -20.0, height]), direction, ScrewShape(6.5, 45.0)))
            axis = rotation((0, 0, 1), 8.0 * side) @ direction
            turned = head_matrix(design, stand, axis)
            parts.append(placed(shaft_mesh(design, 6.5, 45.0), stand))
            parts += [placed(mesh, turned) for mesh in (head_mesh(design, 6.5), set_screw_mesh(design))]
            seats[side].append(turned[:3, 3] - design.rod_above_pivot_mm * turned[:3, 2])
        parts.append(rod_mesh(seats[side], design.rod_mm / 2, overhang_mm=9.0))
    middle = {side: np.mean(seats[side], axis=0) for side in (-1, 1)}
    parts.append(crosslink_mesh(middle[-1], middle[1], design.crosslink, rod_mm=design.rod_mm, rod=(0, 0, 1)))
    return parts


def picture(view: View, meshes: list[Mesh]) -> np.ndarray:
    """Radiograph-like grey values (0 black to 1 white), metal white."""
    path = np.sum(metal_paths(view, meshes), axis=0)
    return 1 - np.exp(-PER_CM * path / 10)


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    size = {"pixel_mm": PIXEL_MM}
    front = np.array([0.0, 1.0, 0.0])
    columns = [
        ("lateral", lateral(shape=(300, 560), **size), lambda f: one_screw(f, front)),
        ("along the rod", from_c_arm(0, 90, shape=(560, 300), **size), lambda f: one_screw(f, front)),
        ("end-on", ap(shape=(300, 300), **size), lambda f: one_screw(f, front)),
        ("AP, two levels", ap(shape=(560, 560), **size), construct),
        ("lateral, two levels", lateral((0, -8, 0), shape=(560, 640), **size), construct),
    ]
    families = [*FAMILIES.values(), *UNKNOWN_FAMILIES.values()]
    widths = [view.shape[1] / view.shape[0] for _, view, _ in columns]
    figure, axes = plt.subplots(
        len(families), len(columns), figsize=(20, 3.1 * len(families)), width_ratios=widths, squeeze=False
    )
    for row, family in zip(axes, families, strict=True):
        for axis, (title, view, parts) in zip(row, columns, strict=True):
            axis.imshow(picture(view, parts(family)), cmap="gray", vmin=0, vmax=1)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_title(f"{family.name}: {title}", fontsize=10)
    figure.tight_layout()
    figure.savefig(out, dpi=75)


if __name__ == "__main__":
    main()
