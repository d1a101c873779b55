"""Facet joints between a vertebra and the one above it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label as connected

from spinescrew.anatomy.body import Body
from spinescrew.anatomy.frame import Side, side_sign
from spinescrew.anatomy.vertebra import FacetJoint
from spinescrew.errors import GeometryError
from spinescrew.geometry.sdf import SignedDistance

Floats = NDArray[np.float64]

WIDEST_JOINT_MM = 4.0
"""Surfaces farther apart than this do not articulate (science.md 1.5)."""

_STEP_MM = 0.7
_TOUCH_MM = 0.45
"""Labels that touch leave no voxel between them: there the joint is the layer where both surfaces are this near."""

_SMALLEST_MM2 = 15.0


def _rim(apart: Floats) -> float:
    """Width beyond which the surfaces part at the joint's rim and no longer articulate."""
    return 1.5 * float(np.median(apart)) + 1.0


def find_facet(bone: SignedDistance, upper: SignedDistance, body: Body, side: Side) -> FacetJoint:
    """The joint of one side: where the articular processes of both vertebrae face each other.

    The slab is every point between two surfaces that are at most 4 mm apart and face each other, behind the body and
    off the mid-line.

    Raises
    ------
    GeometryError
        If no two surfaces are that close, with their distance.
    """
    frame, sign = body.frame, side_sign(side)
    r = np.arange(3.0, 42.0, _STEP_MM) * sign
    a = np.arange(-body.half_depth_mm - 45.0, -body.half_depth_mm - 1.0, _STEP_MM)
    s = np.arange(-5.0, 45.0, _STEP_MM)
    grid = np.stack(np.meshgrid(r, a, s, indexing="ij"), axis=-1)
    points = frame.to_ras(grid)
    own, other = bone.sample(points), upper.sample(points)
    apart = np.maximum(own, 0) + np.maximum(other, 0)
    between = (own >= 0) & (other >= 0) & (apart < WIDEST_JOINT_MM)
    touching = (np.abs(own) < _TOUCH_MM) & (np.abs(other) < _TOUCH_MM)
    slab = between | touching
    at = np.argwhere(slab)
    if not len(at):
        raise GeometryError(f"the articular processes are {apart.min():.1f} mm apart: no joint with the vertebra above")
    near = points[tuple(at.T)]
    facing = np.einsum("ij,ij->i", bone.gradient(near, 0.8), upper.gradient(near, 0.8)) < -0.5
    slab[tuple(at[~facing].T)] = False
    pieces, count = connected(slab, structure=np.ones((3, 3, 3)))
    if count == 0:
        raise GeometryError("no surfaces of the two vertebrae face each other: no joint with the vertebra above")
    biggest = int(np.bincount(pieces.ravel())[1:].argmax()) + 1
    joint = pieces == biggest
    joint &= apart <= _rim(apart[joint])
    chosen = points[joint]
    normal = bone.gradient(chosen, 0.8).mean(axis=0)
    normal = normal / max(float(np.linalg.norm(normal)), 1e-9)
    gap = float(np.median(bone.sample(chosen) + upper.sample(chosen)))
    area = len(chosen) * _STEP_MM**3 / max(gap, 0.9)
    if area < _SMALLEST_MM2:
        raise GeometryError("the surfaces that face the vertebra above are too small to be a joint")
    return FacetJoint(side=side, points=chosen, spacing_mm=_STEP_MM, normal=normal, gap_mm=max(gap, 0.0))
