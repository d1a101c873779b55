"""How far rays pass from the surface of a tapered shaft, exactly in perspective, and how that changes with it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TINY = 1e-9


class Shaft(NamedTuple):
    """A round shaft from ``neck`` to ``tip`` (3,) RAS mm, thinner to ``tip_radius`` over the last ``taper``."""

    neck: Floats
    tip: Floats
    radius: float
    taper: float
    tip_radius: float


class Passing(NamedTuple):
    """Where rays (n,) pass a shaft.

    Attributes
    ----------
    away:
        (n,) mm from the surface, negative where a ray goes through: zero on the outline.
    depth:
        (n,) mm along the axis from the neck, of the place next to the ray.
    point:
        (n, 3) that place on the axis.
    outward:
        (n, 3) change of ``away`` when the whole shaft moves.
    by_tip:
        (n, 3) change when the tip alone moves; ``outward - by_tip`` when the neck does.
    by_radius, by_taper:
        (n,) change when the radius grows, and when the taper gets longer.
    """

    away: Floats
    depth: Floats
    point: Floats
    outward: Floats
    by_tip: Floats
    by_radius: Floats
    by_taper: Floats


def passing(source: Floats, rays: Floats, shaft: Shaft) -> Passing:
    """Where rays from ``source`` (3,) along unit vectors ``rays`` (n, 3) pass a shaft.

    The surface is that of spheres along the axis, with the shaft's radius: the same as the shaft's, seen from the side,
    but for a rounded end at the neck, which lies in the head.

    Notes
    -----
    The nearest place minimises distance less radius. So a small change of the shaft counts as if the place stayed where
    it is, which gives the derivatives in closed form.
    """
    along = shaft.tip - shaft.neck
    length = float(np.sqrt(along @ along))
    axis = along / length
    start = length - shaft.taper
    slope = (shaft.radius - shaft.tip_radius) / max(shaft.taper, _TINY)
    base = shaft.neck - source
    cosine, reach = rays @ axis, rays @ base
    # squared distance of a ray from the axis at depth t: a (t - t0)^2 + m^2
    a = np.maximum(1.0 - cosine**2, _TINY)
    t0 = -(base @ axis - reach * cosine) / a
    m2 = np.maximum(base @ base - reach**2 - a * t0**2, 0.0)
    t_wide = np.clip(t0, 0.0, start)
    steep = a - slope**2
    shift = slope * np.sqrt(m2 / (a * np.maximum(steep, _TINY)))
    t_cone = np.clip(np.where(steep > _TINY, t0 - shift, start), start, length)
    wide = np.sqrt(a * (t_wide - t0) ** 2 + m2) - shaft.radius
    cone = np.sqrt(a * (t_cone - t0) ** 2 + m2) - (shaft.radius - slope * (t_cone - start))
    depth = np.where(cone < wide, t_cone, t_wide)
    away = np.minimum(cone, wide)
    offset = base + depth[:, None] * axis
    offset -= (reach + depth * cosine)[:, None] * rays
    outward = offset / np.maximum(np.sqrt((offset**2).sum(axis=1)), _TINY)[:, None]
    lengthwise = outward @ axis
    share = depth / length
    by_tip = share[:, None] * outward
    by_tip += (np.where(depth > 0, lengthwise, 0.0) - share * lengthwise)[:, None] * axis
    into_tip = np.clip((depth - start) / max(shaft.taper, _TINY), 0.0, 1.0)
    by_taper = np.where(depth > start, slope * (1.0 - into_tip), np.where(depth == start, -lengthwise, 0.0))
    return Passing(away, depth, shaft.neck + depth[:, None] * axis, outward, by_tip, into_tip - 1.0, by_taper)
