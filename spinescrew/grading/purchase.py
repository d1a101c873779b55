"""Bone contact and density along and around the shaft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.geometry.sampling import trilinear_at
from spinescrew.geometry.volume import Volume
from spinescrew.grading.field import grid_of, in_view, radius_at
from spinescrew.grading.options import GradingOptions
from spinescrew.grading.shaft import Circle, Shaft
from spinescrew.grading.walls import lift

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Purchase:
    """Contact in percent or as shares 0 to 1, densities in HU; ``None`` where there is nothing to average.

    Depth bins run from the entry to the tip in equal parts; angle bins from medial towards superior, the first one
    starting at medial.
    """

    contact_percent: float | None
    contact_by_depth: tuple[float, ...]
    contact_by_angle: tuple[float, ...]
    mean_hu: float | None = None
    min_hu: float | None = None
    hu_by_depth: tuple[float | None, ...] = ()
    hu_by_angle: tuple[float | None, ...] = ()


@njit(cache=True)
def _tally_contact(shaft, stations, distances, first, depth_bins, angle_bins):  # type: ignore[no-untyped-def]
    """Areas in bone and in all, per depth bin (whole shaft) and per angle bin (beyond ``first``)."""
    by_depth, by_angle = np.zeros((depth_bins, 2)), np.zeros((angle_bins, 2))
    n_t, n_theta = distances.shape
    for n in range(n_t):
        area = radius_at(shaft, stations[n])
        row = min(int(stations[n] / shaft.length * depth_bins), depth_bins - 1)
        for m in range(n_theta):
            touched = area if distances[n, m] <= 0.0 else 0.0
            by_depth[row, 0] += touched
            by_depth[row, 1] += area
            if stations[n] >= first:
                column = m * angle_bins // n_theta
                by_angle[column, 0] += touched
                by_angle[column, 1] += area
    return by_depth, by_angle


@njit(cache=True)
def _tally_density(image, grid, shaft, stations, circle, distances, depth_bins, angle_bins):  # type: ignore[no-untyped-def]
    """Sums and counts of HU in bone per depth and per angle bin, and the least HU."""
    by_depth, by_angle, least = np.zeros((depth_bins, 2)), np.zeros((angle_bins, 2)), np.inf
    n_t, n_theta = distances.shape
    inverse = grid.inverse
    for n in range(n_t):
        at = shaft.entry + stations[n] * shaft.direction
        radius = radius_at(shaft, stations[n])
        row = min(int(stations[n] / shaft.length * depth_bins), depth_bins - 1)
        for m in range(n_theta):
            if distances[n, m] > 0.0:
                continue
            x, y, z = lift(at, shaft, radius * circle.cosines[m], radius * circle.sines[m])
            if not in_view(grid, x, y, z, 0.0):
                continue
            i = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2] * z + inverse[0, 3]
            j = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2] * z + inverse[1, 3]
            k = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2] * z + inverse[2, 3]
            value = float(trilinear_at(image, i, j, k))
            column = m * angle_bins // n_theta
            by_depth[row, 0] += value
            by_depth[row, 1] += 1.0
            by_angle[column, 0] += value
            by_angle[column, 1] += 1.0
            least = min(least, value)
    return by_depth, by_angle, least


def purchase(
    shaft: Shaft,
    stations: Floats,
    circle: Circle,
    distances: Floats,
    bone_entry_mm: float | None,
    ct: Volume | None,
    options: GradingOptions,
) -> Purchase:
    """Contact and density of a shaft.

    Parameters
    ----------
    distances:
        (n_t, n_theta) mm to the bone of the vertebra, of the points that ``shaft``, ``stations`` and ``circle`` give.
    bone_entry_mm:
        Depth at which the axis enters bone; contact as a whole and by angle counts from there. ``None`` where it
        does not: then from the entry.
    ct:
        HU on any grid, or ``None``. Only points of the shaft's surface in bone and in the image are read.
    """
    first = max(bone_entry_mm or 0.0, 0.0)
    by_depth, by_angle = _tally_contact(shaft, stations, distances, first, options.depth_bins, options.angle_bins)
    touched, area = by_angle.sum(axis=0).tolist()
    contact: dict[str, Any] = {
        "contact_percent": 100.0 * touched / area if area > 0 else None,
        "contact_by_depth": tuple((by_depth[:, 0] / np.maximum(by_depth[:, 1], 1e-9)).tolist()),
        "contact_by_angle": tuple((by_angle[:, 0] / np.maximum(by_angle[:, 1], 1e-9)).tolist()),
    }
    if ct is None:
        return Purchase(**contact, hu_by_depth=(None,) * options.depth_bins, hu_by_angle=(None,) * options.angle_bins)
    depth_hu, angle_hu, least = _tally_density(
        ct.array, grid_of(ct), shaft, stations, circle, distances, options.depth_bins, options.angle_bins
    )
    total, count = depth_hu.sum(axis=0).tolist()
    return Purchase(
        **contact,
        mean_hu=total / count if count else None,
        min_hu=least if count else None,
        hu_by_depth=_means(depth_hu),
        hu_by_angle=_means(angle_hu),
    )


def _means(sums: Floats) -> tuple[float | None, ...]:
    return tuple(total / count if count else None for total, count in sums.tolist())
