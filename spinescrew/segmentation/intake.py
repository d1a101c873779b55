"""Whether an image can be planned from at all: checks before anything is segmented.

What can be told from voxels is told; what cannot is said. Refusals are errors, doubts are warnings that stay with the
plan. Checks of the vertebrae once they are found are in :mod:`spinescrew.segmentation.label_checks`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume

Hounsfield = NDArray[np.float32]

FEWEST_SLICES = 12
SHORTEST_MM = 60.0
"""Less along the spine than about one and a half lumbar segments shows no whole vertebra with its joints."""

METAL_HU = 2500.0
_BONE_HU = 200.0
_COARSE_MM = 3.0
_THICK_MM = 2.5
_MIDLINE_MM = 50.0
_METAL_DOUBT, _METAL_REFUSED = 0.002, 0.15
_SKULL_MM2 = 6000.0
_NECK_MM = 80.0

LATERALITY = (
    "bone alone does not tell left from right: a mirrored image looks like any other spine; check the orientation "
    "markers of the image before operating"
)


@dataclass(frozen=True)
class ImageWarning:
    """A doubt about an image: ``kind`` for programs, ``text`` for people."""

    kind: str
    text: str


def check_image(ct: Volume, *, head: bool = False) -> list[ImageWarning]:
    """Doubts about a CT that shall be planned from without labels.

    Parameters
    ----------
    head:
        C2 is looked for: a head with hardly any spine below it is welcome, and so is bone that is thin and small.

    Returns
    -------
    list[ImageWarning]
        Kinds ``"laterality"`` (always), ``"thick slices"``, ``"metal"``, ``"no air"``.

    Raises
    ------
    InputError
        If it is empty, noise, no CT, too short or thin, filled with metal, without bone, or (but for ``head``) a head.
    """
    _refuse_empty(ct)
    _refuse_short(ct)
    coarse, spacing = _coarse(ct)
    _refuse_noise(ct)
    _refuse_other_modalities(coarse)
    if not head:
        _refuse_no_bone(coarse, spacing)
        _refuse_head(coarse, spacing)
    return [
        ImageWarning("laterality", LATERALITY),
        *_thick_slices(ct),
        *_metal(coarse, spacing),
        *_no_air(coarse),
    ]


def _refuse_empty(ct: Volume) -> None:
    if ct.array.size == 0:
        raise InputError("the image has no voxels; choose another series")
    low, high = float(ct.array.min()), float(ct.array.max())
    if low == high:
        raise InputError(f"every voxel of the image has the value {low:g}: it is empty; choose another series")


def _refuse_short(ct: Volume) -> None:
    along = int(np.abs(ct.affine[2, :3] / ct.spacing).argmax())
    sizes = ct.spacing * np.array(ct.shape)
    if ct.shape[along] < FEWEST_SLICES or sizes[along] < SHORTEST_MM:
        raise InputError(
            f"the image has {ct.shape[along]} slices over {sizes[along]:.0f} mm along the spine; at least "
            f"{FEWEST_SLICES} slices over {SHORTEST_MM:.0f} mm are needed; give the whole series"
        )
    if min(ct.shape) < FEWEST_SLICES or min(sizes) < 0.5 * SHORTEST_MM:
        size = " x ".join(f"{size:.0f}" for size in sizes)
        raise InputError(f"the image is a strip of {size} mm: no whole vertebra fits in it; give the whole series")


def _coarse(ct: Volume) -> tuple[Hounsfield, NDArray[np.float64]]:
    """Every few voxels, about 3 mm apart, with axes to the right, forward and up; and their spacing in mm."""
    stride = np.maximum(1, np.floor(_COARSE_MM / ct.spacing + 0.2)).astype(int)
    array = ct.array[:: stride[0], :: stride[1], :: stride[2]].astype(np.float32)
    order, signs = _nearest_axes(ct)
    array = np.transpose(array, order)
    array = np.flip(array, tuple(n for n, sign in enumerate(signs) if sign < 0))
    return array, (ct.spacing * stride)[order]


def _nearest_axes(ct: Volume) -> tuple[list[int], list[float]]:
    """Which axis of the grid runs most to the right, forward and up, and whether with or against it."""
    steps = np.abs(ct.affine[:3, :3] / ct.spacing)
    up = int(steps[2].argmax())
    right = max((axis for axis in range(3) if axis != up), key=lambda axis: steps[0, axis])
    order = [right, 3 - up - right, up]
    return order, [float(np.sign(ct.affine[row, axis])) for row, axis in enumerate(order)]


def _refuse_noise(ct: Volume) -> None:
    """Means over blocks of 64 voxels keep most of a body's variance, and a 64th of that of white noise."""
    middle = [slice(n // 2 - m, n // 2 + m) for n in ct.shape for m in [4 * min(n // 8, 32)]]
    array = ct.array[middle[0], middle[1], middle[2]].astype(np.float32)
    ni, nj, nk = (n // 4 for n in array.shape)
    blocks = array.reshape(ni, 4, nj, 4, nk, 4).mean(axis=(1, 3, 5))
    if float(blocks.var()) < 0.05 * float(array.var()):
        raise InputError("the image is noise: neighbouring voxels have nothing in common; choose another series")


def _refuse_other_modalities(array: Hounsfield) -> None:
    """MR has no negative values or arbitrary ones; in a CT most of the body lies within 200 HU of water."""
    low, high = (float(value) for value in np.percentile(array, (0.1, 99.9)))
    if high - low < 300.0:
        raise InputError(
            f"the image's values lie between {low:g} and {high:g}: these are no Hounsfield units (normalised, or a "
            "photograph of a CT); give the original CT"
        )
    if float((array < 0).mean()) < 1e-4:
        raise InputError(
            "no voxel of the image is below 0 HU: it is an MR image, or a CT whose rescale is missing; give the CT "
            "as the scanner wrote it"
        )
    body = array[array > -300.0]
    soft = float((np.abs(body) < 200.0).mean()) if body.size else 0.0
    if soft < 0.4:
        raise InputError(
            f"only {100 * soft:.0f} % of the body lies within 200 HU of water: these are no Hounsfield units (MR, or "
            "a wrong rescale); give the CT as the scanner wrote it"
        )


def _refuse_no_bone(array: Hounsfield, spacing: NDArray[np.float64]) -> None:
    pieces, count = ndimage.label(array > _BONE_HU)
    largest = float(np.bincount(pieces.ravel())[1:].max()) * float(np.prod(spacing)) if count else 0.0
    if largest < 5000.0:
        raise InputError(
            f"the largest bone in the image has {largest / 1000:.1f} cm3: no spine is in view; choose another series"
        )


def _refuse_head(array: Hounsfield, spacing: NDArray[np.float64]) -> None:
    """A skull closes a ring around more than 60 cm2 in a transverse slice; nothing else in the body does."""
    bone = ndimage.binary_closing(array > _BONE_HU, np.ones((3, 3, 1), bool))
    skull = [_enclosed_mm2(bone[:, :, k], spacing) > _SKULL_MM2 for k in range(bone.shape[2])]
    if sum(skull) * spacing[2] < 20.0:
        return
    below = bone[:, :, : int(np.argmax(skull))].any(axis=(0, 1))
    if float(below.sum() * spacing[2]) < _NECK_MM:
        raise InputError("the image shows the head and hardly any spine below it; choose a series of the spine")


def _enclosed_mm2(bone: NDArray[np.bool_], spacing: NDArray[np.float64]) -> float:
    """Area of the largest hole in a slice of bone."""
    holes, count = ndimage.label(ndimage.binary_fill_holes(bone) & ~bone)
    return float(np.bincount(holes.ravel())[1:].max() * spacing[0] * spacing[1]) if count else 0.0


def _thick_slices(ct: Volume) -> list[ImageWarning]:
    thickest = float(ct.spacing.max())
    if thickest <= _THICK_MM:
        return []
    text = f"slices are {thickest:.1f} mm thick: walls of pedicles are uncertain by {thickest / 2:.1f} mm"
    return [ImageWarning("thick slices", f"{text}; use thinner slices where there are any")]


def _metal(array: Hounsfield, spacing: NDArray[np.float64]) -> list[ImageWarning]:
    """Metal against bone within 5 cm of the midline; hip prostheses lie farther out."""
    bone = array > _BONE_HU
    middle = float(np.median(np.flatnonzero(bone.any(axis=(1, 2))))) if bone.any() else 0.0
    near = np.abs(np.arange(array.shape[0]) - middle) * spacing[0] <= _MIDLINE_MM
    volume = float((array[near] > METAL_HU).sum() * np.prod(spacing)) / 1000.0
    share = float((array[near] > METAL_HU).sum() / max(int(bone[near].sum()), 1))
    if share > _METAL_REFUSED:
        raise InputError(
            f"{100 * share:.0f} % of what is dense near the midline is metal ({volume:.0f} cm3): bone cannot be told "
            "from its streaks; plan on a label map made by hand"
        )
    if share <= _METAL_DOUBT:
        return []
    text = f"{volume:.1f} cm3 of metal lie near the midline; bone beside it may be wrong: check every wall there"
    return [ImageWarning("metal", text)]


def _no_air(array: Hounsfield) -> list[ImageWarning]:
    if float((array < -700.0).mean()) > 1e-4:
        return []
    text = "no air is in the image, so its Hounsfield scale cannot be confirmed: check that densities are right"
    return [ImageWarning("no air", text)]
