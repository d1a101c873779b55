"""Maps of screws that are known, as a network would make them, with its errors; drawn apart from what is tested."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull

from spinescrew.geometry.vectors import orthogonal_pair, rotation, unit
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.radiographs import from_c_arm
from spinescrew.radiographs.screw_maps import SIGMA_PX, ScrewMaps

PIVOT_MM = 3.5


@dataclass(frozen=True)
class Flaws:
    """Errors of a network: of peaks and of outlines in pixels, and what it makes up or overlooks."""

    jitter_px: float = 0.3
    wobble_px: float = 0.3
    edge_px: float = 0.7
    offset_px: float = 1.5
    heat_noise: float = 0.02
    heat_blur_px: float = 1.0
    dilated_px: float = 0.0
    holes: int = 0
    blobs: int = 0


NONE = Flaws(0, 0, 0.3, 0, 0, 0)
GOOD = Flaws()
POOR = Flaws(1.0, 1.0, 1.2, 4.0, 0.03, 1.5, 0.7, 4, 3)


@dataclass(frozen=True)
class Standing:
    """A screw with its tulip: ``tulip`` is the unit vector from the tulip to the shaft."""

    screw: Screw
    tulip: np.ndarray
    side: str
    level: int

    @property
    def middle(self):
        return (self.screw.entry + self.screw.tip) / 2

    @property
    def tulip_top(self):
        pivot = self.screw.entry - PIVOT_MM * self.screw.direction
        return pivot - (self.screw.shape.tulip_height_mm - PIVOT_MM) * self.tulip


def construct(random, levels=3, sides=("left", "right"), pta_spread_deg=2.0):
    """Screws of a lumbar construct, head to feet, centred at the origin (RAS mm)."""
    found = []
    z, lean = 0.0, random.uniform(-4, 10)
    mirror = unit([1.0, random.normal(0, 0.05), random.normal(0, 0.05)])
    heads = {"tulip_diameter_mm": 12 + 2 * abs(lean - 3) / 7, "tulip_height_mm": 14 + 3 * abs(mirror[1]) / 0.1}
    for level in range(levels):
        pta = np.clip(random.uniform(6, 12) + 12 * level / max(levels - 1, 1), 5, 25)
        psa = lean - 25 * level / max(levels - 1, 1) * random.uniform(0.3, 1.0)
        width = random.uniform(14, 17) + 6 * level / max(levels - 1, 1)
        diameter, length = random.choice([5.5, 6.5, 6.5, 7.5]), random.choice([40.0, 45.0, 45.0, 50.0])
        deep = -22 + 10 * np.sin(level / max(levels - 1, 1) * np.pi) + random.normal(0, 2)
        for side in sides:
            sign = 1 if side == "right" else -1
            own = np.radians(pta + random.normal(0, pta_spread_deg)), np.radians(psa + random.normal(0, 2))
            entry = sign * width * mirror + [0, deep, z] + random.normal(0, 1.5, 3)
            direction = unit([-sign * np.tan(own[0]), 1.0, np.tan(own[1])])
            tilt = rotation(random.normal(size=3), random.uniform(0, 15))
            shape = ScrewShape(diameter, length, tip_taper_mm=random.uniform(3, 7), **heads)
            found.append(Standing(Screw(entry, direction, shape), tilt @ direction, side, level))
        z -= random.uniform(30, 40)
    middle = np.mean([one.middle for one in found], axis=0)
    return [replace(one, screw=replace(one.screw, entry=one.screw.entry - middle)) for one in found]


def two_views(random, standing, first=None, second=None, pixel_mm=None):
    """AP-like and lateral-like views (their angles may be given) in which all screws are seen."""
    ends = np.array([[one.screw.entry, one.screw.tip, one.tulip_top] for one in standing]).reshape(-1, 3)
    across = 2 * np.abs(ends).max() + 20
    pixel = pixel_mm or random.uniform(0.42, 0.6)
    magnification = np.clip(300 / across, 1.1, 1.9)
    options = {"sdd_mm": 1020.0, "sid_mm": 1020.0 / magnification, "pixel_mm": pixel}
    size = round(300 / pixel)
    first = first or (random.uniform(-15, 15), random.uniform(-10, 10))
    second = second or (90 + random.uniform(-20, 20), random.uniform(-10, 10))
    centre = random.normal(0, 3, 3)
    return tuple(from_c_arm(*angles, centre, shape=(size, size), **options) for angles in (first, second))


def simulated_maps(view, standing, random=None, flaws=NONE):
    """The maps of these screws in a view."""
    random = random or np.random.default_rng(0)
    shape = view.shape
    shaft, head = np.zeros(shape), np.zeros(shape)
    for one in standing:
        _add(shaft, _shaft_points(view, one.screw), random, flaws)
        _add(head, _head_points(view, one), random, flaws)
    _flawed(shaft, head, standing, view, random, flaws)
    necks = _jittered(view, [one.screw.entry for one in standing], random, flaws)
    tips = _jittered(view, [one.screw.tip for one in standing], random, flaws)
    neck, to_tip = _heat(shape, necks, tips, random, flaws)
    tip, to_neck = _heat(shape, tips, necks, random, flaws)
    maps = [np.clip(each, 0, 1).astype(np.float32) for each in (shaft * (1 - head), head, neck, tip)]
    return ScrewMaps(view, *maps, to_tip.astype(np.float32), to_neck.astype(np.float32))


def _shaft_points(view, screw):
    depth = np.array([0.0, screw.shape.length_mm - screw.shape.tip_taper_mm, screw.shape.length_mm])
    return view.project(_rings(screw.entry, screw.direction, depth, screw.shape.radius_at(depth)))


def _head_points(view, one):
    pivot = one.screw.entry - PIVOT_MM * one.screw.direction
    heights = np.array([PIVOT_MM, PIVOT_MM - one.screw.shape.tulip_height_mm])
    return view.project(_rings(pivot, one.tulip, heights, np.full(2, one.screw.shape.tulip_diameter_mm / 2)))


def _rings(origin, axis, along, radii, count=48):
    u, v = orthogonal_pair(axis, (0, 0, 1))
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    around = np.cos(turn)[:, None] * u + np.sin(turn)[:, None] * v
    return (origin + along[:, None, None] * axis + radii[:, None, None] * around).reshape(-1, 3)


def _add(target, points, random, flaws):
    """Unite a convex body's outline with ``target``; convex bodies have convex silhouettes, so their hull is exact."""
    low = np.maximum(np.floor(points.min(axis=0)).astype(int) - 12, 0)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 13, target.shape[::-1])
    if (high <= low).any():
        return
    columns, rows = np.arange(low[0], high[0]), np.arange(low[1], high[1])
    lines = ConvexHull(points).equations
    away = lines[:, 0, None, None] * columns + lines[:, 1, None, None] * rows[:, None] + lines[:, 2, None, None]
    inside = -away.max(axis=0) + flaws.dilated_px
    if flaws.wobble_px:
        inside += flaws.wobble_px * _rough(random, inside.shape)
    window = target[low[1] : high[1], low[0] : high[0]]
    window[...] = 1 - (1 - window) * (1 - 1 / (1 + np.exp(-np.clip(inside / (flaws.edge_px * 0.6), -30, 30))))


