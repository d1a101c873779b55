"""How large a pixel of a DICOM radiograph is, and in which plane.

Imager Pixel Spacing holds at the detector; Pixel Spacing holds there too, or at some depth in the patient after a
calibration (DICOM PS3.3, 10.7.1.3). Mixing them up makes everything wrong by the magnification, 1.1 on a film and 1.9
on a C-arm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.radiographs.radiograph import SpacingKind

Floats = NDArray[np.float64]

_LARGEST_MAGNIFICATION = 4.0
_SAME = 1e-3
_DISAGREE = 0.02
_PLANES: dict[str, SpacingKind] = {"GEOMETRY": "isocentre", "FIDUCIAL": "calibrated"}


@dataclass
class Spacing:
    """What :class:`~spinescrew.radiographs.radiograph.Radiograph` says of sizes; same names, same units."""

    pixel_mm: Floats | None = None
    spacing_kind: SpacingKind = "unknown"
    magnification: float | None = None
    object_pixel_mm: Floats | None = None
    source_detector_mm: float | None = None
    notes: list[str] = field(default_factory=list)


def element(data: Any, name: str, frame: int = 0) -> Any:
    """Value of an element of the data set or of the functional groups of a frame (from 0); ``None`` if not there."""
    groups = [data]
    for sequence, index in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        items = data.get(sequence) or []
        if index < len(items):
            groups += [part.value[0] for part in items[index] if part.VR == "SQ" and part.value]
    values = (group.get(name) for group in groups)
    return next((value for value in values if value not in (None, "")), None)


def spacing_of(data: Any, frame: int = 0) -> Spacing:
    """Sizes of a frame's pixels as its header tells them, with doubts in words."""
    found = Spacing()
    imager = _pair(data, "ImagerPixelSpacing", frame, found.notes)
    if imager is None:
        imager = _pair(data, "NominalScannedPixelSpacing", frame, found.notes)
    plain = _pair(data, "PixelSpacing", frame, found.notes)
    found.source_detector_mm = _positive(data, "DistanceSourceToDetector", frame, found.notes)
    found.magnification = _magnification(data, frame, found)
    if imager is not None:
        _at_detector(found, imager, plain)
    elif plain is not None:
        _plane_by_type(found, plain, str(element(data, "PixelSpacingCalibrationType", frame) or "").upper())
    else:
        found.notes.append("the file does not tell the size of its pixels; the geometry has to")
    return found


def _at_detector(found: Spacing, imager: Floats, plain: Floats | None) -> None:
    found.pixel_mm, found.spacing_kind = imager, "detector"
    if plain is not None and not np.allclose(plain, imager, rtol=_SAME):
        ratio = float((imager / plain).mean())
        found.object_pixel_mm = plain
        if found.magnification is None and 1 <= ratio <= _LARGEST_MAGNIFICATION:
            found.magnification = ratio
            found.notes.append(f"the magnification {ratio:.3f} was taken from Imager Pixel Spacing over Pixel Spacing")
        elif found.magnification is None or abs(ratio / found.magnification - 1) > _DISAGREE:
            told = "none" if found.magnification is None else f"{found.magnification:.3f}"
            found.notes.append(
                f"Imager Pixel Spacing over Pixel Spacing is {ratio:.3f}, the magnification told is {told}; "
                "sizes at the detector are as Imager Pixel Spacing tells"
            )
    elif found.magnification is not None:
        found.object_pixel_mm = imager / found.magnification


def _plane_by_type(found: Spacing, plain: Floats, kind: str) -> None:
    if kind not in _PLANES:
        found.pixel_mm = plain
        found.notes.append(
            "only Pixel Spacing is told, and not in which plane it holds; it was taken as the detector's, which makes "
            "sizes wrong by the magnification if it is the patient's"
        )
        return
    found.spacing_kind, found.object_pixel_mm = _PLANES[kind], plain
    if found.magnification is not None:
        found.pixel_mm = plain * found.magnification
    else:
        found.notes.append(
            f"Pixel Spacing was calibrated in the patient ({kind.lower()}) and no magnification is told: the size of a "
            "pixel at the detector is not known"
        )


def _magnification(data: Any, frame: int, found: Spacing) -> float | None:
    """As told, else from distances; what no X-ray machine can have is left out."""
    value = _positive(data, "EstimatedRadiographicMagnificationFactor", frame, found.notes)
    for name in ("DistanceSourceToIsocenter", "DistanceSourceToPatient"):
        distance = _positive(data, name, frame, found.notes)
        if value is None and distance is not None and found.source_detector_mm is not None:
            value = found.source_detector_mm / distance
    if value is not None and not 1 <= value <= _LARGEST_MAGNIFICATION:
        found.notes.append(f"a magnification of {value:.3g} cannot be and was left out")
        return None
    return value


def _pair(data: Any, name: str, frame: int, notes: list[str]) -> Floats | None:
    """(column step, row step); DICOM writes the step from row to row first."""
    values = _numbers(data, name, 2, frame, notes)
    return None if values is None else values[::-1].copy()


def _positive(data: Any, name: str, frame: int, notes: list[str]) -> float | None:
    values = _numbers(data, name, 1, frame, notes)
    return None if values is None else float(values[0])


def _numbers(data: Any, name: str, count: int, frame: int, notes: list[str]) -> Floats | None:
    """``count`` positive numbers of an element; damaged ones are named in ``notes`` and left out."""
    try:
        value = element(data, name, frame)
        if value is None:
            return None
        values = np.atleast_1d(np.array(value, dtype=np.float64))
    except (TypeError, ValueError):
        values = np.full(count, np.nan)
    if values.shape == (count,) and np.isfinite(values).all() and values.min() > 0:
        return values
    notes.append(f"{name} is damaged or 0 and was left out")
    return None
