"""C2 in a neck CT: where it is, its voxels, and where its pedicles lie; or why there is none to judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, label
from scipy.special import softmax

from spinescrew.anatomy.frame import SIDES, Side, side_sign
from spinescrew.errors import InputError
from spinescrew.feasibility.pose import PediclePose, poses_of
from spinescrew.feasibility.scheme import (
    AXIS,
    BONE,
    BONE_MM,
    BONE_SHAPE,
    CLASSES,
    FIND,
    FIND_MM,
    FIND_SHAPE,
    MODELS,
    OTHER,
    POINTS,
)
from spinescrew.geometry.vectors import unit
from spinescrew.geometry.volume import Volume
from spinescrew.networks.device import choose_device, mixed_precision
from spinescrew.networks.intensity import network_input
from spinescrew.networks.weights import list_models, load_model
from spinescrew.progress import Progress
from spinescrew.segmentation.box import AIR_HU, Box, box_around
from spinescrew.segmentation.combine import largest_piece_filled

Floats = NDArray[np.float64]

LEAST_CM3 = 4.0
"""A C2 has 8 to 20 cm3; of less than this the networks have seen a part, or something else."""

_MOST_SPREAD_MM = 4.0
_EDGE_MM2, _SHORT_MM = 12.0, 1.5
_BONE_HU, _ROOM_MM, _OVERLAP = 200.0, 15.0, 0.25
_LEAST_UPRIGHT = 0.3
_APART_MM, _INWARDS_DEG, _WIDEST_DENS_MM = (18.0, 45.0), (8.0, 55.0), 20.0
"""In phantoms 27 to 32 mm, 25 to 34 degrees and 8 to 9 mm; in lumbar vertebrae the top is 33 mm wide and more."""

_METAL_HU, _METAL_MM, _METAL_MM3 = 2500.0, 2.0, 15.0
_FACES = {
    (0, 0): "its left side",
    (0, 1): "its right side",
    (1, 0): "its arch",
    (1, 1): "its front",
    (2, 0): "its lower end",
    (2, 1): "its dens",
}


@dataclass(frozen=True, eq=False)
class FoundAxis:
    """C2 as the networks see it.

    Attributes
    ----------
    share:
        Share (0..1) of each voxel of a 1 mm grid that is C2.
    poses:
        Of the pedicles.
    spread_mm:
        How far the heat that tells a pedicle's points is spread, the worst of them.
    """

    share: Volume
    poses: dict[Side, PediclePose]
    spread_mm: float
    provenance: str


def unavailable() -> str:
    """Why C2 cannot be judged here; empty if it can."""
    known = {entry.name: entry.unavailable for entry in list_models()}
    for name in MODELS:
        if name not in known:
            return f"the model {name} is not installed; train it with spinescrew train c2"
        if known[name]:
            return known[name]
    return ""


def find_axis(ct: Volume, device: str = "auto", progress: Progress | None = None) -> FoundAxis:
    """C2 and its pedicles in a CT (HU, any grid).

    Networks see the image and its mirror image, and their answers are joined: a mirrored patient gives mirrored
    answers.

    Raises
    ------
    InputError
        If no whole C2 is in view, or metal lies in it; the message says what is missing.
    """
    progress = progress or Progress()
    centre = _centre(ct, device, progress.part(0.0, 0.5))
    outputs, box, card = _cut(ct, centre, device)
    progress.update(0.8, "C2 cut out")
    share = softmax(outputs[:CLASSES], axis=0)[AXIS]
    kept = largest_piece_filled(share > 0.5)
    found = Volume(np.where(kept | (share <= 0.5), share, 0.0).astype(np.float32), box.affine)
    _refuse_parts(ct, found, box)
    _refuse_metal(ct, found)
    points, spread = _points(outputs[CLASSES:], box)
    if spread > _MOST_SPREAD_MM:
        raise InputError(
            f"the pedicles of C2 could not be told ({spread:.1f} mm uncertain); look whether C2 is whole and the image "
            "sharp"
        )
    poses = poses_of(points)
    refuse_unlike(found, poses)
    progress.update(1.0, "pedicles found")
    return FoundAxis(found, poses, spread, card.provenance)


def refuse_unlike(found: Volume, poses: dict[Side, PediclePose]) -> None:
    """Refuse what the networks took for C2 and what does not have its shape: other vertebrae, an image upside down.

    Raises
    ------
    InputError
        If the image is upside down, the pedicles do not lie as those of C2 do, or no dens stands on top.
    """
    left, right = (poses[side] for side in SIDES)
    across = right.isthmus - left.isthmus
    ahead = left.forwards + right.forwards
    up = unit(np.cross(across, ahead))
    if up[2] < _LEAST_UPRIGHT:
        raise InputError(
            "what looks like C2 does not stand upright: the image is upside down, or shows no C2; check it"
        )
    apart = float(np.linalg.norm(across))
    inwards = [
        float(
            np.degrees(np.arctan2(-side_sign(pose.side) * pose.forwards @ across / apart, pose.forwards @ unit(ahead)))
        )
        for pose in (left, right)
    ]
    top = _top_width(found, unit(across), up)
    doubts = {
        f"its pedicles lie {apart:.0f} mm apart": not _APART_MM[0] <= apart <= _APART_MM[1],
        "its pedicles do not run inwards as those of C2": min(inwards) < _INWARDS_DEG[0]
        or max(inwards) > _INWARDS_DEG[1],
        f"no dens stands on it (its top is {top:.0f} mm wide)": top > _WIDEST_DENS_MM,
    }
    if any(doubts.values()):
        reasons = "; ".join(reason for reason, holds in doubts.items() if holds)
        raise InputError(f"what was found is no C2 ({reasons}); choose a CT that holds C2 from the dens to its arch")


def _inwards_deg(pose: PediclePose, across: Floats, ahead: Floats) -> float:
    """How much a pedicle turns towards the midline on its way forward."""
    return float(np.degrees(np.arctan2(-side_sign(pose.side) * pose.forwards @ across, pose.forwards @ ahead)))


def _top_width(found: Volume, across: Floats, up: Floats) -> float:
    """Width in mm, from side to side, of the uppermost fiftieth of the voxels: of a C2, the tip of its dens."""
    points = found.index_to_ras(np.argwhere(found.array > 0.5).astype(float))
    height = points @ up
    return float(np.ptp((points @ across)[height > np.percentile(height, 98.0)]))


def _centre(ct: Volume, device: str, progress: Progress) -> Floats:
    """RAS centroid of the largest piece that is C2 at first sight."""
    model, _ = load_model(FIND, device)
    box = _bony_view(ct)
    shares = softmax(_both_ways(model, box.cut(ct, 1, AIR_HU), FIND_SHAPE, device, progress), axis=0)
    pieces, count = label(shares.argmax(axis=0) == AXIS)
    sizes = np.bincount(pieces.ravel())[1:] * FIND_MM**3 / 1000.0
    if not count or sizes.max() < LEAST_CM3:
        bones = (shares.argmax(axis=0) == OTHER).sum() * FIND_MM**3 / 1000.0
        held = "other vertebrae, but" if bones > 20.0 else "hardly any vertebra and"
        raise InputError(f"the image shows {held} no whole C2; choose a CT that holds C2 from the dens to its arch")
    return box.to_ras(np.argwhere(pieces == 1 + int(sizes.argmax())).mean(axis=0))


def _bony_view(ct: Volume) -> Box:
    """A box along the patient's axes around all bone of an image, at least as large as the network's tile."""
    bone = _some_bone(ct)
    if not len(bone):
        raise InputError("the image shows no bone; choose a CT that holds C2 from the dens to its arch")
    low, high = bone.min(axis=0), bone.max(axis=0)
    corners = ct.index_to_ras(np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T)
    least, most = corners.min(axis=0) - _ROOM_MM, corners.max(axis=0) + _ROOM_MM
    size = np.ceil((most - least) / FIND_MM).astype(int)
    i, j, k = (max(int(n), tile) for n, tile in zip(size, FIND_SHAPE, strict=True))
    return box_around((least + most) / 2, (i, j, k), FIND_MM)


def _some_bone(ct: Volume) -> NDArray[np.int_]:
    """Voxels (n, 3) of bone among every few of an image, counted from its left edge and from its right one.

    From one edge alone a mirrored image would be looked at on a grid that lies up to a millimetre elsewhere.
    """
    stride = np.maximum(1, np.floor(FIND_MM / ct.spacing)).astype(int)
    across = int(np.abs(ct.affine[0, :3]).argmax())
    found = []
    for first in {0, (ct.shape[across] - 1) % int(stride[across])}:
        start = np.zeros(3, int)
        start[across] = first
        i, j, k = (slice(int(begin), None, int(step)) for begin, step in zip(start, stride, strict=True))
        found.append(np.argwhere(ct.array[i, j, k] > _BONE_HU) * stride + start)
    return np.concatenate(found)


def _cut(ct: Volume, centre: Floats, device: str) -> tuple[NDArray[np.float32], Box, Any]:
    model, card = load_model(BONE, device)
    box = box_around(centre, BONE_SHAPE, BONE_MM)
    return _both_ways(model, box.cut(ct, 1, AIR_HU), BONE_SHAPE, device, None, swap=True), box, card


def _both_ways(
    model: Any,
    hu: NDArray[np.float32],
    tile: tuple[int, int, int],
    device: str,
    progress: Progress | None,
    *,
    swap: bool = False,
) -> NDArray[np.float32]:
    """Mean of what a network says of an image and, turned back, of its mirror image; ``swap`` exchanges the points."""
    from spinescrew.networks.tiling import predict_tiled

    place = choose_device(device)
    image = network_input(hu)[None]
    straight, mirrored = (
        predict_tiled(model, seen, tile, _OVERLAP, device=place, precision=mixed_precision(place), progress=progress)
        .float()
        .numpy()
        for seen in (image, np.ascontiguousarray(image[:, ::-1]))
    )
    mirrored = mirrored[:, ::-1]
    if swap:
        half = len(POINTS) // 2
        order = [*range(CLASSES), *range(CLASSES + half, CLASSES + 2 * half), *range(CLASSES, CLASSES + half)]
        mirrored = mirrored[order]
    return np.asarray(0.5 * (straight + mirrored), np.float32)


def _points(logits: NDArray[np.float32], box: Box) -> tuple[dict[Side, Floats], float]:
    """Three RAS points by side, and the worst spread in mm."""
    import torch

    from spinescrew.networks.heat import heat_of, read_out

    voxels, spread = read_out(heat_of(torch.from_numpy(logits)[None]))
    points = box.to_ras(voxels[0].numpy().astype(float))
    half = len(POINTS) // 2
    return {side: points[n * half : (n + 1) * half] for n, side in enumerate(SIDES)}, float(spread.max()) * BONE_MM


def _refuse_parts(ct: Volume, found: Volume, box: Box) -> None:
    """A C2 that is small, or that goes on beyond an edge of the image."""
    inside = np.argwhere(found.array > 0.5)
    size = len(inside) * BONE_MM**3 / 1000.0
    if size < LEAST_CM3:
        raise InputError(f"only {size:.1f} cm3 of C2 are in view; choose a CT that holds C2 from the dens to its arch")
    index = ct.ras_to_index(box.to_ras(inside.astype(float)))
    steps = ct.affine[:3, :3] / ct.spacing
    # Where the image ends the network sees air and stops a little short of it.
    reach = 0.5 + _SHORT_MM / ct.spacing
    for axis in range(3):
        low, high = index[:, axis] < -0.5 + reach[axis], index[:, axis] > ct.shape[axis] - 0.5 - reach[axis]
        for end, beyond in enumerate((low, high)):
            if beyond.sum() * BONE_MM**2 > _EDGE_MM2:
                way = int(np.abs(steps[:, axis]).argmax())
                face = end if steps[way, axis] > 0 else 1 - end
                raise InputError(
                    f"C2 is cut by the edge of the image ({_FACES[way, face]}); choose a CT that holds all of it"
                )


def _refuse_metal(ct: Volume, found: Volume) -> None:
    near = binary_dilation(found.array > 0.5, iterations=round(_METAL_MM / BONE_MM))
    points = found.index_to_ras(np.argwhere(near).astype(float))
    index = ct.ras_to_index(points)
    low, high = np.maximum(np.floor(index.min(axis=0)), 0).astype(int), np.ceil(index.max(axis=0)).astype(int) + 1
    part = ct.crop(low, high)
    dense = np.argwhere(part.array > _METAL_HU)
    if not len(dense):
        return
    at = np.round(found.ras_to_index(part.index_to_ras(dense.astype(float)))).astype(int)
    held = ((at >= 0) & (at < np.array(found.shape))).all(axis=1)
    volume = float(near[tuple(at[held].T)].sum() * np.prod(ct.spacing))
    if volume > _METAL_MM3:
        raise InputError(
            f"{volume:.0f} mm3 of metal lie in or on C2: its walls cannot be told from the streaks; measure by hand or "
            "choose an image from before the operation"
        )
