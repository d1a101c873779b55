"""What is measured of labelled vertebrae before anything is believed of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

_FINE_ENOUGH_MM = 1.5
_MOST_POINTS = 20_000


@dataclass(frozen=True, eq=False)
class Bone:
    """One labelled vertebra.

    Attributes
    ----------
    centroid, body:
        (3,) RAS mm: centre of gravity, and the point deepest inside, which lies in the body.
    cut:
        Whether it touches the edge of the image.
    fragments_mm3:
        Volumes of its pieces but the largest.
    hu:
        (n,) densities, empty where there is no CT.
    points:
        (m, 3) RAS mm of its voxels, of large ones every few.
    """

    level: Level
    volume_mm3: float
    centroid: Floats
    body: Floats
    cut: bool
    fragments_mm3: tuple[float, ...]
    hu: NDArray[Any]
    points: Floats

    @property
    def lean(self) -> Floats:
        """(3,) mm from the body to the centre of gravity."""
        return self.centroid - self.body

    @property
    def whole(self) -> bool:
        """Whether its size and shape say anything: not when it is cut, nor the sacrum, which is labelled in parts."""
        return not self.cut and self.level is not Level.S1


def measure_bones(labels: Volume, ct: Volume | None = None) -> list[Bone]:
    """Every vertebra of a VerSe label map, from the head down; densities where ``ct`` lies on the same grid."""
    image = ct.array if ct is not None and ct.same_grid(labels) else None
    boxes = ndimage.find_objects(labels.array)
    found = []
    for level in cranial_to_caudal():
        box = boxes[level.value - 1] if level.value <= len(boxes) else None
        if box is not None:
            found.append(_bone(labels, image, level, box))
    return found


def _bone(labels: Volume, image: NDArray[Any] | None, level: Level, box: tuple[slice, slice, slice]) -> Bone:
    part = labels.crop([side.start for side in box], [side.stop for side in box])
    mask = part.array == level.value
    voxel = abs(float(np.linalg.det(labels.affine[:3, :3])))
    pieces, _ = ndimage.label(mask)
    sizes = np.sort(np.bincount(pieces.ravel())[1:])[::-1] * voxel
    index = np.argwhere(mask)
    return Bone(
        level,
        float(mask.sum() * voxel),
        part.index_to_ras(index.mean(axis=0)),
        _deepest(part.with_array(mask)),
        any(side.start == 0 or side.stop == n for side, n in zip(box, labels.shape, strict=True)),
        tuple(float(size) for size in sizes[1:]),
        image[box][mask] if image is not None else np.empty(0),
        part.index_to_ras(index[:: max(1, len(index) // _MOST_POINTS)]),
    )


def _deepest(mask: Volume) -> Floats:
    """(3,) RAS mm: middle of the voxels farthest inside; fine masks are thinned, depth needs no detail."""
    stride = np.maximum(1, np.floor(_FINE_ENOUGH_MM / mask.spacing)).astype(int)
    coarse = mask.array[:: stride[0], :: stride[1], :: stride[2]]
    if not coarse.any():
        stride, coarse = np.ones(3, int), mask.array
    depth = ndimage.distance_transform_edt(np.pad(coarse, 1), sampling=mask.spacing * stride)[1:-1, 1:-1, 1:-1]
    return mask.index_to_ras(np.argwhere(depth >= 0.9 * depth.max()).mean(axis=0) * stride)
