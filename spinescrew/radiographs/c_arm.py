"""Views as a C-arm takes them, and how wrong its calibration may be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import GeometryError
from spinescrew.geometry.vectors import rotation, unit
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

SOURCE_DETECTOR_MM = 1020.0
SOURCE_ISOCENTRE_MM = 530.0
PIXEL_MM = 0.194
PIXELS = 1536
"""A mobile C-arm with a flat detector, as DeepDRR (Unberath 2018) describes it."""

_LEFT, _POSTERIOR, _INFERIOR = -np.eye(3)


def from_c_arm(
    orbital_deg: float,
    angular_deg: float,
    isocentre: Any = (0.0, 0.0, 0.0),
    *,
    sdd_mm: float = SOURCE_DETECTOR_MM,
    sid_mm: float = SOURCE_ISOCENTRE_MM,
    pixel_mm: float = PIXEL_MM,
    shape: tuple[int, int] = (PIXELS, PIXELS),
) -> View:
    """The view of a C-arm turned about its isocentre, its beam through the middle of the image.

    At 0, 0 the source stands in front of the patient and the detector behind (AP; a prone patient, the tube below);
    the patient's left is at the right of the image, the head at its top.

    Parameters
    ----------
    orbital_deg:
        Turn about the patient's long axis; positive brings the source to the patient's left (90: lateral). The sense of
        DICOM's Positioner Primary Angle, whose zero has the detector in front.
    angular_deg:
        Tilt after that; positive brings the detector towards the head, as DICOM's Positioner Secondary Angle.
    isocentre:
        (3,) RAS mm.
    sdd_mm, sid_mm:
        Distance from the source to the detector, and from the source to the isocentre.
    pixel_mm, shape:
        Step between pixels at the detector, (rows, columns).

    Raises
    ------
    GeometryError
        If a size is not positive, or the isocentre does not lie between source and detector.
    """
    if not 0 < sid_mm < sdd_mm:
        raise GeometryError(
            f"an isocentre {sid_mm:g} mm from the source does not lie before a detector {sdd_mm:g} mm from it"
        )
    turn = rotation((0, 0, 1), orbital_deg) @ rotation(_LEFT, angular_deg)
    right, down, beam = turn @ _LEFT, turn @ _INFERIOR, turn @ _POSTERIOR
    source = np.asarray(isocentre, dtype=np.float64) - sid_mm * beam
    rows, columns = shape
    corner = -pixel_mm * ((columns - 1) / 2 * right + (rows - 1) / 2 * down)
    return View(source, source + sdd_mm * beam + corner, right, down, np.full(2, pixel_mm), shape)


def ap(isocentre: Any = (0.0, 0.0, 0.0), **c_arm: Any) -> View:
    """The standard antero-posterior view; ``c_arm`` as for :func:`from_c_arm`."""
    return from_c_arm(0.0, 0.0, isocentre, **c_arm)


def lateral(isocentre: Any = (0.0, 0.0, 0.0), **c_arm: Any) -> View:
    """The standard lateral view, source at the patient's left; ``c_arm`` as for :func:`from_c_arm`."""
    return from_c_arm(90.0, 0.0, isocentre, **c_arm)


def perturbed(
    view: View,
    degrees_about_isocentre: float,
    source_shift_mm: float,
    random: np.random.Generator,
    isocentre: Any = None,
) -> View:
    """The view as a calibration with errors of exactly this size would give it, in directions drawn evenly.

    The C-arm is turned about the isocentre (left out: where it lies on the centre ray of a mobile C-arm), then the
    source is shifted and the detector stays, so the intrinsics err too.
    """
    if isocentre is None:
        isocentre = view.source + SOURCE_ISOCENTRE_MM / SOURCE_DETECTOR_MM * (
            view.on_detector(view.centre_pixel) - view.source
        )
    centre = np.asarray(isocentre, dtype=np.float64)
    axis, shift = unit(random.normal(size=(2, 3)))
    move = np.eye(4)
    move[:3, :3] = rotation(axis, degrees_about_isocentre)
    move[:3, 3] = centre - move[:3, :3] @ centre
    turned = view.moved(move)
    return replace(turned, source=turned.source + source_shift_mm * shift)
