"""Vertebrae built by hand from analytic shapes.

Shapes are functions of points (n, 3) in the vertebra's own (right, anterior, superior) mm that are negative inside.
The graded pedicle is the right one and runs along the vertebra's anterior direction through its origin, unless said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinescrew.anatomy.frame import VertebralFrame
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Pedicle, Spine, Vertebra
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw, ScrewShape


def tube(points, radius=5.0, start=-20.0, end=20.0, x=0.0, z=0.0):
    """A solid cylinder of bone along anterior."""
    return np.maximum(
        np.hypot(points[:, 0] - x, points[:, 2] - z) - radius, np.maximum(start - points[:, 1], points[:, 1] - end)
    )


def box(points, low, high):
    return np.max(np.maximum(np.asarray(low) - points, points - np.asarray(high)), axis=1)


def waist(y):
    """Half width and half height of the waisted elliptic pedicle at ``y``."""
    return 4.0 + 0.02 * y**2, 6.5 + 0.015 * y**2


def waisted(points):
    """An elliptic pedicle, 8 x 13 mm at its waist, from y = -14 into a body that begins at y = 9."""
    width, height = waist(points[:, 1])
    level = np.hypot(points[:, 0] / width, points[:, 2] / height)
    pedicle = np.maximum((level - 1.0) * width, np.maximum(-14.0 - points[:, 1], points[:, 1] - 12.0))
    return np.minimum(pedicle, box(points, (-11, 9, -11), (11, 24, 11)))


def waisted_wall():
    """(n, 3) points of the waisted pedicle's wall, about 0.1 mm apart."""
    y, angle = np.meshgrid(np.arange(-14.0, 12.01, 0.1), np.linspace(0, 2 * np.pi, 400, endpoint=False), indexing="ij")
    width, height = waist(y)
    return np.stack([width * np.cos(angle), y, height * np.sin(angle)], axis=-1).reshape(-1, 3)


def turned(seed):
    """A random rotation matrix; seed 0 is none."""
    if seed == 0:
        return np.eye(3)
    random = np.random.default_rng(seed)
    return rotation(random.normal(size=3), float(random.uniform(15, 175)))


def grid_around(low, high, spacing, axes=None, left_handed=False):
    """Affine and shape of a grid around the RAS box [low, high]; ``axes`` (3, 3) turns it.

    The box's faces do not fall on voxel centres, where a mask could not tell on which side they lie.
    """
    axes = np.eye(3) if axes is None else axes
    spacing = np.broadcast_to(np.asarray(spacing, float), 3)
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T @ axes
    first, last = corners.min(axis=0) - 0.4 * spacing, corners.max(axis=0)
    shape = np.ceil((last - first) / spacing).astype(int) + 1
    affine = np.eye(4)
    affine[:3, :3] = axes * spacing
    affine[:3, 3] = axes @ first
    if left_handed:
        affine[:3, 3] = axes @ (first + np.array([(shape[0] - 1) * spacing[0], 0, 0]))
        affine[:3, 0] *= -1
    return affine, tuple(shape)


@dataclass(eq=False)
class Case:
    """A spine of one vertebra (more if given), and screws laid in the vertebra's own coordinates."""

    spine: Spine
    frame: VertebralFrame
    level: Level = Level.L3

    @property
    def vertebra(self):
        return self.spine.vertebrae[self.level]

    def screw(self, entry, direction=(0, 1, 0), diameter=6.0, length=40.0, taper=0.0, **sizes):
        shape = ScrewShape(diameter, length, tip_taper_mm=taper, **sizes)
        return Screw(self.frame.to_ras(entry), self.frame.axes @ np.asarray(direction, float), shape)


def voxelised(shape, frame, low, high, spacing=0.5, axes=None, left_handed=False):
    """Mask of ``shape`` on a grid around the local box [low, high] of the vertebra."""
    corners = frame.to_ras(np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T)
    affine, size = grid_around(corners.min(axis=0), corners.max(axis=0), spacing, axes, left_handed)
    volume = Volume(np.zeros(size, np.uint8), affine)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in size], indexing="ij"), axis=-1).reshape(-1, 3)
    inside = shape(frame.to_local(volume.index_to_ras(index))) < 0
    return volume.with_array(inside.reshape(size).astype(np.uint8))


def make_pedicle(frame, side="right", isthmus=(0, 0, 0), axis=(0, 1, 0), width=10.0, height=10.0, **sizes):
    junction, dorsal = sizes.get("junction", 12.0), sizes.get("dorsal", -20.0)
    sign = 1.0 if side == "right" else -1.0
    return Pedicle(
        side,
        frame.to_ras(isthmus),
        frame.axes @ np.asarray(axis, float),
        -sign * frame.right,
        width,
        height,
        width - 1.4,
        height - 2.9,
        "assumed walls",
        junction,
        dorsal,
        40.0,
        0.0,
        0.0,
    )


def make_case(
    shape, low=(-17, -24, -14), high=(17, 24, 14), *, turn=0, spacing=0.5, axes=None, left_handed=False, exact=False,
    side="right", pedicle=None, level=Level.L3, **parts,
):  # fmt: skip
    """Voxelise ``shape`` (or tabulate it, ``exact``) and build a vertebra with one pedicle around it.

    The vertebra is turned by ``turned(turn)``, the grid by ``axes``.
    """
    frame = VertebralFrame(np.array([11.3, -7.9, 20.1]), *turned(turn).T)
    labels = voxelised(shape, frame, low, high, spacing, axes, left_handed)
    if exact:
        corners = frame.to_ras(np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T)
        bone = SignedDistance.from_function(
            lambda p: shape(frame.to_local(p)), corners.min(axis=0) - 4, corners.max(axis=0) + 4, 0.5
        )
    else:
        bone = SignedDistance.from_mask(labels)
    pedicles = {side: make_pedicle(frame, side, **(pedicle or {}))}
    vertebra = Vertebra(level, bone, frame, pedicles, **parts)
    labels = labels.with_array(labels.array * np.uint8(level.value))
    return Case(Spine({level: vertebra}, labels), frame, level)


def whole_vertebra(points):
    """A body 40 x 30 x 24 mm around the origin and a right pedicle 12 mm thick at x = 12, from y = -40 to the body."""
    body = box(points, (-20, -15, -12), (20, 15, 12))
    return np.minimum(body, tube(points, 6.0, -40.0, -13.0, x=12.0))


def vertebra_case(shape=whole_vertebra, **given):
    """The whole vertebra on an exact field; its pedicle's isthmus is at y = -25, the junction at y = -15."""
    pedicle = {"isthmus": (12, -25, 0), "width": 12.0, "height": 12.0, "junction": 10.0, "dorsal": -15.0}
    sizes = {"exact": True, "spacing": 1.0, "pedicle": pedicle}
    return make_case(shape, (-32, -50, -22), (36, 28, 22), **{**sizes, **given})
