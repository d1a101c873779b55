"""The vertebral body: where it is, its endplates, and the frame they give (design.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import minimize

from spinescrew.anatomy.frame import VertebralFrame
from spinescrew.errors import GeometryError
from spinescrew.geometry.rays import exit_distance, first_hit
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import angle_deg, unit
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

ROUGH_ENDPLATE_MM = 2.5
"""Residual above which an endplate is too rough to carry the frame (science.md 1.1 gives 1.5-3 mm)."""


SACRAL_HALF_WIDTH_MM = 25.0
SACRAL_HALF_HEIGHT_MM = 13.0
"""Usual S1 body (science.md 2.1), where its own walls cannot be told from the alae and S2."""


@dataclass(frozen=True, eq=False)
class Body:
    """The body in its frame: half width, half depth (anterior to posterior) and half height in mm."""

    frame: VertebralFrame
    half_width_mm: float
    half_depth_mm: float
    half_height_mm: float


@dataclass(frozen=True, eq=False)
class Endplate:
    """A plane fitted to an endplate: outward unit normal, a point on it, and how well it fits."""

    normal: Floats
    point: Floats
    rmse_mm: float
    seen: float


def densest_point(bone: SignedDistance, sigma_mm: float = 7.0, step_mm: float = 2.0) -> Floats:
    """Where bone is thickest around in every direction: near the centre of the vertebral body, RAS (3,)."""
    stride = np.maximum(1, np.round(step_mm / bone.volume.spacing).astype(int))
    inside = (bone.volume.array[:: stride[0], :: stride[1], :: stride[2]] <= 0).astype(np.float32)
    mass = gaussian_filter(inside, sigma_mm / (bone.volume.spacing * stride), mode="constant")
    at = np.array(np.unravel_index(int(mass.argmax()), mass.shape)) * stride
    return bone.volume.index_to_ras(at)


def fit_body(
    bone: SignedDistance,
    centre: Any,
    superior: Any,
    view: Volume,
    posterior_hint: Any | None = None,
    sacral: bool = False,
) -> Body:
    """Body, endplates and frame of one vertebra from its surface alone.

    Parameters
    ----------
    bone:
        Signed distance of the vertebra.
    centre:
        (3,) RAS, somewhere well inside the body.
    superior:
        (3,) rough direction towards the head (spine tangent).
    view:
        The imaged grid: beyond it nothing is known.
    posterior_hint:
        (3,) rough posterior direction; from the arch itself when left out.
    sacral:
        S1: the body merges with the alae and S2, so its width is not measured and only its own endplate counts.

    Raises
    ------
    GeometryError
        If no body can be made out.
    """
    s, origin = unit(superior), np.asarray(centre, dtype=float)
    posterior = _arch_direction(bone, origin, s) if posterior_hint is None else np.asarray(posterior_hint, float)
    frame = _frame(origin, s, np.cross(-posterior, s), "given", float("nan"))
    body = _extents(bone, frame, sacral)
    for _ in range(3):
        body = _extents(bone, _with_endplates(bone, body, view, sacral), sacral)
        body = _extents(bone, symmetric_frame(bone, body.frame), sacral)
    return body


def _arch_direction(bone: SignedDistance, origin: Floats, superior: Floats) -> Floats:
    """From the body to the mass of the arch, at right angles to ``superior``."""
    stride = np.maximum(1, np.round(1.5 / bone.volume.spacing).astype(int))
    inside = np.argwhere(bone.volume.array[:: stride[0], :: stride[1], :: stride[2]] <= 0) * stride
    arm = bone.volume.index_to_ras(inside) - origin
    height = arm @ superior
    flat = arm - height[:, None] * superior
    reach = np.linalg.norm(flat, axis=1)
    far = (np.abs(height) < 28) & (reach > 20)
    # Weighted by distance: the spinous process speaks louder than the edge of a body whose centre was missed.
    direction = (flat[far] * reach[far, None] ** 2).mean(axis=0) if far.any() else flat.mean(axis=0)
    if np.linalg.norm(direction) < 1e-6:
        raise GeometryError("no vertebral arch could be told from the body")
    return unit(direction)


def _frame(origin: Floats, superior: Floats, right: Floats, source: str, rmse: float) -> VertebralFrame:
    s = unit(superior)
    r = unit(right - (right @ s) * s)
    return VertebralFrame(origin, r, np.cross(s, r), s, source, rmse)


def _extents(bone: SignedDistance, frame: VertebralFrame, sacral: bool) -> Body:
    """Walls of the body seen from the frame's origin; the origin moves to the middle between them."""
    for _ in range(3):
        offsets = np.array([[0, 0, 0], [0, 0, 3.0], [0, 0, -3.0], [0, 3.0, 0], [0, -3.0, 0], [3.0, 0, 0], [-3.0, 0, 0]])
        origins = frame.to_ras(offsets)
        reach = {}
        for name, direction in (
            ("right", frame.right),
            ("left", -frame.right),
            ("anterior", frame.anterior),
            ("posterior", -frame.anterior),
            ("superior", frame.superior),
            ("inferior", -frame.superior),
        ):
            shift = offsets @ np.array(
                [direction @ frame.right, direction @ frame.anterior, direction @ frame.superior]
            )
            hits = exit_distance(bone, origins, direction, 45.0, bridge_mm=2.0) + shift
            finite = np.isfinite(hits) & (hits > shift + 2)
            reach[name] = float(np.median(hits[finite])) if finite.any() else 20.0
        if sacral:
            reach["right"] = reach["left"] = min(reach["right"], reach["left"], SACRAL_HALF_WIDTH_MM)
            reach["inferior"] = 2 * SACRAL_HALF_HEIGHT_MM - reach["superior"]
        middle = [
            (reach["right"] - reach["left"]) / 2,
            (reach["anterior"] - reach["posterior"]) / 2,
            (reach["superior"] - reach["inferior"]) / 2,
        ]
        frame = replace(frame, origin=frame.to_ras(np.clip(middle, -8, 8)))
    return Body(
        frame,
        (reach["right"] + reach["left"]) / 2,
        (reach["anterior"] + reach["posterior"]) / 2,
        (reach["superior"] + reach["inferior"]) / 2,
    )


