"""Where the slices of a DICOM series lie, and whether they make one volume."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.images.dicom_slice import Slice

Floats = NDArray[np.float64]

_JITTER = 0.01
"""Share of the spacing by which slice positions may jitter before they count as uneven."""

_ROUNDING_MM = 0.02
"""Positions are stored as text of few digits; this much never counts as uneven."""


def grid_of(folder: Path, slices: Sequence[Slice]) -> tuple[Floats, NDArray[np.int_], list[str]]:
    """Affine, order of the slices, and what has to be stated; the affine keeps every slice where it was taken.

    Returns
    -------
    affine:
        4x4, index (column, row, slice) to RAS mm; sheared for a tilted gantry.
    order:
        Indices into ``slices`` along their common normal.
    notes:
        Gantry tilt and jitter, in words.

    Raises
    ------
    InputError
        If slices differ in size, spacing or orientation, are missing, uneven, or not on one line.
    """
    row, column, spacing = _common(folder, slices)
    normal = np.cross(row, column)
    places = np.array([part.position for part in slices])
    height = places @ normal
    order = np.argsort(height, kind="stable")
    steps = np.diff(height[order])
    step = float(np.median(steps))
    _check_steps(folder, steps, step, height[order])
    shift = (places[order[-1]] - places[order[0]]) / (len(order) - 1)
    straight = places[order[0]] + np.arange(len(order))[:, None] * shift
    if np.abs(places[order] - straight).max() > max(_JITTER * step, _ROUNDING_MM):
        raise InputError(
            f"{folder}: the slices do not lie on one line; the table moved or series are mixed, so give one series"
        )
    notes = []
    sideways = shift - (shift @ normal) * normal
    tilt = float(np.degrees(np.arctan2(np.linalg.norm(sideways), abs(shift @ normal))))
    if tilt > 0.1:
        notes.append(f"gantry tilt of {tilt:.1f} degrees: the grid is sheared so that every voxel keeps its place")
    if np.abs(steps - step).max() > 1e-3:
        notes.append(f"slice positions jitter by up to {np.abs(steps - step).max():.3f} mm; the mean spacing is used")
    affine = np.eye(4)
    affine[:3, 0] = row * spacing[1]
    affine[:3, 1] = column * spacing[0]
    affine[:3, 2] = shift
    affine[:3, 3] = places[order[0]]
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine, order, notes


def _common(folder: Path, slices: Sequence[Slice]) -> tuple[Floats, Floats, Floats]:
    """Directions of a row and a column and the pixel spacing, the same in every slice."""
    first = slices[0]
    for part in slices:
        if part.pixels.shape != first.pixels.shape:
            sizes = " and ".join(f"{p.pixels.shape[1]}x{p.pixels.shape[0]}" for p in (first, part))
            raise InputError(f"{folder}: slices differ in size ({sizes}, {part.path.name}); give one series")
        if np.abs(part.spacing - first.spacing).max() > 1e-4:
            raise InputError(f"{folder}: slices differ in pixel spacing ({part.path.name}); give one series")
        if np.abs(part.orientation - first.orientation).max() > 1e-3:
            raise InputError(f"{folder}: slices differ in orientation ({part.path.name}); give one series")
    row, column = first.orientation.reshape(2, 3)
    if abs(row @ column) > 1e-3 or max(abs(np.linalg.norm(axis) - 1) for axis in (row, column)) > 1e-2:
        raise InputError(f"{folder}: ImageOrientationPatient is damaged; export the series again")
    return row, column, first.spacing


def _check_steps(folder: Path, steps: Floats, step: float, height: Floats) -> None:
    if (steps < 1e-3).any():
        at = height[int(np.argmin(steps))]
        raise InputError(
            f"{folder}: two slices lie at the same place ({at:.1f} mm); it holds several acquisitions, so give one"
        )
    gaps = np.flatnonzero(np.abs(steps - step) > max(_JITTER * step, _ROUNDING_MM))
    if not len(gaps):
        return
    missing = np.round(steps[gaps] / step) - 1
    where = ", ".join(f"{height[g]:.1f} to {height[g + 1]:.1f} mm" for g in gaps[:4])
    if (np.abs(steps[gaps] / step - np.round(steps[gaps] / step)) < 0.05).all() and (missing > 0).all():
        raise InputError(f"{folder}: {int(missing.sum())} slices are missing ({where}); copy the whole series")
    raise InputError(
        f"{folder}: slices are unevenly spaced ({where}, elsewhere {step:.2f} mm); give an even reconstruction"
    )
