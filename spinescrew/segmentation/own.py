"""The project's own engine: find the spine and name its levels coarsely, then cut each vertebra finely.

Two steps keep a whole CT within a few gigabytes: names need the whole view but no detail, pedicle walls need 1 mm but
only one vertebra at a time. The outline follows Wang (2024, AISPINE), whose networks are 3D U-Nets with Canny edge
attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from spinescrew.anatomy.levels import Level, position
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.networks.device import choose_device, mixed_precision
from spinescrew.networks.intensity import network_input
from spinescrew.networks.weights import list_models, load_model
from spinescrew.progress import Progress
from spinescrew.segmentation.box import AIR_HU, Box, box_around
from spinescrew.segmentation.column import Piece, column
from spinescrew.segmentation.combine import Piece as CutPiece
from spinescrew.segmentation.combine import combine
from spinescrew.segmentation.engine import Segmentation
from spinescrew.segmentation.finish import finish
from spinescrew.segmentation.instances import Instance, Mask, find_instances
from spinescrew.segmentation.naming import LEVELS, Candidate, name_vertebrae
from spinescrew.segmentation.scheme import (
    COARSE,
    COARSE_CLASSES,
    COARSE_LEVELS,
    COARSE_MM,
    COARSE_SHAPE,
    FINE,
    FINE_MM,
    FINE_SHAPE,
)

_SMALLEST_VIEW = 48
_MARGIN_MM = 10.0
_CUT_OVERLAP = 0.35


@dataclass(frozen=True)
class OwnEngine:
    """Networks trained on simulated images; for research.

    Parameters
    ----------
    device:
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    middle:
        Name of the vertebra nearest the middle of the image, where a person knows it; the others follow.
    """

    device: str = "auto"
    middle: Level | None = None
    name: str = "spinescrew"
    title: str = "SpineScrew's own networks (trained on simulated images; for research)"

    def unavailable(self) -> str:
        """See :class:`spinescrew.segmentation.engine.Engine`."""
        known = {entry.name: entry.unavailable for entry in list_models()}
        for name in (COARSE, FINE):
            if name not in known:
                return f"the model {name} is not installed; train it with spinescrew train segmentation"
            if known[name]:
                return known[name]
        return ""

    def segment(self, ct: Volume, levels: Sequence[Level] | None, progress: Progress) -> Segmentation:
        """See :class:`spinescrew.segmentation.engine.Engine`."""
        problem = self.unavailable()
        if problem:
            raise InputError(problem)
        with progress.step("find and name the vertebrae", 0.0, 0.4) as part:
            found, card = self._find(ct, part)
        wanted = _with_neighbours(list(found.masks), levels)
        if not wanted:
            held = ", ".join(level.label for level in found.masks) or "no vertebra"
            asked = ", ".join(level.label for level in levels or ())
            raise InputError(
                f"the networks found {held} in this CT{', not ' + asked if asked else ''}; check the image"
            )
        with progress.step("cut the vertebrae", 0.4, 0.95) as part:
            pieces = self._cut(ct, found, wanted, part)
        with progress.step("put the labels together", 0.95, 0.98):
            labels = combine(pieces, ct)
        sure = {level: found.confidence[level] for level in wanted if (labels.array == level.value).any()}
        return finish(
            ct, labels, self.name, card.provenance, wanted=levels, confidence=sure, progress=progress.part(0.98, 1.0)
        )

    def _find(self, ct: Volume, progress: Progress) -> tuple[_Found, Any]:
        model, card = load_model(COARSE, self.device)
        box = whole_view(ct)
        image = network_input(box.cut(ct, 1, AIR_HU))[None]
        return name_found(self._predict(model, image, COARSE_SHAPE, 0.5, progress), box, self.middle), card

    def _cut(self, ct: Volume, found: _Found, levels: Sequence[Level], progress: Progress) -> list[CutPiece]:
        model, _ = load_model(FINE, self.device)
        pieces = []
        for n, level in enumerate(levels):
            part = progress.part(n / len(levels), (n + 1) / len(levels))
            pieces.append(CutPiece(level, self._cut_one(model, ct, found.masks[level], part)))
        return pieces

    def _cut_one(self, model: Any, ct: Volume, rough: Volume, progress: Progress) -> Volume:
        box = fine_box(rough)
        image = np.stack([network_input(box.cut(ct, 1, AIR_HU)), box.cut(rough, 1, 0.0)])
        outputs = self._predict(model, image, FINE_SHAPE, _CUT_OVERLAP, progress)
        return Volume(shares_of(outputs)[1], box.affine)

    def _predict(
        self, model: Any, image: NDArray[np.float32], tile: Sequence[int], overlap: float, progress: Progress
    ) -> NDArray[np.float32]:
        from spinescrew.networks.tiling import predict_tiled

        device = choose_device(self.device)
        logits = predict_tiled(
            model, image, tile, overlap, device=device, precision=mixed_precision(device), progress=progress
        )
        return np.asarray(logits.float().numpy(), np.float32)


@dataclass(frozen=True, eq=False)
class _Found:
    """Rough masks (share of each voxel) and confidence by level, from the head down."""

    masks: dict[Level, Volume]
    confidence: dict[Level, float]


def whole_view(ct: Volume) -> Box:
    """A box along the patient's axes, with the coarse network's voxels, around all of an image.

    Small images get air around them, as they have in training.
    """
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in ct.shape])).reshape(3, -1).T
    points = ct.index_to_ras(corners)
    low, high = points.min(axis=0), points.max(axis=0)
    i, j, k = (max(int(np.ceil(size / COARSE_MM)), _SMALLEST_VIEW) for size in high - low)
    return box_around((low + high) / 2, (i, j, k), COARSE_MM)


def shares_of(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax over the first axis."""
    return np.asarray(softmax(logits, axis=0), np.float32)