def fit_endplate(bone: SignedDistance, body: Body, view: Volume, upper: bool) -> Endplate | None:
    """Robust plane through the central part of an endplate; ``None`` where too little of it is in view."""
    frame = body.frame
    u = np.linspace(-0.65, 0.65, 15)
    grid = np.array([(a * body.half_width_mm, b * body.half_depth_mm) for a in u for b in u if a * a + b * b < 0.43])
    starts = frame.to_ras(np.column_stack([grid, np.zeros(len(grid))]))
    direction = frame.superior if upper else -frame.superior
    reach = min(body.half_height_mm, 20.0) + 10.0
    height = exit_distance(bone, starts, direction, reach, bridge_mm=3.0)
    points = starts + np.where(np.isfinite(height), height, 0.0)[:, None] * direction
    good = np.isfinite(height) & (height > 3.0) & view.contains(points, margin_mm=float(view.spacing.min()))
    seen = float(good.mean())
    if seen < 0.5:
        return None
    normal, point, rmse = _robust_plane(points[good], direction)
    return Endplate(normal, point, rmse, seen)


def _robust_plane(points: Floats, along: Floats) -> tuple[Floats, Floats, float]:
    """Iteratively reweighted plane (Tukey) through ``points``; the normal points along ``along``."""
    weights = np.ones(len(points))
    for _ in range(12):
        centre = np.average(points, axis=0, weights=weights)
        arm = points - centre
        _, _, rows = np.linalg.svd((arm * weights[:, None]).T @ arm)
        normal = rows[2] * (1.0 if rows[2] @ along > 0 else -1.0)
        off = arm @ normal
        scale = max(1.4826 * float(np.median(np.abs(off - np.median(off)))), 0.3)
        weights = np.clip(1 - (off / (4.0 * scale)) ** 2, 0.0, None) ** 2 + 1e-6
    return normal, centre, float(np.sqrt(np.average(off**2, weights=weights)))


