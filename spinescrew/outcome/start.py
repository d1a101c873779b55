"""Where the CT roughly lies in the frame of the views, told by planned screws and the screws that were found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import orthogonal_pair
from spinescrew.implants.screw import Screw

Floats = NDArray[np.float64]

_FARTHEST_MM = 25.0
"""Beyond this a pair of screws says nothing about how well a start fits."""

_MOST_TURNED_DEG = 60.0
"""Frames of views are the patient's axes, if not exactly."""

_LOOKED_AT = 150
_ALIKE_MM = 8.0


def starts_from_screws(planned: Sequence[Screw], placed: Sequence[Screw], most: int = 3) -> list[Floats]:
    """Rigid (4, 4) from RAS of the plan's CT to the frame of the placed screws, the likeliest first.

    Every two planned screws are laid on every two placed ones; what then brings most screws near each other is kept.
    Screws were not placed as planned and may be missing or more than planned, and neighbouring levels are alike: all
    starts that fit nearly as well as the best are given, and the images have to decide.

    Raises
    ------
    InputError
        If one of the lists is empty.
    """
    if not planned or not placed:
        raise InputError("a start is found from planned and placed screws; there are none, give a start pose")
    here, there = _ends(planned), _ends(placed)
    if len(planned) < 2 or len(placed) < 2:
        return [_one_on_one(planned[0], screw) for screw in placed[:most]]
    tried = _pairs_on_pairs(here, there)
    found: dict[tuple[int, ...], tuple[float, Floats]] = {}
    for pose in tried[:_LOOKED_AT]:
        cost, names, better = _settled(pose, here, there)
        if names not in found or cost < found[names][0]:
            found[names] = cost, better
    ranked = sorted(found.values(), key=lambda each: each[0])
    return [pose for cost, pose in ranked[:most] if cost < ranked[0][0] + _ALIKE_MM]


def _ends(screws: Sequence[Screw]) -> Floats:
    """(n, 2, 3) entries and tips."""
    return np.array([[screw.entry, screw.tip] for screw in screws])


def _one_on_one(planned: Screw, placed: Screw) -> Floats:
    """The least turn that lays one screw on the other."""
    u, v = orthogonal_pair(planned.direction, (0.0, 0.0, 1.0))
    x, y = orthogonal_pair(placed.direction, (0.0, 0.0, 1.0))
    pose = np.eye(4)
    pose[:3, :3] = np.column_stack([x, y, placed.direction]) @ np.column_stack([u, v, planned.direction]).T
    middle = (planned.entry + planned.tip) / 2
    pose[:3, 3] = (placed.entry + placed.tip) / 2 - pose[:3, :3] @ middle
    return pose


def _pairs_on_pairs(here: Floats, there: Floats) -> Floats:
    """(n, 4, 4) poses that lay two planned screws on two placed ones, best first, none turned too far."""
    first = _all_pairs(here)
    second = _all_pairs(there)
    n, m = len(first), len(second)
    one = np.repeat(first, m, axis=0)
    other = np.tile(second, (n, 1, 1))
    poses, left = rigid_fits(one, other)
    turned = np.degrees(np.arccos(np.clip((np.trace(poses[:, :3, :3], axis1=1, axis2=2) - 1) / 2, -1, 1)))
    allowed = np.flatnonzero(turned < _MOST_TURNED_DEG)
    order = allowed[np.argsort(left[allowed] + 0.05 * turned[allowed])]
    if not len(order):
        order = np.argsort(left)
    return np.asarray(poses[order])


def _all_pairs(ends: Floats) -> Floats:
    """(k, 4, 3): both ends of every ordered pair of screws."""
    n = len(ends)
    return np.array([[*ends[i], *ends[j]] for i in range(n) for j in range(n) if i != j])


def rigid_fits(here: Floats, there: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Least-squares rigid poses (n, 4, 4) from points (n, k, 3) to (n, k, 3), and what is left (n,), RMS in mm.

    Kabsch 1976, with a proper rotation; ``weights`` (n, k) where points do not count alike.
    """
    share = np.ones(here.shape[:2]) if weights is None else weights
    share = (share / share.sum(axis=1, keepdims=True))[..., None]
    a, b = (here * share).sum(axis=1, keepdims=True), (there * share).sum(axis=1, keepdims=True)
    u, _, vt = np.linalg.svd(np.swapaxes((here - a) * share, 1, 2) @ (there - b))
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    u[:, :, 2] *= np.where(sign < 0, -1.0, 1.0)[:, None]
    turn = np.swapaxes(u @ vt, 1, 2)
    poses = np.tile(np.eye(4), (len(here), 1, 1))
    poses[:, :3, :3] = turn
    poses[:, :3, 3] = (b - a @ np.swapaxes(turn, 1, 2))[:, 0]
    off = (here - a) @ np.swapaxes(turn, 1, 2) - (there - b)
    return poses, np.sqrt((off**2).sum(axis=2).mean(axis=1))


def _settled(pose: Floats, here: Floats, there: Floats) -> tuple[float, tuple[int, ...], Floats]:
    """Mean distance of the matched screws, which they are, and the pose after fitting all of them."""
    names: tuple[int, ...] = ()
    for _ in range(3):
        moved = here @ pose[:3, :3].T + pose[:3, 3]
        gaps = np.linalg.norm(moved[:, None] - there[None], axis=3).mean(axis=2)
        rows, columns = linear_sum_assignment(np.minimum(gaps, _FARTHEST_MM))
        near = gaps[rows, columns] < _FARTHEST_MM
        cost = float(np.minimum(gaps[rows, columns], _FARTHEST_MM).mean())
        matched = np.full(len(here), -1)
        matched[rows[near]] = columns[near]
        names = tuple(int(n) for n in matched)
        if near.sum() < 2:
            break
        one, other = here[rows[near]].reshape(1, -1, 3), there[columns[near]].reshape(1, -1, 3)
        pose = rigid_fits(one, other)[0][0]
    return cost, names, pose
