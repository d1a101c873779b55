"""A screw laid out for sampling: where its surface points are, and which way is medial around it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, VertebralFrame, side_sign
from spinescrew.geometry.vectors import orthogonal_pair
from spinescrew.grading.options import GradingOptions
from spinescrew.implants.screw import Screw

Floats = NDArray[np.float64]


class Shaft(NamedTuple):
    """A screw's shaft as compiled code reads it.

    ``u`` and ``v`` (3,) span the plane across the axis; angles count from ``u`` towards ``v``. ``radius``, ``taper``
    and ``tip_radius`` in mm, as in :class:`spinescrew.implants.screw.ScrewShape`.
    """

    entry: Floats
    direction: Floats
    u: Floats
    v: Floats
    length: float
    radius: float
    taper: float
    tip_radius: float


class Circle(NamedTuple):
    """Cosines and sines of the sampled angles, (n,) each."""

    cosines: Floats
    sines: Floats


def shaft_of(screw: Screw, frame: VertebralFrame | None = None, side: Side = "right") -> Shaft:
    """Lay out a screw; angle 0 is medial in ``frame``, counted towards superior (patient left and up without one)."""
    medial, superior = np.array([-1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
    if frame is not None:
        medial, superior = -side_sign(side) * frame.right, frame.superior
    u, v = orthogonal_pair(screw.direction, medial)
    shape = screw.shape
    return Shaft(
        np.array(screw.entry),
        np.array(screw.direction),
        u,
        v if v @ superior >= 0 else -v,
        float(shape.length_mm),
        float(shape.radius_mm),
        float(shape.tip_taper_mm),
        float(min(shape.tip_radius_mm, shape.radius_mm)),
    )


def circle_of(options: GradingOptions) -> Circle:
    """The sampled angles."""
    angles = np.arange(options.angles) * (2 * np.pi / options.angles)
    return Circle(np.cos(angles), np.sin(angles))


def stations_of(screw: Screw, options: GradingOptions) -> Floats:
    """Depths (n_t,) of the sampled stations from the entry, at most ``step_mm`` apart, both ends included."""
    return np.linspace(0.0, screw.shape.length_mm, int(np.ceil(screw.shape.length_mm / options.step_mm)) + 1)


def shaft_points(
    screw: Screw,
    options: GradingOptions | None = None,
    frame: VertebralFrame | None = None,
    side: Side = "right",
) -> Floats:
    """The surface points that :func:`spinescrew.grading.grade.assess` looks at.

    Returns
    -------
    (n_t, n_theta, 3) RAS mm: stations from entry to tip, angles from medial towards superior.

    Examples
    --------
    >>> from spinescrew.implants.screw import Screw
    >>> shaft_points(Screw.between((0, 0, 0), (0, 45, 0), 6.5)).shape
    (91, 72, 3)
    """
    options = options or GradingOptions()
    shaft, circle, stations = shaft_of(screw, frame, side), circle_of(options), stations_of(screw, options)
    ring = circle.cosines[:, None] * shaft.u + circle.sines[:, None] * shaft.v
    radii = screw.shape.radius_at(stations)
    axis = shaft.entry + stations[:, None] * shaft.direction
    return axis[:, None, :] + radii[:, None, None] * ring[None]
