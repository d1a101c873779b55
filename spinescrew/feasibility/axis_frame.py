"""The frame of C2, which has no flat superior endplate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, VertebralFrame
from spinescrew.errors import GeometryError
from spinescrew.feasibility.pose import PediclePose
from spinescrew.geometry.sampling import trilinear
from spinescrew.geometry.vectors import cross, rotation, unit
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

_PSA_DEG = 20.5
_TO_CENTRE_MM = 11.5
_RIM_MM = np.linspace(5.0, 7.5, 4)
_TURNS = np.linspace(0.0, 2 * np.pi, 36, endpoint=False)
_RIGHT_SHARE, _AHEAD_SHARE = 1.2, 0.8
_LIP_DEG = 5.3
"""The front edge of C2 hangs over the disc: by so much the plane through its rim is tilted (mean of 20 phantoms)."""
_ABOVE_MM, _BELOW_MM, _STEP_MM = 4.0, 22.0, 0.25
_FAR_MM, _OFF_MM = 4.0, 1.0
_LEAST_POINTS = 60


def axis_frame(bone_mask: Volume, poses: Mapping[Side, PediclePose]) -> VertebralFrame:
    """Frame of C2 from its mask and the poses of both pedicles.

    ``superior`` is the normal of the inferior endplate, ``right`` runs from the left isthmus to the right one, the
    origin is the centre of the body (science: section 1.1 of the project's reference).

    Parameters
    ----------
    bone_mask:
        C2 (bool or 0/1) on any grid.

    Raises
    ------
    GeometryError
        If the mask holds no inferior endplate in front of the pedicles.
    """
    mask = bone_mask.with_array(bone_mask.array.astype(np.float32))
    frame = _from_poses(poses)
    for _ in range(3):
        frame = _on_endplate(mask, frame)
    return frame


def _from_poses(poses: Mapping[Side, PediclePose]) -> VertebralFrame:
    """A first frame: pedicles of C2 rise by 20 degrees (Naderi 2004) and lie about 11 mm behind the body's centre."""
    left, right = (poses[side] for side in SIDES)
    across = unit(right.isthmus - left.isthmus)
    rising = left.forwards + right.forwards
    rising = unit(rising - (rising @ across) * across)
    anterior = rotation(across, -_PSA_DEG) @ rising
    origin = 0.5 * (left.isthmus + right.isthmus) + _TO_CENTRE_MM * anterior
    return VertebralFrame(origin, across, anterior, cross(across, anterior))


def _on_endplate(mask: Volume, frame: VertebralFrame) -> VertebralFrame:
    """``frame`` tilted on to the rim of the inferior endplate."""
    radius, turn = np.meshgrid(_RIM_MM, _TURNS, indexing="ij")
    rim = np.stack([_RIGHT_SHARE * radius * np.cos(turn), _AHEAD_SHARE * radius * np.sin(turn)], axis=-1).reshape(-1, 2)
    down = np.arange(_ABOVE_MM, -_BELOW_MM, -_STEP_MM)
    local = np.empty((len(rim), len(down), 3))
    local[..., :2], local[..., 2] = rim[:, None], down
    inside = trilinear(mask, frame.to_ras(local)) > 0.5
    met = inside[:, 0] & ~inside.all(axis=1)
    if met.sum() < _LEAST_POINTS:
        raise GeometryError("the inferior endplate of C2 is not in its mask: the vertebra is cut or not whole")
    slope, rmse = _plane(rim[met], down[(~inside[met]).argmax(axis=1)])
    tilted = unit(frame.superior - slope[0] * frame.right - slope[1] * frame.anterior)
    superior = rotation(frame.right, _LIP_DEG) @ tilted
    right = unit(frame.right - (frame.right @ superior) * superior)
    return VertebralFrame(frame.origin, right, cross(superior, right), superior, "inferior endplate", rmse)


def _plane(places: Floats, level: Floats) -> tuple[Floats, float]:
    """Slopes (2,) of the plane through most of the points, and its residual; edges that hang over drop out."""
    design = np.column_stack([places, np.ones(len(places))])
    kept = np.abs(level - np.median(level)) < _FAR_MM
    for _ in range(6):
        found = np.linalg.lstsq(design[kept], level[kept], rcond=None)[0]
        off = level - design @ found
        kept = np.abs(off) < max(_OFF_MM, 1.5 * float(np.median(np.abs(off))))
    return np.asarray(found[:2], np.float64), float(np.sqrt(np.mean(off[kept] ** 2)))
