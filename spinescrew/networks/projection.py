"""Line integrals of a voxel volume along X-rays, differentiable in the volume and in its rigid pose.

Plain tensors: a volume (ni, nj, nk), its ``affine`` (4, 4) from voxel index to mm, and rays from sources to targets in
that same mm frame. A volume that has moved is projected by bringing the rays into its own frame (:func:`brought_back`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import grid_sample
from torch.utils.checkpoint import checkpoint

from spinescrew.errors import GeometryError

MOST_POINTS = 2**21
"""Points sampled at once: some hundred megabytes with gradients, whatever the image's size."""


class _Chords(NamedTuple):
    """The parts of rays within the volume's box: first point, way to the last (both (m, 3) mm), and length (m,) mm."""

    start: Tensor
    way: Tensor
    length: Tensor


def rigid(rotation: Tensor, translation: Tensor, centre: Tensor) -> Tensor:
    """The motion that turns about ``centre``, then shifts: (4, 4), differentiable everywhere.

    Parameters
    ----------
    rotation:
        (3,) axis times angle in radians.
    translation, centre:
        (3,) mm.
    """
    x, y, z = rotation.unbind()
    none = torch.zeros_like(x)
    skew = torch.stack([none, -z, y, z, none, -x, -y, x, none]).reshape(3, 3)
    turn = torch.linalg.matrix_exp(skew)
    shift = centre + translation - turn @ centre
    last = torch.tensor([[0.0, 0.0, 0.0, 1.0]], dtype=turn.dtype, device=turn.device)
    return torch.cat([torch.cat([turn, shift[:, None]], dim=1), last])


def brought_back(pose: Tensor, points: Tensor) -> Tensor:
    """Points (..., 3) of the world in the frame of a volume that the rigid ``pose`` (4, 4) has moved."""
    return (points - pose[:3, 3]) @ pose[:3, :3]


def line_integrals(
    volume: Tensor,
    affine: Tensor,
    source: Tensor,
    targets: Tensor,
    *,
    samples: int | None = None,
    most_points: int = MOST_POINTS,
) -> Tensor:
    """Integral of ``volume`` along each ray, in its own unit times mm.

    Every ray is cut to the volume's box (the outer edges of its voxels) and sampled, trilinearly, in the middle of
    ``samples`` equal parts. Gradients flow to volume, affine, sources and targets.

    Parameters
    ----------
    volume:
        (ni, nj, nk), floating.
    affine:
        (4, 4), voxel index to mm.
    source, targets:
        (3,) or (n, 3), and (n, 3), mm in the frame of ``affine``; nothing is seen beyond a target.
    samples:
        Per ray; twice the longest edge in voxels when left out.
    most_points:
        Points sampled at once. Where gradients are wanted, larger images are sampled again on the way back.

    Returns
    -------
    Tensor
        (n,), 0 for rays that miss the box.

    Raises
    ------
    GeometryError
        If shapes do not fit.

    Examples
    --------
    >>> solid = torch.ones(4, 4, 4)
    >>> up = torch.tensor([[0.0, 0.0, 9.0]])
    >>> line_integrals(solid, torch.eye(4), torch.tensor([0.0, 0.0, -9.0]), up)
    tensor([4.])
    """
    _check(volume, affine, targets)
    count = samples or 2 * max(volume.shape)
    hit, chords = _chords(volume.shape, affine, source, targets)
    found = []
    for part in _parts(chords, count, most_points):
        if torch.is_grad_enabled() and len(hit) * count > most_points:
            found.append(checkpoint(_integrate, volume, affine, *part, count, use_reentrant=False))
        else:
            found.append(_integrate(volume, affine, *part, count))
    whole = torch.zeros(len(targets), dtype=targets.dtype, device=targets.device)
    return whole.index_put((hit,), torch.cat(found)) if found else whole


def with_gradient(volume: Tensor, affine: Tensor) -> Tensor:
    """The volume and its slopes along the mm axes, (4, ni, nj, nk): what :func:`integrals_and_slopes` samples."""
    _check(volume, affine, affine[:0, :3])
    slopes = torch.stack(torch.gradient(volume))
    to_index = torch.linalg.inv(affine)[:3, :3]
    return torch.cat([volume[None], torch.einsum("nm,nijk->mijk", to_index, slopes)])