def _rough(random, shape, width=4.0):
    """A smooth random field of standard deviation 1."""
    return gaussian_filter(random.normal(size=shape), width, mode="wrap") * 2 * np.sqrt(np.pi) * width


def _flawed(shaft, head, standing, view, random, flaws):
    rows, columns = np.indices(shaft.shape)
    for _ in range(flaws.holes):
        screw = standing[random.integers(len(standing))].screw
        where = view.project(screw.entry + random.uniform(0.2, 1.0) * (screw.tip - screw.entry))
        away = np.hypot(columns - where[0], rows - where[1])
        shaft *= 1 - 1 / (1 + np.exp(np.clip(away - random.uniform(6, 14), -30, 30)))
    for _ in range(flaws.blobs):
        where, size = random.uniform(0, shaft.shape[::-1]), random.uniform(4, 14)
        blob = np.exp(-((np.hypot(columns - where[0], rows - where[1]) / size) ** 4))
        target = shaft if random.random() < 0.6 else head
        target[...] = np.maximum(target, blob * random.uniform(0.4, 1.0))


def _jittered(view, points, random, flaws):
    return view.project(np.array(points)) + random.normal(0, 1, (len(points), 2)) * flaws.jitter_px


def _heat(shape, peaks, partners, random, flaws):
    """Gaussians at the peaks, the largest counts; vectors to the partners near each."""
    rows, columns = np.indices(shape)
    heat, vectors = np.zeros(shape), np.zeros((2, *shape))
    for peak, partner in zip(peaks, partners, strict=True):
        own = np.exp(-((columns - peak[0]) ** 2 + (rows - peak[1]) ** 2) / (2 * SIGMA_PX**2))
        here = (own > heat) & (own > 0.02)
        said = partner - peak + random.normal(0, 1, 2) * flaws.offset_px
        vectors[:, here] = said[:, None]
        heat = np.maximum(heat, own)
    if flaws.heat_blur_px:
        heat = gaussian_filter(heat, flaws.heat_blur_px)
        heat *= (1 + flaws.heat_blur_px**2 / SIGMA_PX**2) * random.uniform(0.75, 1.0)
    for _ in range(flaws.blobs):
        where = random.uniform(0, shape[::-1])
        heat += random.uniform(0.2, 0.6) * np.exp(-((columns - where[0]) ** 2 + (rows - where[1]) ** 2) / 12)
    return heat + flaws.heat_noise * np.abs(_rough(random, shape, 1.0)), vectors
