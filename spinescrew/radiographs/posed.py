"""Posed screws as results: numbered, with their uncertainty in their own frame, their tulip and what is to be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.vectors import angle_deg, orthogonal_pair, unit
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.radiographs.numbering import Side, places
from spinescrew.radiographs.posing import Links, Sizes, Solved
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.seen import SeenScrew
from spinescrew.radiographs.thread import crests
from spinescrew.radiographs.tulip import Tulip, fit_tulips, slot_deg
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

_LEAST_MM, _LEAST_DEG = (0.3, 0.25), (0.3, 0.15)
"""No pose is stated more certain than the first, and the second per millimetre that crests stand out: the two sides of
a thread are not the same."""

_TOGETHER = 2.0
"""Standard deviations are so many times those of the fit, which takes errors of a map for independent from screw to
screw and side to side. Measured, like the least ones above, on 40 simulated pairs that are neither trained on nor held
out: then 9 of 10 screws lie within their 95 %."""

_WORTH_SAYING_MM, _WORTH_SAYING_DEG = 1.5, 2.0
_POOR_PX = 3.0
_STEEP_DEG = 15.0


@dataclass(frozen=True, eq=False)
class PosedScrew:
    """One screw, RAS mm of the geometry's frame (view 1's, where the calibration was refined).

    Attributes
    ----------
    number, side, level:
        From head to feet, at each level left before right, from 1; side by where it stands in RAS.
    screw:
        ``entry`` is where the shaft begins below the head; sizes as given, or else as measured.
    covariance:
        (5, 5) of mid-shaft across u, across v and along (mm), and of the tilt towards u and v (degrees). Where the
        calibration was refined its uncertainty is in it; an unrefined one is taken as exact.
    frame:
        (3, 3) whose columns are u (as far cranial as possible), v and the direction; right-handed.
    roll_deg:
        None: a shaft is round, so two views do not tell how far it is turned about itself.
    tulip_axis:
        (3,) unit vector from the tulip to the shaft, or None where it cannot be told.
    slot_deg:
        Turn of the rod about ``tulip_axis`` from cranial, -90 to 90; None without neighbours on the side.
    sizes_given:
        Whether diameter and length are given ones.
    size_sd_mm:
        Standard deviations of measured diameter and length (of the fit, where sizes are given).
    residual_px:
        Root mean square distance of neck and tip in both views from where they are seen, pixels of the maps.
    seen:
        What belongs to it in each view.
    notes:
        One line each.
    """

    number: int
    side: Side
    level: int
    screw: Screw
    covariance: Floats
    frame: Floats
    roll_deg: None
    tulip_axis: Floats | None
    slot_deg: float | None
    sizes_given: bool
    size_sd_mm: tuple[float, float]
    residual_px: float
    seen: tuple[SeenScrew, SeenScrew]
    notes: tuple[str, ...]

    @property
    def middle(self) -> Floats:
        """(3,) mid-shaft, RAS mm."""
        return np.asarray((self.screw.entry + self.screw.tip) / 2)

    @property
    def sd(self) -> Floats:
        """(5,) standard deviations, as in ``covariance``."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))


def posed_screws(
    solved: Solved, maps: tuple[ScrewMaps, ScrewMaps], links: Links, sizes: Sizes
) -> tuple[PosedScrew, ...]:
    """The screws of a solution by their numbers."""
    state = solved.state
    where = places(state.necks, state.tips)
    directions = unit(state.tips - state.necks)
    tulips = fit_tulips(solved.views, maps, state.necks, directions)
    thread = crests(solved.views, maps, state)
    slots = _slots(tulips, [place.side for place in where])
    found = []
    for n, place in enumerate(where):
        frame = np.column_stack([*orthogonal_pair(directions[n], (0.0, 0.0, 1.0)), directions[n]])
        own = _widened(solved, n)
        covariance = _own_frame(own[:6, :6], frame, state.tips[n] - state.necks[n], float(thread.depth[n]))
        notes = _notes(solved, n, links, covariance, tulips[n])
        found.append(
            PosedScrew(
                place.number,
                place.side,
                place.level,
                _screw(solved, n, sizes[n], float(2 * thread.radii[n])),
                covariance,
                frame,
                None,
                tulips[n].axis,
                slots[n],
                sizes[n] is not None,
                _size_sd(own, directions[n]),
                float(solved.residual_px[n]),
                links[n],
                notes,
            )
        )
    return tuple(sorted(found, key=lambda one: one.number))