def integrals_and_slopes(
    field: Tensor,
    affine: Tensor,
    source: Tensor,
    targets: Tensor,
    centre: Tensor,
    *,
    samples: int | None = None,
    most_points: int = MOST_POINTS,
) -> tuple[Tensor, Tensor]:
    """Line integrals, and how each changes with a small motion of the volume: all of a least-squares step at once.

    The slopes are integrals of the volume's central differences. That takes about three times as long as the integrals
    alone; six gradients by way of autograd would take six passes back, as each pixel needs its own.

    Parameters
    ----------
    field:
        (4, ni, nj, nk) of :func:`with_gradient`.
    affine, source, targets, samples, most_points:
        As for :func:`line_integrals`.
    centre:
        (3,) mm, the point of the volume about which it turns.

    Returns
    -------
    Integrals (n,), and slopes (n, 6): per radian about x, y, z through ``centre``, per mm along x, y, z.
    """
    _check(field[0], affine, targets)
    count = samples or 2 * max(field.shape[1:])
    values = torch.zeros(len(targets), dtype=field.dtype, device=field.device)
    slopes = torch.zeros(len(targets), 6, dtype=field.dtype, device=field.device)
    with torch.no_grad():
        hit, chords = _chords(field.shape[1:], affine, source, targets)
        first = 0
        for part in _parts(chords, count, most_points):
            rows = hit[first : first + len(part.length)]
            values[rows], slopes[rows] = _with_slopes(field, affine, part, centre, count)
            first += len(part.length)
    return values, slopes


def _check(volume: Tensor, affine: Tensor, targets: Tensor) -> None:
    if volume.ndim != 3 or affine.shape != (4, 4):
        raise GeometryError("a projection needs a volume of three dimensions and an affine (4, 4)")
    if targets.ndim != 2 or targets.shape[1] != 3:
        raise GeometryError(f"the targets of rays must be (n, 3), these are {tuple(targets.shape)}")


def _to_unit(shape: torch.Size, affine: Tensor) -> tuple[Tensor, Tensor]:
    """Matrix (3, 3) and offset (3,) that bring mm points to the box [-1, 1]^3 of the voxels' outer edges."""
    size = torch.tensor(shape, dtype=affine.dtype, device=affine.device)
    inverse = torch.linalg.inv(affine)
    turn = 2.0 * inverse[:3, :3] / size[:, None]
    return turn, (2.0 * inverse[:3, 3] + 1.0) / size - 1.0


def _chords(shape: torch.Size, affine: Tensor, source: Tensor, targets: Tensor) -> tuple[Tensor, _Chords]:
    """Which rays (m,) meet the box, and their parts within it."""
    turn, offset = _to_unit(shape, affine)
    way = targets - source
    start, run = source @ turn.T + offset, way @ turn.T
    tiny = torch.finfo(run.dtype).tiny
    steep = torch.where(run.abs() > tiny, run, torch.full_like(run, tiny))
    one, other = (-1.0 - start) / steep, (1.0 - start) / steep
    enter = torch.minimum(one, other).amax(dim=1).clamp(0.0, 1.0)
    leave = torch.maximum(one, other).amin(dim=1).clamp(0.0, 1.0)
    hit = torch.nonzero(leave > enter)[:, 0]
    enter, leave, way = enter[hit, None], leave[hit, None], way[hit]
    begin = source.expand_as(targets)[hit] + enter * way
    inside = (leave - enter) * way
    return hit, _Chords(begin, inside, torch.linalg.vector_norm(inside, dim=1))


def _parts(chords: _Chords, samples: int, most_points: int) -> Iterator[_Chords]:
    size = max(most_points // samples, 1)
    for first in range(0, len(chords.length), size):
        yield _Chords(*(each[first : first + size] for each in chords))


def _depths(samples: int, like: Tensor) -> Tensor:
    return (torch.arange(samples, dtype=like.dtype, device=like.device) + 0.5) / samples


def _sampled(field: Tensor, affine: Tensor, start: Tensor, way: Tensor, depths: Tensor) -> Tensor:
    """Channels of ``field`` (c, ni, nj, nk) at ``depths`` (s,) of the chords: (c, m, s)."""
    turn, offset = _to_unit(field.shape[1:], affine)
    first, run = start @ turn.T + offset, way @ turn.T
    grid = (first[:, None] + depths[:, None] * run[:, None]).flip(-1)
    return grid_sample(field[None], grid[None, None], padding_mode="border", align_corners=False)[0, :, 0]


def _integrate(volume: Tensor, affine: Tensor, start: Tensor, way: Tensor, length: Tensor, samples: int) -> Tensor:
    return _sampled(volume[None], affine, start, way, _depths(samples, start))[0].mean(dim=1) * length


def _with_slopes(field: Tensor, affine: Tensor, chords: _Chords, centre: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    """A point moves by w x (p - centre) + t, so the volume's value at p falls by its gradient times that."""
    depths = _depths(samples, chords.start)
    sampled = _sampled(field, affine, chords.start, chords.way, depths)
    scale = chords.length / samples
    value = sampled[0].sum(dim=1) * scale
    gradient = (sampled[1:].sum(dim=2) * scale).T
    lever = ((sampled[1:] @ depths) * scale).T
    turning = torch.linalg.cross(chords.start - centre, gradient) + torch.linalg.cross(chords.way, lever)
    return value, -torch.cat([turning, gradient], dim=1)
