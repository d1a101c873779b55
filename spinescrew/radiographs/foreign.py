"""Metal that is no screw: what lies about in an operating theatre and gets into the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.radiographs.canvas import Canvas
from spinescrew.radiographs.view import View

Map = NDArray[np.float32]
Floats = NDArray[np.float64]
Random = np.random.Generator

_NEAR, _FAR = 1.1, 2.3
"""Magnification of things near the detector and near the tube."""


def foreign_metal(view: View, kinds: Sequence[str], random: Random) -> Map:
    """Length (rows, columns) in mm of each ray in steel things of these kinds, placed and shaped at random.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    metal = np.zeros(view.shape, np.float32)
    for kind in kinds:
        if kind not in FOREIGN:
            raise InputError(f"no foreign metal '{kind}'; choose from {', '.join(FOREIGN)}")
        canvas = Canvas(view.shape, float(view.pixel_mm.mean()) / float(random.uniform(_NEAR, _FAR)))
        FOREIGN[kind](canvas, random)
        metal += np.maximum(canvas.metal, np.float32(0.0))
    return metal


def _place(canvas: Canvas, random: Random, spread: float = 0.9) -> Floats:
    """Anywhere in the middle ``spread`` of the picture."""
    return np.asarray(0.5 * spread * canvas.size * random.uniform(-1, 1, 2))


def _at_rim(canvas: Canvas, random: Random, out: float = 1.0) -> tuple[Floats, Floats]:
    """A point ``out`` times as far as the rim (1: about the edge of the picture), and a unit vector inwards."""
    turn = random.uniform(0, 2 * np.pi)
    way = np.array([np.cos(turn), np.sin(turn)])
    point = 0.5 * out * canvas.size * way / np.abs(way).max()
    aim = _place(canvas, random, 0.5) - point
    return point, aim / np.linalg.norm(aim)


def _across(way: Floats) -> Floats:
    return np.array([-way[1], way[0]])


def _curve(start: Floats, way: Floats, length: float, bend: float, random: Random, step: float = 4.0) -> Floats:
    """A wandering line (n, 2): its direction drifts by about ``bend`` degrees on every centimetre."""
    count = max(int(length / step), 2)
    turns = np.cumsum(np.convolve(random.normal(0, 1, count + 8), np.ones(9) / 3, mode="valid"))
    angle = np.arctan2(way[1], way[0]) + np.radians(bend) * step / 10 * turns
    steps = step * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(np.vstack([start, start + np.cumsum(steps, axis=0)]))


def _arc(centre: Floats, radius: float, first: float, last: float, flat: float = 1.0) -> Floats:
    turn = np.radians(np.linspace(first, last, 24))
    return np.asarray(centre + radius * np.stack([np.cos(turn), flat * np.sin(turn)], axis=1))


def _wire(canvas: Canvas, random: Random) -> None:
    """A loose wire or the lead of a stimulator."""
    start, way = _at_rim(canvas, random, 1.1)
    canvas.tube(_curve(start, way, random.uniform(0.4, 1.5) * canvas.size[0], 12, random), random.uniform(0.2, 0.6))


def _k_wires(canvas: Canvas, random: Random) -> None:
    """One to three guide wires, straight, their tips within the picture."""
    _, way = _at_rim(canvas, random)
    radius = random.uniform(0.6, 1.2)
    for _ in range(random.integers(1, 4)):
        tip = _place(canvas, random, 0.7)
        tilt = way + 0.15 * random.normal(size=2)
        canvas.tube(np.array([tip - random.uniform(220, 350) * tilt, tip]), radius)


def _clips(canvas: Canvas, random: Random) -> None:
    """Vessel clips: short bars, some slightly open."""
    middle = _place(canvas, random)
    for _ in range(random.integers(1, 9)):
        turn = random.uniform(0, 2 * np.pi)
        way = np.array([np.cos(turn), np.sin(turn)])
        start = middle + random.normal(0, 14, 2)
        end = start + random.uniform(3, 9) * way
        corners = [start, end]
        if random.random() < 0.4:
            corners.append(start + random.uniform(1, 3) * _across(way))
        canvas.tube(np.array(corners), random.uniform(0.25, 0.6))


def _staples(canvas: Canvas, random: Random) -> None:
    """A row of skin staples."""
    start, way = _at_rim(canvas, random, 0.7)
    gap, wide, high = random.uniform(6, 12), random.uniform(4, 7), random.uniform(0.5, 4)
    side = _across(way)
    for n in range(random.integers(4, 16)):
        middle = start + gap * n * way + random.normal(0, 0.6, 2)
        tilt = side + 0.2 * random.normal(size=2)
        legs = high * way * random.choice([-1, 1])
        ends = middle - 0.5 * wide * tilt, middle + 0.5 * wide * tilt
        canvas.tube(np.array([ends[0] + legs, ends[0], ends[1], ends[1] + legs]), random.uniform(0.2, 0.3))


