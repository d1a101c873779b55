"""A simulated CT after the operation: metal painted into fine voxels, spread, cut off at the end of the scale."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from spinescrew.geometry.vectors import unit
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.phantoms.metal import add_streaks, paint_metal

SPACING = np.array([0.9, 0.9, 1.2])
METAL_HU, TOP_HU = 8000.0, 3071


def paint_shaft(hu, screw):
    """A tapered shaft with flat ends."""
    corners = hu.ras_to_index(np.array([screw.entry, screw.tip]))
    room = 6.0 / hu.spacing
    low = np.clip(np.floor(corners.min(axis=0) - room), 0, hu.shape).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0) + room), 0, hu.shape).astype(int)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    points = hu.index_to_ras(np.moveaxis(np.indices(tuple(high - low)), 0, -1) + low)
    arm = points - screw.entry
    depth = arm @ screw.direction
    aside = np.linalg.norm(arm - depth[..., None] * screw.direction, axis=-1)
    inside = (depth >= 0) & (depth <= screw.shape.length_mm) & (aside < screw.shape.radius_at(depth))
    hu.array[box][inside] = METAL_HU


def heads_and_rods(screws):
    """(start, end, radius) of a tulip behind each screw and of a rod along each side; capsules."""
    found, sides = [], {}
    for screw in screws:
        found.append((screw.entry - 10.0 * screw.direction, screw.entry - 6.5 * screw.direction, 6.5))
        sides.setdefault(bool(screw.entry[0] > 0), []).append(screw.entry - 9.0 * screw.direction)
    for heads in sides.values():
        line = sorted(heads, key=lambda head: -head[2])
        if len(line) > 1:
            over = 8.0 * unit(line[0] - line[-1])
            points = [line[0] + over, *line, line[-1] - over]
            found += [(a, b, 2.75) for a, b in zip(points[:-1], points[1:], strict=True)]
    return found


def scanned(body, screws, *, seed=0, streaks=250.0, rods=True, top=TOP_HU):
    """A CT in voxels of 0.9 x 0.9 x 1.2 mm around ``screws``; ``body`` (points (n, 3) RAS) gives HU without metal."""
    random = np.random.default_rng(seed)
    ends = np.array([end for s in screws for end in (s.entry - 18 * s.direction, s.tip)])
    low, high = ends.min(axis=0) - 14, ends.max(axis=0) + 14
    size = 2 * np.ceil((high - low) / SPACING).astype(int)
    affine = np.diag([*(SPACING / 2), 1.0])
    affine[:3, 3] = low
    coarse = np.diag([*SPACING, 1.0])
    coarse[:3, 3] = low + SPACING / 4
    index = np.moveaxis(np.indices(tuple(size // 2)), 0, -1).reshape(-1, 3)
    tissue = body(index @ coarse[:3, :3].T + coarse[:3, 3]).reshape(tuple(size // 2))
    fine = Volume(np.repeat(np.repeat(np.repeat(tissue, 2, 0), 2, 1), 2, 2).astype(np.float32), affine)
    before = fine.array.copy()
    for screw in screws:
        paint_shaft(fine, screw)
    paint_metal(fine, heads_and_rods(screws) if rods else [], METAL_HU)
    metal = gaussian_filter(fine.array - before, 0.55 / (SPACING / 2)) + before
    blocks = metal.reshape(size[0] // 2, 2, size[1] // 2, 2, size[2] // 2, 2)
    image = blocks.mean(axis=(1, 3, 5))
    if streaks:
        add_streaks(image, image > 3000, random, streaks)
    image += random.normal(0, 15, image.shape).astype(np.float32)
    return Volume(np.clip(np.round(image), -1024, top).astype(np.int16), coarse)


def screw_at(entry, aim, diameter=6.0, length=45.0):
    return Screw(np.asarray(entry, float), unit(aim), ScrewShape(diameter, length, tip_radius_mm=0.5))


@pytest.fixture(scope="session")
def construct():
    """Four screws of two levels."""
    return [
        screw_at((-17, -30, 16), (0.35, 1, -0.10), 6.5, 45),
        screw_at((16, -31, 18), (-0.30, 1, 0.05), 6.0, 40),
        screw_at((-18, -30, -19), (0.40, 1, 0.12), 7.0, 50),
        screw_at((18, -29, -17), (-0.25, 1, -0.18), 5.5, 40),
    ]


@pytest.fixture(scope="session")
def postop_ct(construct):
    return scanned(lambda points: np.full(len(points), 60.0), construct)


@pytest.fixture(scope="session")
def scan():
    """The function that makes a CT with screws."""
    return scanned


def moved_values(volume, pose):
    """A function of RAS points: what ``volume`` shows there after it was moved by ``pose``."""
    back = volume.inverse @ np.linalg.inv(pose)

    def values(points):
        at = points @ back[:3, :3].T + back[:3, 3]
        return map_coordinates(volume.array.astype(np.float32), at.T, order=1, mode="nearest")

    return values


@pytest.fixture(scope="session")
def after():
    """The function that moves a volume."""
    return moved_values
