"""The vertebral canal at one level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.body import Body
from spinescrew.anatomy.vertebra import Canal, Pedicle
from spinescrew.errors import GeometryError
from spinescrew.geometry.rays import section_radii
from spinescrew.geometry.sdf import SignedDistance

Floats = NDArray[np.float64]

_ANGLES = np.arange(48) * (2 * np.pi / 48)
_WIDEST_MM = 17.0
"""Half of the widest canal in science.md 2.1, with room."""


def find_canal(bone: SignedDistance, body: Body, pedicles: list[Pedicle]) -> Canal:
    """The space enclosed by body, pedicles and lamina, from below the pedicles to above them.

    In each transverse plane the free space around the mid-line is taken; where the arch is open (above the lamina and
    through the foramina) the wall of the planes in which it is closed is carried on.

    Raises
    ------
    GeometryError
        If there is no free space behind the body.
    """
    frame = body.frame
    free = SignedDistance(bone.volume.with_array(-bone.volume.array))
    if pedicles:
        heights = [frame.to_local(p.isthmus)[2] for p in pedicles]
        middle, half = float(np.mean(heights)), float(np.mean([p.height_mm for p in pedicles])) / 2
    else:
        middle, half = 0.4 * body.half_height_mm, 0.4 * body.half_height_mm
    planes = np.arange(middle - half - 2.0, middle + half + 2.01, 1.0)
    behind = np.arange(2.0, 12.0, 0.5)
    centres, radii = [], []
    for s in planes:
        line = frame.to_ras(
            np.column_stack([np.zeros(len(behind)), -body.half_depth_mm - behind, np.full(len(behind), s)])
        )
        open_ = np.flatnonzero(bone.sample(line) > 1.5)
        if not len(open_):
            continue
        centre = frame.to_ras([0.0, -body.half_depth_mm - min(behind[open_[0]] + 4.0, behind[open_[-1]]), s])
        centres.append(centre)
        radii.append(section_radii(free, centre, frame.right, frame.anterior, _ANGLES, _WIDEST_MM))
    if len(centres) < 3:
        raise GeometryError("no canal was found behind the body")
    walls = _closed(np.array(radii))
    at = int(np.argmin(np.abs((np.array(centres) - frame.origin) @ frame.superior - middle)))
    return Canal(
        points=_fill(np.array(centres), walls, frame.right, frame.anterior),
        spacing_mm=1.0,
        width_mm=float(walls[at][0] + walls[at][24]),
        depth_mm=float(walls[at][12] + walls[at][36]),
    )


def _closed(radii: Floats) -> Floats:
    """Radii (planes, angles) with open directions closed by the usual wall of the other planes."""
    seen = np.where(radii < _WIDEST_MM - 0.01, radii, np.nan)
    usual = np.full(radii.shape[1], np.nan)
    some = np.isfinite(seen).sum(axis=0) > 0
    usual[some] = np.nanmedian(seen[:, some], axis=0)
    if not some.all():
        known = np.flatnonzero(some)
        if not len(known):
            raise GeometryError("the canal has no wall in any direction")
        usual = np.interp(np.arange(len(usual)), known, usual[known], period=len(usual))
    return np.minimum(radii, usual + 1.0)


def _fill(centres: Floats, radii: Floats, right: Floats, anterior: Floats) -> Floats:
    """Points on the wall and, more coarsely, inside."""
    around = np.cos(_ANGLES)[:, None] * right + np.sin(_ANGLES)[:, None] * anterior
    shells = [centres[:, None] + f * radii[..., None] * around[None] for f in (1.0, 0.75, 0.4)]
    return np.concatenate([shell.reshape(-1, 3) for shell in shells])
