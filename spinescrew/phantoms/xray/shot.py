"""A radiograph of a construct in a patient, with everything that is true of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.xray.construct import Construct
from spinescrew.radiographs.c_arm import from_c_arm
from spinescrew.radiographs.detector import opened
from spinescrew.radiographs.exposure import Exposure, expose
from spinescrew.radiographs.metal import metal_path
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.thickness import Thickness, thickness
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]
Field = NDArray[np.float32]

SHAFT, HEAD = 1, 2
_SEEN_MM = 0.3
"""Metal on a pixel's ray from which the pixel shows it."""

_DETECTOR_MM = 307.2
PIXEL_MM = 0.6
"""Of simulated detectors for training: what the network works at."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One radiograph and its truth.

    Attributes
    ----------
    classes:
        uint8 (rows, columns): 0 background, rods and foreign metal among it, 1 shaft, 2 head, which hides a shaft.
    necks, tips:
        (n, 2) (column, row) of each implant's beginning and end, in the order of the construct; they may lie outside
        the image or behind the shutter.
    lit:
        bool (rows, columns): what the shutter leaves open.
    """

    radiograph: Radiograph
    view: View
    construct: Construct
    classes: NDArray[np.uint8]
    necks: Floats
    tips: Floats
    lit: NDArray[np.bool_]

    def shows(self, points: Floats) -> NDArray[np.bool_]:
        """Whether pixels (n, 2) lie in the lit part of the image."""
        nearest = np.rint(np.nan_to_num(points, nan=-1.0)).astype(int)
        inside = (nearest >= 0).all(axis=1) & (nearest < self.lit.shape[::-1]).all(axis=1)
        nearest[~inside] = 0
        return inside & self.lit[nearest[:, 1], nearest[:, 0]]


@dataclass(frozen=True, eq=False)
class Backdrop:
    """The patient without implants as one view sees it."""

    view: View
    thickness: Thickness


def draw_view(
    kind: str,
    centre: Floats,
    random: np.random.Generator,
    *,
    pixel_mm: float = PIXEL_MM,
    square_mm: float = _DETECTOR_MM,
) -> View:
    """A view of a mobile C-arm, or of a bucky (``film``), as it is set up by hand.

    Parameters
    ----------
    kind:
        ``"ap"``, ``"lateral"``, ``"oblique"``, ``"film ap"`` or ``"film lateral"``.
    centre:
        (3,) RAS mm of what is looked at.
    """
    film, kind = kind.startswith("film "), kind.removeprefix("film ")
    orbital = {"ap": 12.0 * _normal(random), "lateral": random.choice([-90.0, 90.0]) + 9.0 * _normal(random)}
    turned = orbital.get(kind, float(random.uniform(-180, 180)))
    tilted = 7.0 * _normal(random) if kind in orbital else float(random.uniform(-30, 30))
    if kind == "ap" and random.random() < 0.3:
        turned += 180.0
    distance = float(random.uniform(950, 1250) if film else random.uniform(960, 1100))
    share = float(random.uniform(0.82, 0.9) if film else random.uniform(0.5, 0.66))
    middle = centre + random.normal(size=3) * (8.0, 8.0, 12.0)
    side = round(square_mm / pixel_mm)
    return from_c_arm(
        float(turned), float(tilted), middle, sdd_mm=distance, sid_mm=share * distance, pixel_mm=pixel_mm,
        shape=(side, side),
    )  # fmt: skip


def backdrop(ct: Volume, view: View, *, coarse: int = 1) -> Backdrop:
    """The tissue before a view.

    Parameters
    ----------
    coarse:
        The beam is followed for every so many pixels only, and interpolated between them: tissue in voxels of some
        millimetres has no finer detail.
    """
    if coarse == 1:
        return Backdrop(view, thickness(view, ct))
    return Backdrop(view, thickness(view.binned(coarse), ct).resampled(view))


def shoot(behind: Backdrop, construct: Construct, exposure: Exposure, random: np.random.Generator) -> Shot:
    """A radiograph of a construct in front of a backdrop.

    The metal adds to the tissue: the bone that a screw pushed aside still weakens the beam.
    """
    view = behind.view
    shafts, heads, rest = (np.zeros(view.shape, np.float32) for _ in range(3))
    for implant in construct.implants:
        shafts += metal_path(view, *implant.shaft)
        for part in implant.head_parts:
            heads += metal_path(view, *part)
    for part in construct.rod_meshes:
        rest += metal_path(view, *part)
    image = expose(behind.thickness, shafts + heads + rest, exposure, random)
    lit = opened(view.shape, exposure.shutter) > 0.5
    classes = np.where(heads > _SEEN_MM, HEAD, np.where(shafts > _SEEN_MM, SHAFT, 0)).astype(np.uint8)
    classes[~lit] = 0
    necks = view.project(np.reshape([each.screw.entry for each in construct.implants], (-1, 3)))
    tips = view.project(np.reshape([each.screw.tip for each in construct.implants], (-1, 3)))
    return Shot(replace(image, pixel_mm=view.pixel_mm.copy()), view, construct, classes, necks, tips, lit)


def _normal(random: np.random.Generator) -> float:
    return float(np.clip(random.normal(), -2.5, 2.5))
