"""What is wrong, or may be, with views and the images they are said to belong to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations

import numpy as np

from spinescrew.errors import InputError
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.view import View

LEAST_ANGLE_DEG = 40.0
"""Between two views; less makes depth uncertain (Esfandiari 2018 and later work use 40 to 90)."""

SWAPPED = "the images seem to be swapped"

_SAME_PIXEL = 0.02


def view_doubts(views: Sequence[View], images: Sequence[Radiograph] = ()) -> list[str]:
    """Warnings, one line each: views too much alike, images that seem swapped, pixels of another size.

    Raises
    ------
    InputError
        If there are fewer than two views, not one image for each, or an image does not have the size of its view.
    """
    if len(views) < 2:
        raise InputError("one view does not tell depth; give two radiographs, taken from different sides")
    if not images:
        return _too_parallel(views)
    if len(images) != len(views):
        raise InputError(f"{len(images)} images and the geometry of {len(views)}; give one view for each image")
    swapped = _swapped(views, images)
    for number, (view, image) in enumerate(zip(views, images, strict=True), start=1):
        if image.shape != view.shape:
            hint = swapped[0] if swapped else "give the image that was calibrated, neither cropped nor scaled"
            raise InputError(f"image {number} is {_size(image.shape)}, its geometry is for {_size(view.shape)}; {hint}")
    return [*_too_parallel(views), *swapped, *_other_pixels(views, images)]


def seem_swapped(views: Sequence[View], images: Sequence[Radiograph]) -> str:
    """Why the images seem to be given in another order than their views; empty where their headers do not say so."""
    return next((text for text in _swapped(views, images) if text.startswith(SWAPPED)), "")


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]} pixels (rows x columns)"


def _too_parallel(views: Sequence[View]) -> list[str]:
    """Opposite views are as much alike as equal ones."""
    found = []
    for (i, first), (j, second) in combinations(enumerate(views, start=1), 2):
        angle = first.angle_to(second)
        angle = min(angle, 180 - angle)
        if angle < LEAST_ANGLE_DEG:
            found.append(
                f"views {i} and {j} are only {angle:.0f} degrees apart: depth is uncertain; take them "
                f"{LEAST_ANGLE_DEG:.0f} to 90 degrees apart"
            )
    return found


def _swapped(views: Sequence[View], images: Sequence[Radiograph]) -> list[str]:
    """Said only where the names in the headers fit the views in another order."""
    told, placed = [image.view for image in images], [view.name for view in views]

    def conflicts(order: Sequence[str]) -> int:
        return sum(bool(a and b and a != b) for a, b in zip(told, order, strict=True))

    if not conflicts(placed):
        return []
    header, geometry = (", ".join(name or "?" for name in names) for names in (told, placed))
    words = f"the headers say {header}, the geometry {geometry}"
    if any(conflicts(order) == 0 for order in permutations(placed)):
        return [f"{SWAPPED}: {words}; give them in the order of the geometry"]
    return [f"images and geometry do not fit: {words}; check both"]


def _other_pixels(views: Sequence[View], images: Sequence[Radiograph]) -> list[str]:
    found = []
    for number, (view, image) in enumerate(zip(views, images, strict=True), start=1):
        if image.pixel_mm is None:
            continue
        ratio = view.pixel_mm / image.pixel_mm
        if np.abs(ratio - 1).max() > _SAME_PIXEL:
            told, used = (" x ".join(f"{step:.3f}" for step in steps) for steps in (image.pixel_mm, view.pixel_mm))
            found.append(
                f"image {number} has pixels of {told} mm by its header and {used} mm by its geometry; the geometry "
                "was used; check that it is given at the detector"
            )
    return found
