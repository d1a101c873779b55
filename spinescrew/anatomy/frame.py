"""The vertebra's own frame, and angles measured in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.vectors import unit

Floats = NDArray[np.float64]
Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")


def side_sign(side: Side) -> float:
    """+1 for right, -1 for left: the sign of that side along the frame's ``right``."""
    return 1.0 if side == "right" else -1.0


@dataclass(frozen=True, eq=False)
class VertebralFrame:
    """Right-handed orthonormal frame of one vertebra, in RAS (design.md section 4).

    Attributes
    ----------
    origin:
        (3,) centre of the vertebral body, RAS mm.
    right, anterior, superior:
        (3,) unit vectors; ``superior`` is the normal of the superior endplate.
    source:
        What gave ``superior``: ``"superior endplate"``, ``"mean of endplates"``, ``"inferior endplate"``,
        ``"neighbours"`` or ``"given"``.
    rmse_mm:
        Residual of the endplate fit; NaN when given.
    """

    origin: Floats
    right: Floats
    anterior: Floats
    superior: Floats
    source: str = "given"
    rmse_mm: float = float("nan")
    notes: tuple[str, ...] = field(default=())

    @property
    def axes(self) -> Floats:
        """3x3, columns right, anterior, superior."""
        return np.column_stack([self.right, self.anterior, self.superior])

    def to_local(self, points: Any) -> Floats:
        """RAS points (..., 3) to (right, anterior, superior) mm from the origin."""
        return (np.asarray(points, dtype=np.float64) - self.origin) @ self.axes

    def to_ras(self, local: Any) -> Floats:
        """(right, anterior, superior) mm (..., 3) to RAS points."""
        return np.asarray(local, dtype=np.float64) @ self.axes.T + self.origin


class ScrewAngles(NamedTuple):
    """Angles of a trajectory in degrees.

    ``pta``: positive when the tip converges to the midline, on both sides. ``psa``: positive when the tip points
    cranially, projected on the sagittal plane. ``psa_elevation``: elevation above the superior endplate,
    ``tan(elevation) = tan(psa) * cos(pta)``.
    """

    pta: float
    psa: float
    psa_elevation: float


def screw_angles(direction: Any, frame: VertebralFrame, side: Side) -> ScrewAngles:
    """PTA and PSA of ``direction`` (from entry to tip, RAS) in ``frame`` (science: AISPINE, Wang 2024)."""
    d_right, d_anterior, d_superior = unit(direction) @ frame.axes
    return ScrewAngles(
        pta=float(np.degrees(np.arctan2(-side_sign(side) * d_right, d_anterior))),
        psa=float(np.degrees(np.arctan2(d_superior, d_anterior))),
        psa_elevation=float(np.degrees(np.arctan2(d_superior, np.hypot(d_right, d_anterior)))),
    )


def direction_from_angles(pta_deg: float, psa_deg: float, frame: VertebralFrame, side: Side) -> Floats:
    """Unit RAS direction (3,) with this PTA and (projected) PSA; the inverse of :func:`screw_angles`.

    Both angles must lie within (-90, 90) degrees.
    """
    lateral = -side_sign(side) * np.tan(np.radians(pta_deg))
    return unit(frame.anterior + lateral * frame.right + np.tan(np.radians(psa_deg)) * frame.superior)