def _with_endplates(bone: SignedDistance, body: Body, view: Volume, sacral: bool) -> VertebralFrame:
    """The frame with ``superior`` from the superior endplate, or the best that can be had instead."""
    upper = fit_endplate(bone, body, view, True)
    lower = None if sacral else fit_endplate(bone, body, view, False)
    frame = body.frame
    if upper is not None and upper.rmse_mm <= ROUGH_ENDPLATE_MM and _agrees(upper, lower):
        return _frame(frame.origin, upper.normal, frame.right, "superior endplate", upper.rmse_mm)
    if upper is not None and lower is not None and lower.rmse_mm <= ROUGH_ENDPLATE_MM:
        rmse = max(upper.rmse_mm, lower.rmse_mm)
        return _frame(frame.origin, upper.normal - lower.normal, frame.right, "mean of endplates", rmse)
    if lower is not None and lower.rmse_mm <= ROUGH_ENDPLATE_MM:
        return _frame(frame.origin, -lower.normal, frame.right, "inferior endplate", lower.rmse_mm)
    if upper is not None and upper.rmse_mm <= 2 * ROUGH_ENDPLATE_MM:
        return _frame(frame.origin, upper.normal, frame.right, "superior endplate", upper.rmse_mm)
    return replace(frame, source="neighbours", rmse_mm=float("nan"))


def _agrees(upper: Endplate, lower: Endplate | None) -> bool:
    """Whether the superior endplate is plausible beside the inferior one (wedging stays below 25 degrees)."""
    return lower is None or lower.rmse_mm > ROUGH_ENDPLATE_MM or angle_deg(upper.normal, -lower.normal) < 25.0


def symmetric_frame(bone: SignedDistance, frame: VertebralFrame) -> VertebralFrame:
    """The frame turned and shifted so that the vertebra mirrors best on its mid-sagittal plane.

    ``superior`` is kept: of the plane's tilt only the part about ``superior`` enters the frame.
    """
    stride = np.maximum(1, np.round(2.0 / bone.volume.spacing).astype(int))
    values = bone.volume.array[:: stride[0], :: stride[1], :: stride[2]]
    points = bone.volume.index_to_ras(np.argwhere(values <= 0) * stride)
    local = frame.to_local(points)
    near = (np.abs(local[:, 2]) < 35) & (np.abs(local[:, 0]) < 45) & (local[:, 1] > -50)
    points = points[near][:: max(1, int(near.sum()) // 2500)]
    axes = frame.axes

    def plane(x: Floats) -> tuple[Floats, Floats]:
        normal = unit(axes @ np.array([1.0, np.tan(np.radians(x[0])), np.tan(np.radians(x[1]))]))
        return normal, frame.origin + x[2] * frame.right

    def cost(x: Floats) -> float:
        normal, point = plane(x)
        mirrored = points - 2.0 * ((points - point) @ normal)[:, None] * normal
        return float(np.clip(bone.sample(mirrored), 0.0, 4.0).mean()) + 1e-4 * float(x[1] ** 2)

    starts = [np.array([turn, 0.0, 0.0]) for turn in (0.0, -12.0, 12.0, -25.0, 25.0)]
    best = min(starts, key=cost)
    simplex = best + np.vstack([np.zeros(3), np.diag([6.0, 4.0, 2.0])])
    found = minimize(
        cost,
        best,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.05, "fatol": 1e-4, "maxfev": 150},
    )
    normal, point = plane(found.x)
    to_plane = ((point - frame.origin) @ normal) * normal
    return _frame(frame.origin + to_plane, frame.superior, normal, frame.source, frame.rmse_mm)


def sacral_centre(sacrum: SignedDistance, above: Body) -> tuple[Floats, Floats] | None:
    """Centre of the S1 body and rough superior direction, from where the vertebra above looks at the sacrum."""
    frame = above.frame
    u = np.linspace(-0.5, 0.5, 9)
    grid = np.array([(a * above.half_width_mm, b * above.half_depth_mm, 0.0) for a in u for b in u])
    starts = frame.to_ras(grid)
    hits = first_hit(sacrum, starts, -frame.superior, 60.0)
    good = np.isfinite(hits)
    if good.mean() < 0.4:
        return None
    points = starts[good] - hits[good, None] * frame.superior
    normal, point, _ = _robust_plane(points, frame.superior)
    return point - SACRAL_HALF_HEIGHT_MM * normal, normal
