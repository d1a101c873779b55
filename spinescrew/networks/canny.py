"""Canny edges of three-dimensional feature maps, as attention.

Canny (1986) in three dimensions: smoothing, gradients, thinning along the gradient, two thresholds, and hysteresis
between them. The strength of an edge is differentiable; which voxels are edges is not, and is held fixed.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv3d, max_pool3d, pad

# strengths that differ by less are equal: of the two voxels at a sharp step the brighter one is the edge
_TIE = 1e-3
# a component of at least this much of the gradient points to the next voxel along its axis (22.5 degrees)
_LEAN = 0.383
# maps with less contrast are flat
_FLAT = 1e-5


def canny_attention(
    maps: Tensor, *, sigma: float = 1.0, low: float = 0.06, high: float = 0.15, rounds: int = 4, each: bool = False
) -> Tensor:
    """Edge strength in [0, 1], 0 off the edges: 1 is a sharp step over the whole range of a map.

    Parameters
    ----------
    maps:
        Feature maps (N, C, i, j, k), any float type; computed in float32 and returned in their own type.
    sigma:
        Width of the Gaussian smoothing, in voxels.
    low, high:
        Thresholds, as fractions of a sharp step over a map's range: voxels above ``high`` are edges, those above
        ``low`` are where they hang together with one.
    rounds:
        How many voxels an edge is followed below ``high``; a fixed number, so that a GPU never has to wait.
    each:
        Edges of every map, (N, C, i, j, k), rather than of the mean of the maps, (N, 1, i, j, k).
    """
    with torch.autocast(maps.device.type, enabled=False):
        plain = maps.float() if each else maps.mean(dim=1, keepdim=True, dtype=torch.float32)
        single = plain.flatten(0, 1)[:, None]
        strength, ahead = _strength(single, sigma)
        edges = _follow(_thin(strength.detach(), ahead), low, high, rounds)
        return (strength * edges).clamp(max=1).view_as(plain).to(maps.dtype)


def _strength(maps: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """Gradient's length as a fraction of a full step's (M, 1, i, j, k), and to which neighbour it points (M, 3, ...).

    The neighbour is one of 26: components -1, 0 or 1.
    """
    gauss = _gauss(sigma, maps)
    slopes = _sobel(_along_each_axis(maps, gauss))
    length = torch.sqrt((slopes * slopes).sum(dim=1, keepdim=True) + 1e-20)
    spread = (maps.amax(dim=(1, 2, 3, 4), keepdim=True) - maps.amin(dim=(1, 2, 3, 4), keepdim=True)).detach()
    full = spread * _step_response(gauss)
    ahead = slopes.sign() * (slopes.abs() > _LEAN * length)
    return length / full.clamp(min=_FLAT), ahead


def _gauss(sigma: float, like: Tensor) -> Tensor:
    reach = max(1, round(2.5 * sigma))
    at = torch.arange(-reach, reach + 1, dtype=like.dtype, device=like.device)
    weights = torch.exp(-0.5 * (at / sigma) ** 2)
    return weights / weights.sum()


def _step_response(gauss: Tensor) -> Tensor:
    """Central difference of a smoothed unit step, at one of the two voxels beside it."""
    middle = len(gauss) // 2
    return (gauss[middle] + gauss[middle + 1]) / 2


def _along_each_axis(maps: Tensor, kernel: Tensor) -> Tensor:
    for axis in range(3):
        maps = _along(maps, kernel, axis)
    return maps


def _along(maps: Tensor, kernel: Tensor, axis: int) -> Tensor:
    """Each map (M, 1, i, j, k) convolved along one axis; the outermost voxels are repeated beyond the border."""
    reach = len(kernel) // 2
    margins = [0] * 6
    margins[4 - 2 * axis] = margins[5 - 2 * axis] = reach
    shape = [1, 1, 1, 1, 1]
    shape[2 + axis] = len(kernel)
    return conv3d(pad(maps, margins, mode="replicate"), kernel.view(shape))


def _sobel(maps: Tensor) -> Tensor:
    """Slopes (M, 3, i, j, k) per voxel: central differences along one axis, smoothed along the other two."""
    difference = torch.tensor([-0.5, 0.0, 0.5], dtype=maps.dtype, device=maps.device)
    smooth = torch.tensor([0.25, 0.5, 0.25], dtype=maps.dtype, device=maps.device)
    slopes = []
    for axis in range(3):
        slope = maps
        for other in range(3):
            slope = _along(slope, difference if other == axis else smooth, other)
        slopes.append(slope)
    return torch.cat(slopes, dim=1)


def _thin(strength: Tensor, ahead: Tensor) -> Tensor:
    """``strength`` where it is the greatest along the gradient, 0 elsewhere."""
    padded = pad(strength, [1] * 6, mode="replicate")
    _, _, _, nj, nk = padded.shape
    steps = (ahead[:, 0] * (nj * nk) + ahead[:, 1] * nk + ahead[:, 2]).long().flatten(1)
    ni, mj, mk = strength.shape[2:]
    here = torch.arange(padded[0, 0].numel(), device=strength.device).view(padded.shape[2:])
    here = here[1 : ni + 1, 1 : mj + 1, 1 : mk + 1].flatten()
    flat = padded.flatten(1)
    above = flat.gather(1, here + steps).view_as(strength)
    below = flat.gather(1, here - steps).view_as(strength)
    peak = (strength > above * (1 + _TIE)) & (strength * (1 + _TIE) >= below)
    return strength * peak


def _follow(thin: Tensor, low: float, high: float, rounds: int) -> Tensor:
    """1 where ``thin`` is above ``high``, or above ``low`` and hangs together with such a voxel."""
    weak = (thin >= low).to(thin.dtype)
    found = (thin >= high).to(thin.dtype)
    for _ in range(rounds):
        found = max_pool3d(found, 3, stride=1, padding=1) * weak
    return found
