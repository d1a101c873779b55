"""Marks burned into a picture: letters, numbers, crosshair, frame, scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError

Map = NDArray[np.float32]
Random = np.random.Generator


def burn_in(pixels: Map, top: float, kinds: Sequence[str], random: Random) -> None:
    """Draw marks of these kinds into ``pixels`` (rows, columns), whose values go from 0 to ``top``, in place.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    if not kinds:
        return
    from PIL import Image, ImageDraw

    rows, columns = pixels.shape
    for kind in kinds:
        if kind not in OVERLAYS:
            raise InputError(f"no overlay '{kind}'; choose from {', '.join(OVERLAYS)}")
        mask = Image.new("L", (columns, rows), 0)
        OVERLAYS[kind](ImageDraw.Draw(mask), columns, rows, random)
        value = np.float32(top * (1.0 if random.random() < 0.8 else 0.0))
        box = mask.getbbox()
        if box is not None:
            part = pixels[box[1] : box[3], box[0] : box[2]]
            share = np.asarray(mask.crop(box), dtype=np.float32) / np.float32(255.0)
            part += np.rint((value - part) * share)


@lru_cache(maxsize=32)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _corner(columns: int, rows: int, random: Random) -> tuple[int, int]:
    """Somewhere near a corner, as a share of the picture from its left and its top."""
    across, down = random.uniform(0.03, 0.14, 2)
    x = across if random.random() < 0.5 else 0.95 - across
    y = down if random.random() < 0.5 else 0.93 - down
    return int(x * columns), int(y * rows)


def _letter(draw: Any, columns: int, rows: int, random: Random) -> None:
    """Which side it is."""
    size = int(columns * random.uniform(0.03, 0.09)) + 6
    draw.text(_corner(columns, rows, random), str(random.choice(["L", "R"])), fill=255, font=_font(size))


def _numbers(draw: Any, columns: int, rows: int, random: Random) -> None:
    """What machines write: technique, time, number of the picture."""
    size = int(columns * random.uniform(0.016, 0.032)) + 5
    x, y = _corner(columns, rows, random)
    lines = [
        f"{random.integers(55, 121)} kV  {random.uniform(0.5, 9.9):.1f} mA",
        f"{random.integers(0, 24):02d}:{random.integers(0, 60):02d}:{random.integers(0, 60):02d}",
        f"{random.integers(1, 200)} / {random.integers(200, 400)}",
        f"{random.uniform(0, 9):.2f} mGy",
        f"W {random.integers(200, 4096)}  C {random.integers(100, 2048)}",
    ]
    chosen, step = random.permutation(lines)[: random.integers(1, 5)], int(1.2 * size)
    y = min(y, rows - 4 - step * len(chosen))
    for n, line in enumerate(chosen):
        left = min(x, columns - 4 - int(_font(size).getlength(line)))
        draw.text((max(left, 2), y + step * n), str(line), fill=255, font=_font(size))


def _crosshair(draw: Any, columns: int, rows: int, random: Random) -> None:
    """Through the middle, whole or a small one."""
    x, y = (columns - 1) / 2, (rows - 1) / 2
    reach = columns if random.random() < 0.5 else columns * random.uniform(0.03, 0.2)
    strength, width = int(random.uniform(100, 256)), int(random.integers(1, 3))
    draw.line([x - reach, y, x + reach, y], fill=strength, width=width)
    draw.line([x, y - reach, x, y + reach], fill=strength, width=width)


def _frame(draw: Any, columns: int, rows: int, random: Random) -> None:
    """A border, along the edge or within."""
    inset, width = random.uniform(0, 0.08) * columns, int(random.integers(1, max(columns // 64, 3)))
    draw.rectangle([inset, inset, columns - 1 - inset, rows - 1 - inset], outline=255, width=width)


def _scale(draw: Any, columns: int, rows: int, random: Random) -> None:
    """A ruler along one side."""
    x = columns * (0.03 if random.random() < 0.5 else 0.97)
    first, last = rows * random.uniform(0.1, 0.3), rows * random.uniform(0.7, 0.9)
    draw.line([x, first, x, last], fill=255, width=1)
    for n, y in enumerate(np.linspace(first, last, int(random.integers(6, 22)))):
        reach = columns * (0.02 if n % 5 == 0 else 0.01)
        draw.line([x - reach, y, x + reach, y], fill=255, width=1)


def _line(draw: Any, columns: int, rows: int, random: Random) -> None:
    """A measuring line across the picture, with its figure."""
    start, end = random.uniform(0.1, 0.9, 2), random.uniform(0.1, 0.9, 2)
    size = np.array([columns, rows])
    draw.line([*(start * size), *(end * size)], fill=int(random.uniform(120, 256)), width=int(random.integers(1, 3)))
    draw.text(tuple(end * size), f"{random.uniform(2, 120):.1f}", fill=255, font=_font(int(columns * 0.022) + 6))


OVERLAYS: dict[str, Callable[[Any, int, int, Random], None]] = {
    "letter": _letter,
    "numbers": _numbers,
    "crosshair": _crosshair,
    "frame": _frame,
    "scale": _scale,
    "line": _line,
}
"""Kinds of marks and what draws one."""
