"""Heat maps of points: the targets a network learns, and the points read from what it returns."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

# the window's Gaussian taper (voxels), how far it reaches, and how often it is centred anew
_TAPER = 2.0
_REACH = 6
_ROUNDS = 12
# beyond this a map is as good as flat within the window
MOST_SPREAD = 20.0


def target_heat(points: Tensor, shape: Sequence[int], sigma: float) -> Tensor:
    """Gaussians of height 1 and width ``sigma`` (voxels) around points.

    Parameters
    ----------
    points:
        (N, P, 3) in voxels, fractions allowed; a point that is NaN (absent) has an empty map.
    shape:
        Voxels along i, j, k.

    Returns
    -------
    Tensor
        (N, P, i, j, k), of the points' type and on their device.
    """
    profiles = [
        torch.exp(-0.5 * ((torch.arange(size, dtype=points.dtype, device=points.device) - at[..., None]) / sigma) ** 2)
        for size, at in zip(shape, points.unbind(-1), strict=True)
    ]
    return torch.einsum("npi,npj,npk->npijk", *(profile.nan_to_num(nan=0.0) for profile in profiles))


def heat_of(logits: Tensor) -> Tensor:
    """Heat maps of height 1 from logits (N, P, i, j, k): shares of a softmax over all voxels, over the largest."""
    logits = logits.float()
    return torch.exp(logits - logits.amax(dim=(2, 3, 4), keepdim=True))


def heat_loss(logits: Tensor, points: Tensor, sigma: float) -> Tensor:
    """Kullback-Leibler divergence of Gaussians around points from the softmax over all voxels, mean over known points.

    A mean squared difference of heat maps sees next to nothing of a peak that is a thousandth of its map; this one sees
    nothing else.

    Parameters
    ----------
    logits:
        (N, P, i, j, k).
    points:
        (N, P, 3) in voxels; NaN where there is none, which does not count.
    sigma:
        Width of the Gaussians in voxels.
    """
    known = torch.isfinite(points).all(dim=-1)
    if not known.any():
        return logits.float().sum() * 0.0
    wanted = target_heat(points, logits.shape[2:], sigma)[known].flatten(1)
    wanted = wanted / wanted.sum(dim=1, keepdim=True).clamp(min=1e-12)
    shares = logits.float()[known].flatten(1).log_softmax(dim=1)
    return (torch.xlogy(wanted, wanted) - wanted * shares).sum(dim=1).mean()


def read_out(heat: Tensor) -> tuple[Tensor, Tensor]:
    """Points (N, P, 3) in voxels with fractions, and their spread (N, P) in voxels, of heat maps (N, P, i, j, k).

    The soft arg-max of a window around each map's maximum. The window fades out and is centred anew on what it found,
    so that its own edge pulls the point nowhere. The spread is the standard deviation along an axis that the heat has
    without the window, up to ``MOST_SPREAD`` where the map is flat or empty: the less, the surer. Within 6 voxels of
    the border the window sees a part only: the point is drawn inwards, by up to a voxel, and the spread is too small.
    """
    heat = heat.float()
    points = _maxima(heat)
    corner = points.long()
    values = _windows(heat, corner)
    offsets = torch.arange(-_REACH, _REACH + 1, dtype=heat.dtype, device=heat.device)
    grid = torch.stack(torch.meshgrid(offsets, offsets, offsets, indexing="ij"), dim=-1)
    centre = torch.zeros_like(points)
    for _ in range(_ROUNDS):
        weights = _weights(values, grid, centre)
        centre = torch.einsum("npijk,ijkd->npd", weights, grid)
    squares = ((grid - centre[:, :, None, None, None, :]) ** 2).mean(dim=-1)
    seen = (_weights(values, grid, centre) * squares).sum(dim=(2, 3, 4))
    return points + centre, _without_taper(seen)


def _maxima(heat: Tensor) -> Tensor:
    """(N, P, 3) voxel of each map's maximum."""
    _, _, _, nj, nk = heat.shape
    at = heat.flatten(2).argmax(dim=2)
    return torch.stack([at // (nj * nk), at // nk % nj, at % nk], dim=-1).to(heat.dtype)


def _windows(heat: Tensor, corner: Tensor) -> Tensor:
    """(N, P, w, w, w) cut out around voxels (N, P, 3); 0 outside the map and where it is negative."""
    padded = pad(heat.clamp(min=0), [_REACH] * 6)
    count, points = heat.shape[:2]
    n = torch.arange(count, device=heat.device).view(count, 1, 1, 1, 1)
    p = torch.arange(points, device=heat.device).view(1, points, 1, 1, 1)
    run = torch.arange(2 * _REACH + 1, device=heat.device)
    i, j, k = (
        corner[..., axis, None, None, None] + run.view([-1 if a == axis else 1 for a in range(3)]) for axis in range(3)
    )
    return padded[n, p, i, j, k]


def _weights(values: Tensor, grid: Tensor, centre: Tensor) -> Tensor:
    """Window weights that sum to 1, or to 0 where the window is empty."""
    away = ((grid - centre[:, :, None, None, None, :]) ** 2).sum(dim=-1)
    weights = values * torch.exp(-0.5 * away / _TAPER**2)
    return weights / weights.sum(dim=(2, 3, 4), keepdim=True).clamp(min=1e-12)


def _without_taper(variance: Tensor) -> Tensor:
    """Standard deviation of a Gaussian whose product with the taper has this variance."""
    taper = _TAPER**2
    spread = torch.sqrt(taper * variance / (taper - variance).clamp(min=1e-3)).clamp(max=MOST_SPREAD)
    return torch.where(variance > 0, spread, MOST_SPREAD)