def _retractor(canvas: Canvas, random: Random) -> None:
    """One or two blades from the rim, with a thicker edge, some with slots."""
    point, way = _at_rim(canvas, random, random.uniform(0.8, 1.2))
    wide, long, depth = random.uniform(14, 45), random.uniform(40, 110), random.uniform(0.6, 2.5)
    for sign in (1, -1)[: random.integers(1, 3)]:
        start, along = sign * point, sign * way
        side = _across(along) * wide / 2
        blunt = random.uniform(0.3, 1.0)
        end = start + long * along
        outside = start - 120 * along
        corners = [outside - side, end - side - 6 * along, end - blunt * side, end + blunt * side]
        corners += [end + side - 6 * along, outside + side]
        canvas.plate(corners, depth)
        canvas.tube(np.array(corners[1:5]), random.uniform(0.5, 1.6))
        if random.random() < 0.3:
            slot = np.array([start + 0.3 * long * along, start + 0.75 * long * along])
            canvas.plate([slot[0] - side / 4, slot[1] - side / 4, slot[1] + side / 4, slot[0] + side / 4], -depth)


def _electrode(canvas: Canvas, random: Random) -> None:
    """The electrode of an ECG: snap, ring and lead."""
    middle = _place(canvas, random, 1.1)
    canvas.disc(middle, random.uniform(2, 5), random.uniform(0.3, 1.2))
    if random.random() < 0.6:
        canvas.tube(_arc(middle, random.uniform(6, 12), 0, 360), random.uniform(0.1, 0.3))
    turn = random.uniform(0, 2 * np.pi)
    line = _curve(middle, np.array([np.cos(turn), np.sin(turn)]), 1.2 * canvas.size[0], 10, random)
    canvas.tube(line, random.uniform(0.15, 0.45))


def _rail(canvas: Canvas, random: Random) -> None:
    """The rail of a table or the edge of its top: a long band, nearly straight up or across."""
    upright = random.random() < 0.7
    aside = random.choice([-1, 1], 2) * random.uniform(0.0, 0.95, 2)
    way = np.array([0.0, 1.0] if upright else [1.0, 0.0]) + random.normal(0, 0.05, 2)
    far = 2.0 * canvas.size.max() * way / np.linalg.norm(way)
    wide = _across(way) * random.uniform(4, 16)
    # What is thick is moved out of the way before one takes a picture.
    depth = float(10 ** random.uniform(-1.2, 0.6 if np.abs(aside[0 if upright else 1]) > 0.6 else -0.3))
    middle = 0.5 * canvas.size * aside
    canvas.plate([middle - far - wide, middle + far - wide, middle + far + wide, middle - far + wide], depth)
    for side in (-1, 1):
        if random.random() < 0.6:
            canvas.tube(np.array([middle - far + side * wide, middle + far + side * wide]), random.uniform(0.2, 1.0))


def _clamp(canvas: Canvas, random: Random) -> None:
    """A towel clamp or forceps: two rings, two arms that cross, bent jaws."""
    lock, way = _place(canvas, random, 1.1), _at_rim(canvas, random)[1]
    side, radius = _across(way), random.uniform(1.2, 2.4)
    handle, jaw, bow = random.uniform(50, 100), random.uniform(20, 50), random.uniform(5, 16)
    ring = random.uniform(8, 13)
    for sign in (-1, 1):
        grip = lock - handle * way + sign * (ring + random.uniform(0, 4)) * side
        canvas.tube(_arc(grip, ring, 0, 360, random.uniform(0.6, 1.0)), radius)
        tip = lock + jaw * way - sign * random.uniform(0, 3) * side
        canvas.tube(np.array([grip + ring * way, lock, lock + 0.5 * jaw * way - sign * bow * side, tip]), radius)


def _sucker(canvas: Canvas, random: Random) -> None:
    """A suction tube: a thin wall, two bright edges."""
    start, way = _at_rim(canvas, random, 1.1)
    line = _curve(start, way, random.uniform(60, 180), 5, random)
    canvas.tube(line, random.uniform(1.5, 4.5), random.uniform(0.15, 0.5))


def _gauze(canvas: Canvas, random: Random) -> None:
    """The opaque thread of a swab, in loops."""
    start = _place(canvas, random)
    turn = random.uniform(0, 2 * np.pi)
    line = _curve(start, np.array([np.cos(turn), np.sin(turn)]), random.uniform(60, 250), 70, random, 2.0)
    canvas.tube(line, random.uniform(0.08, 0.25))


def _markers(canvas: Canvas, random: Random) -> None:
    """Beads and pins, as cages and frames have them."""
    middle, pins = _place(canvas, random, 0.8), random.random() < 0.5
    for _ in range(random.integers(2, 7)):
        at = middle + random.normal(0, 12, 2)
        end = at + random.normal(0, 3, 2) if pins else at
        canvas.tube(np.array([at, end]), random.uniform(0.3, 1.0))


def _probe(canvas: Canvas, random: Random) -> None:
    """An awl, a probe or a driver: shaft, tapered tip, thick handle."""
    point, way = _at_rim(canvas, random, random.uniform(0.6, 1.0))
    tip, radius = point + random.uniform(20, 90) * way, random.uniform(1.2, 3.2)
    canvas.tube(np.array([tip - 12 * way, tip]), 0.45 * radius)
    canvas.tube(np.array([tip - 130 * way, tip - 10 * way]), radius)
    canvas.tube(np.array([tip - 230 * way, tip - 130 * way]), random.uniform(3, 9))


FOREIGN: dict[str, Callable[[Canvas, Random], None]] = {
    "wire": _wire,
    "k-wires": _k_wires,
    "clips": _clips,
    "staples": _staples,
    "retractor": _retractor,
    "electrode": _electrode,
    "rail": _rail,
    "clamp": _clamp,
    "sucker": _sucker,
    "gauze": _gauze,
    "markers": _markers,
    "probe": _probe,
}
"""Kinds of foreign metal and what draws one."""
