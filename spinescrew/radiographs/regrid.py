"""Pixels of an image and of its parts: crops, and coarser or finer copies of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.radiographs.view import View

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PoseResult

Floats = NDArray[np.float64]


def same_part(part: View, whole: View, other: View) -> View:
    """The part of ``other`` that ``part`` is of ``whole``: what a finding on one calibration is on another.

    Parameters
    ----------
    part:
        A crop, a binning or a resampling of ``whole``, on the same detector.
    other:
        Of an image with the pixels of ``whole``.
    """
    first = to_pixels(whole, part.detector_origin)
    steps = part.pixel_mm / whole.pixel_mm
    return replace(other, detector_origin=other.on_detector(first), pixel_mm=other.pixel_mm * steps, shape=part.shape)


def to_pixels(view: View, points: Any) -> Floats:
    """(column, row) (..., 2) of RAS points (..., 3) that lie on the detector."""
    offset = np.asarray(points, dtype=np.float64) - view.detector_origin
    return np.stack([offset @ view.right, offset @ view.down], axis=-1) / view.pixel_mm


def between(part: View, whole: View, pixels: Any) -> Floats:
    """Pixels (..., 2) of ``part`` as pixels (..., 2) of ``whole``, on the same detector."""
    return to_pixels(whole, part.on_detector(pixels))


def with_whole_views(result: PoseResult, whole: Sequence[View]) -> PoseResult:
    """A result whose views are those of the whole images, as given and as refined, not of the grids of its maps.

    Parameters
    ----------
    whole:
        The two given views of the whole images.
    """
    rows = zip(whole, result.given_views, result.views, strict=True)
    used = [same_part(each, given, refined) for each, given, refined in rows]
    return replace(result, views=(used[0], used[1]), given_views=(whole[0], whole[1]))