def _screw(solved: Solved, n: int, size: tuple[float, float] | None, diameter: float) -> Screw:
    """About the middle of the fit, which two ends tell best."""
    neck, tip = solved.state.necks[n], solved.state.tips[n]
    way = tip - neck
    length = size[1] if size is not None else float(np.linalg.norm(way))
    shape = ScrewShape(size[0] if size is not None else diameter, length, tip_taper_mm=min(5.0, length))
    return Screw((neck + tip) / 2 - length / 2 * unit(way), way, shape)


def _widened(solved: Solved, n: int) -> Floats:
    """(10, 10) of a screw, as wide as fits to a network's maps turn out to be; wider where its ends lie off."""
    off = max(1.0, float(solved.residual_px[n]) / _POOR_PX)
    return np.asarray((_TOGETHER * off) ** 2 * solved.covariance[n])


def _own_frame(covariance: Floats, frame: Floats, way: Floats, depth_mm: float) -> Floats:
    """(5, 5) from the (6, 6) of neck and tip, for a thread whose crests stand out by ``depth_mm``."""
    u, v, along = frame.T
    middle = np.hstack([np.eye(3), np.eye(3)]) / 2
    turn = np.degrees(np.hstack([-np.eye(3), np.eye(3)]) / np.linalg.norm(way))
    change = np.vstack([u @ middle, v @ middle, along @ middle, u @ turn, v @ turn])
    mm, degrees = (first + more * depth_mm for first, more in (_LEAST_MM, _LEAST_DEG))
    return np.asarray(change @ covariance @ change.T + np.diag([mm**2] * 3 + [degrees**2] * 2))


def _size_sd(covariance: Floats, direction: Floats) -> tuple[float, float]:
    length = np.concatenate([-direction, direction, np.zeros(len(covariance) - 6)])
    return float(2 * np.sqrt(covariance[6, 6])), float(np.sqrt(length @ covariance @ length))


def _slots(tulips: Sequence[Tulip], sides: Sequence[Side]) -> list[float | None]:
    """The rod runs from tulip to tulip on each side."""
    found: list[float | None] = []
    for n, one in enumerate(tulips):
        others = [each.centre for m, each in enumerate(tulips) if m != n and sides[m] == sides[n]]
        known = one.axis is not None and others
        found.append(slot_deg(one.axis, one.centre, np.array(others)) if one.axis is not None and known else None)
    return found


def _notes(solved: Solved, n: int, links: Links, covariance: Floats, head: Tulip) -> tuple[str, ...]:
    found = []
    sd = np.sqrt(np.diag(covariance))
    if sd[:3].max() > _WORTH_SAYING_MM or sd[3:].max() > _WORTH_SAYING_DEG:
        found.append(f"uncertain: 95 % within {2 * sd[:3].max():.1f} mm and {2 * sd[3:].max():.1f} degrees")
    for k, view in enumerate(solved.views):
        if sum(link[k] is links[n][k] for link in links) > 1:
            found.append(
                f"hides behind another screw in view {k + 1}: their places along that view's beam rest on the other"
            )
        if links[n][k].by_hand:
            found.append(f"its axis in view {k + 1} was placed by hand")
        if _steepness(view, solved, n) < _STEEP_DEG:
            found.append(f"seen nearly end-on in view {k + 1}")
        for end, guess in zip(("neck", "tip"), links[n][k].guessed_px, strict=True):
            if guess:
                found.append(f"its {end} is hidden in view {k + 1} and was guessed from the other end: look at it")
    seen = not any(guess for one in links[n] for guess in one.guessed_px)
    if seen and solved.residual_px[n] > _POOR_PX:
        found.append(f"neck and tip lie {solved.residual_px[n]:.1f} pixels from where they are seen: look at the match")
    if head.note:
        found.append(head.note)
    return tuple(found)


def _steepness(view: View, solved: Solved, n: int) -> float:
    """Degrees between the shaft and the ray to its middle."""
    middle = (solved.state.necks[n] + solved.state.tips[n]) / 2
    angle = angle_deg(middle - view.source, solved.state.tips[n] - solved.state.necks[n])
    return min(angle, 180.0 - angle)
