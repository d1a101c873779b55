"""Entry and exit of both pedicles of each vertebra, found by the landmark network (Wang 2024, AISPINE)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.networks.device import choose_device
from spinescrew.networks.intensity import network_input
from spinescrew.networks.weights import list_models, load_model
from spinescrew.progress import Progress
from spinescrew.segmentation.box import AIR_HU, Box, box_around
from spinescrew.segmentation.scheme import LANDMARK_MM, LANDMARK_SHAPE, LANDMARKS, POINTS

Floats = NDArray[np.float64]

_UPPER_MM = 45.0
_ENOUGH_VOXELS = 200


@dataclass(frozen=True, eq=False)
class Channel:
    """Entry and exit (3,) RAS mm of one pedicle's straight-forward channel, and how sure both are (mm)."""

    entry: Floats
    exit: Floats
    entry_spread_mm: float
    exit_spread_mm: float


@dataclass(frozen=True, eq=False)
class Landmarks:
    """What the network found, by pedicle, and what it says about itself."""

    channels: dict[tuple[Level, Side], Channel]
    provenance: str


def landmarks_unavailable() -> str:
    """Why the landmark network cannot run; empty if it can."""
    entry = next((entry for entry in list_models() if entry.name == LANDMARKS), None)
    if entry is None:
        return f"the model {LANDMARKS} is not installed; train it with spinescrew train landmarks"
    return entry.unavailable


def measured_mm() -> float:
    """Mean error of the landmark network on held-out images, from its card; infinity where it was not measured.

    Over all levels of images with slices up to 2 mm, each level counting by its pedicles.
    """
    entry = next((entry for entry in list_models() if entry.name == LANDMARKS), None)
    figures = entry.card.figures if entry is not None and entry.card is not None else {}
    rows = list(figures.get("landmarks", {}).get("slices up to 2 mm", {}).values())
    counted = [(row["mean_mm"], row["pedicles"] - row["missing"]) for row in rows if row.get("mean_mm") is not None]
    pedicles = sum(count for _, count in counted)
    return sum(mean * count for mean, count in counted) / pedicles if pedicles else float("inf")


def find_landmarks(
    ct: Volume,
    labels: Volume,
    levels: Sequence[Level] | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Landmarks:
    """Entry and exit of every pedicle of ``levels`` (all from T1 to S1 when left out) that are in ``labels``.

    Parameters
    ----------
    ct, labels:
        HU and VerSe ids; their grids may differ.

    Raises
    ------
    InputError
        If the network cannot run; the message says what is missing.
    Cancelled
        If ``progress`` was asked to stop.
    """
    if problem := landmarks_unavailable():
        raise InputError(problem)
    progress = progress or Progress()
    model, card = load_model(LANDMARKS, device)
    held = {level: _upper_points(labels, level) for level in _wanted(labels, levels)}
    found: dict[tuple[Level, Side], Channel] = {}
    for n, (level, points) in enumerate(held.items()):
        progress.update(n / len(held), f"entry and exit of {level.label}")
        found.update(_of_level(model, ct, labels, level, points.mean(axis=0), device))
    progress.update(1.0, "entries and exits found")
    return Landmarks(found, card.provenance)


def _of_level(
    model: Any, ct: Volume, labels: Volume, level: Level, centre: Floats, device: str
) -> dict[tuple[Level, Side], Channel]:
    """Twice: the first points say where the second box has its middle, as in training."""
    points, _ = _points(model, ct, labels, level, box_around(centre, LANDMARK_SHAPE, LANDMARK_MM), device)
    box = box_around(points.mean(axis=0), LANDMARK_SHAPE, LANDMARK_MM)
    points, spread = _points(model, ct, labels, level, box, device)
    place = {point: n for n, point in enumerate(POINTS)}
    channels = {}
    for side in dict.fromkeys(side for side, _ in POINTS):
        entry, end = place[side, "entry"], place[side, "exit"]
        channels[level, side] = Channel(points[entry], points[end], float(spread[entry]), float(spread[end]))
    return channels


def _points(model: Any, ct: Volume, labels: Volume, level: Level, box: Box, device: str) -> tuple[Floats, Floats]:
    """(4, 3) RAS points and their spread (4,) mm; in full precision, as a point lies between voxels."""
    import torch

    from spinescrew.networks.heat import heat_of, read_out

    image = np.stack([network_input(box.cut(ct, 1, AIR_HU)), box.share_of(labels, level.value)])
    with torch.inference_mode():
        logits = model(torch.from_numpy(image)[None].to(choose_device(device)))[-1]
        voxels, spread = read_out(heat_of(logits.cpu()))
    return box.to_ras(voxels[0].numpy().astype(float)), spread[0].numpy().astype(float) * LANDMARK_MM


def _wanted(labels: Volume, levels: Sequence[Level] | None) -> list[Level]:
    values, counts = np.unique(labels.array, return_counts=True)
    there = {int(value) for value, count in zip(values, counts, strict=True) if count >= _ENOUGH_VOXELS}
    known = (level for level in cranial_to_caudal() if level.region != "cervical" and level.value in there)
    return [level for level in known if levels is None or level in levels]


def _upper_points(labels: Volume, level: Level) -> Floats:
    """RAS points (n, 3) of the upper part of a vertebra: all of one but the sacrum, whose pedicles are at its top."""
    points = labels.index_to_ras(np.argwhere(labels.array == level.value))
    return points[points[:, 2] > points[:, 2].max() - _UPPER_MM] if level is Level.S1 else points
