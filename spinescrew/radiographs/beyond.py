"""What surrounds a CT whose field of view cuts the patient: a coarse guess, so that a projection does not end there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

_VOXEL_MM = 6.0
_TISSUE_HU = -300.0
_LEAST_TISSUE = 0.25
_TRUNK_MM = np.array([330.0, 230.0])
"""Right to left and front to back, of an adult's trunk."""
_UP_AND_DOWN_MM = 180.0
_SMOOTH_MM = 8.0
_SOFT_HU = (-150.0, 70.0)
_AIR_HU = -1000.0


def beyond(ct: Volume) -> Volume:
    """A coarse volume around ``ct`` that goes on with what its cut faces show; inside ``ct`` it is a coarse copy.

    Upwards and downwards the last slices go on, smoothed. To the sides and front and back, where at least a quarter of
    a face is tissue, soft tissue goes on until the whole is as wide as a trunk. It is a guess, made for the brightness
    of the picture: nothing in it is anatomy.

    Parameters
    ----------
    ct:
        HU; a volume of any orientation. Axes count by the patient's axis that they are nearest to.

    Returns
    -------
    Volume
        float32 HU in voxels of about 6 mm, for :func:`spinescrew.radiographs.thickness.thickness`.
    """
    factors = np.maximum(np.round(_VOXEL_MM / ct.spacing).astype(int), 1)
    coarse = _coarse(ct, factors)
    array = np.asarray(coarse.array, dtype=np.float32)
    ways = np.abs(ct.affine[:3, :3] / ct.spacing).argmax(axis=0)
    pads = np.zeros((3, 2), int)
    for axis in np.argsort(ways):  # The sides first: what is added there goes on upwards and downwards too.
        way = int(ways[axis])
        size = array.shape[axis] * coarse.spacing[axis]
        reach = _UP_AND_DOWN_MM if way == 2 else max(_TRUNK_MM[way] - size, 0.0) / 2
        faces = [np.take(array, end, axis=axis) for end in (0, -1)]
        cut = [way == 2 or float((face > _TISSUE_HU).mean()) >= _LEAST_TISSUE for face in faces]
        pads[axis] = [round(reach / coarse.spacing[axis]) if each else 0 for each in cut]
        grown = [_grown(face, axis, coarse.spacing, bone=way == 2) for face in faces]
        parts = [np.repeat(np.expand_dims(g, axis), n, axis) for g, n in zip(grown, pads[axis], strict=True)]
        array = np.concatenate([parts[0], array, parts[1]], axis=axis)
    affine = coarse.affine.copy()
    affine[:3, 3] = coarse.index_to_ras(-pads[:, 0])
    return Volume(np.ascontiguousarray(array), affine, {"modality": "CT", "notes": ["a guess around a cut CT"]})


def _coarse(ct: Volume, factors: NDArray[np.int_]) -> Volume:
    """Means of blocks of voxels; the last block of an axis ends with the volume and may overlap none."""
    factors = np.minimum(factors, ct.shape)
    counts = np.array(ct.shape) // factors
    used = counts * factors
    box = ct.array[: used[0], : used[1], : used[2]]
    blocks = box.reshape(counts[0], factors[0], counts[1], factors[1], counts[2], factors[2])
    affine = ct.affine.copy()
    affine[:3, :3] *= factors
    affine[:3, 3] = ct.index_to_ras((factors - 1) / 2)
    return Volume(blocks.mean(axis=(1, 3, 5), dtype=np.float32), affine)


def _grown(face: NDArray[np.float32], axis: int, spacing: Floats, *, bone: bool) -> NDArray[np.float32]:
    sigma = _SMOOTH_MM / np.delete(spacing, axis)
    smooth = gaussian_filter(np.maximum(face, _AIR_HU), sigma, mode="nearest")
    if bone:
        return np.asarray(smooth)
    # A gas bubble or a rib that is cut does not go on to the flank.
    return np.where(smooth > _TISSUE_HU, np.clip(smooth, *_SOFT_HU), np.float32(_AIR_HU)).astype(np.float32)