def name_found(outputs: NDArray[np.float32], box: Box, middle: Level | None = None) -> _Found:
    """Vertebrae in what the coarse network says of every voxel (outputs, i, j, k), each under one consistent name.

    Only pieces that stand in a row count (:func:`spinescrew.segmentation.column.column`). Names come from what the
    network says of each vertebra's voxels, and from its size and place among the others.
    """
    shares = shares_of(outputs[:COARSE_CLASSES])
    pieces = find_instances(shares, outputs[COARSE_CLASSES:])
    in_row = column([_piece(piece, shares, box) for piece in pieces])
    if not in_row:
        return _Found({}, {})
    masks = {n: pieces[n].mask for n in in_row}
    candidates = [_candidate(mask, shares, box) for mask in masks.values()]
    known = {} if middle is None else {_nearest_the_middle(candidates, box): middle}
    naming = name_vertebrae(candidates, known=known)
    found = sorted(zip(naming.levels, naming.confidence, in_row, strict=True), key=lambda each: position(each[0]))
    return _Found(
        {level: _rough(masks[n], shares, box) for level, _, n in found}, {level: sure for level, sure, _ in found}
    )


def _piece(found: Instance, shares: NDArray[np.float32], box: Box) -> Piece:
    weight = float((1.0 - shares[0])[found.mask].sum())
    return Piece(box.to_ras(np.argwhere(found.mask).mean(axis=0)), weight, found.sacral)


def _candidate(mask: Mask, shares: NDArray[np.float32], box: Box) -> Candidate:
    scores = np.full(len(LEVELS), 1e-3)
    for number, level in enumerate(COARSE_LEVELS, start=1):
        scores[LEVELS.index(level)] += float(shares[number][mask].mean())
    return Candidate(box.to_ras(np.argwhere(mask).mean(axis=0)), _volume_mm3(mask), scores)


def _nearest_the_middle(candidates: Sequence[Candidate], box: Box) -> int:
    middle = box.to_ras((np.array(box.shape) - 1) / 2)
    return int(np.argmin([np.linalg.norm(candidate.centroid - middle) for candidate in candidates]))


def _rough(mask: Mask, shares: NDArray[np.float32], box: Box) -> Volume:
    """What the fine network is given: at least one half wherever the mask is."""
    return Volume(np.where(mask, np.maximum(1.0 - shares[0], 0.5), 0.0).astype(np.float32), box.affine)


def fine_box(mask: Volume) -> Box:
    """The box of the fine network around a rough mask, with a margin for what the coarse network missed."""
    inside = np.argwhere(mask.array > 0.5)
    points = mask.index_to_ras(inside)
    low, high = points.min(axis=0) - _MARGIN_MM, points.max(axis=0) + _MARGIN_MM
    i, j, k = (max(int(np.ceil(size / FINE_MM)), 16) for size in high - low)
    return box_around((low + high) / 2, (i, j, k), FINE_MM)


def _volume_mm3(piece: NDArray[np.bool_]) -> float:
    """NaN where the edge of the view cuts it: then its size says nothing."""
    edges = (np.take(piece, end, axis=axis).any() for axis in range(3) for end in (0, -1))
    return float("nan") if any(edges) else float(piece.sum()) * COARSE_MM**3


def _with_neighbours(present: list[Level], levels: Sequence[Level] | None) -> list[Level]:
    """The levels asked for and those beside them: joints and frames of a vertebra need its neighbours."""
    if levels is None:
        return present
    ranks = {present.index(level) for level in levels if level in present}
    return [level for n, level in enumerate(present) if {n - 1, n, n + 1} & ranks]
