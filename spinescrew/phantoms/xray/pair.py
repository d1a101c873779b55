"""Two radiographs of one construct with everything that is true of them: what pose estimation is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw
from spinescrew.phantoms.xray.construct import Construct, draw_construct
from spinescrew.phantoms.xray.patient import XrayPatient, make_patient
from spinescrew.phantoms.xray.shot import Backdrop, Shot, shoot
from spinescrew.radiographs.beyond import beyond
from spinescrew.radiographs.c_arm import from_c_arm, perturbed
from spinescrew.radiographs.detector import opened
from spinescrew.radiographs.exposure import Style, draw_exposure
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.thickness import thickness
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

PIXEL_MM, PIXELS = 0.388, 768
"""Of the detector: that of a mobile C-arm, binned by two."""

MOST_SCREWS = 8
MOST_OBLIQUE_DEG = 35.0
"""How far the first view is turned from AP at most: straight from behind, heads hide most of the shafts."""

HIGHEST = Level.T10
"""Above it a view would show where the simulated trunk ends."""

_STREAM = 7003
_COARSE = 2
_SHUTTERS = 30


@dataclass(frozen=True, eq=False)
class XrayPair:
    """Two shots of one construct.

    Attributes
    ----------
    shots:
        AP-like and lateral-like; their views are true.
    given:
        The two views as a calibration with errors would give them; the true ones where it has none.
    ct, labels:
        The patient without implants; labels (VerSe ids) where they are known.
    """

    shots: tuple[Shot, Shot]
    given: tuple[View, View]
    ct: Volume
    labels: Volume | None = None

    @property
    def radiographs(self) -> tuple[Radiograph, Radiograph]:
        """The two images."""
        return self.shots[0].radiograph, self.shots[1].radiograph

    @property
    def true_views(self) -> tuple[View, View]:
        """Where they were really taken."""
        return self.shots[0].view, self.shots[1].view

    @property
    def construct(self) -> Construct:
        """What both show."""
        return self.shots[0].construct

    @property
    def screws(self) -> tuple[Screw, ...]:
        """Where its shafts stand, RAS of the true views."""
        return tuple(each.screw for each in self.construct.implants)


def held_out_pair(
    seed: int, style: str, *, error: tuple[float, float] = (0.0, 0.0), between_deg: float | None = None
) -> XrayPair:
    """A construct of two to eight screws in a spine of shapes that training never draws.

    Parameters
    ----------
    style:
        ``"clean"`` or ``"realistic"``; patient, construct and views of a seed are the same for both.
    error:
        Of the calibration of each view: degrees about the isocentre, and mm of the source.
    between_deg:
        Angle between the views; that of a usual AP and lateral when left out.
    """
    patient = _held_out_patient(seed)
    screws = {key: screw for key, screw in patient.screws.items() if key[0] >= HIGHEST}
    return pair_of(patient.ct, screws, seed, style, error=error, between_deg=between_deg, labels=patient.labels)


@lru_cache(maxsize=1)
def _held_out_patient(seed: int) -> XrayPatient:
    """Kept for the other style of the same seed."""
    return make_patient(seed, held_out=True)


def pair_of(
    ct: Volume,
    screws: Mapping[tuple[Level, Side], Screw],
    seed: int,
    style: str,
    *,
    error: tuple[float, float] = (0.0, 0.0),
    between_deg: float | None = None,
    labels: Volume | None = None,
    cut: bool = False,
) -> XrayPair:
    """The pair of any CT into which a hand puts screws about where ``screws`` are; see :func:`held_out_pair`.

    ``cut`` tells that the field of view cuts the patient: the beam then meets a guess of the tissue around it.
    """
    around = beyond(ct) if cut else None
    anatomy, stand, light = (np.random.default_rng([seed, _STREAM, n]) for n in range(3))
    construct = draw_construct(screws, anatomy, most=MOST_SCREWS)
    views = _views(construct, stand, between_deg)
    shots = [_shot(ct, around, view, construct, style, light) for view in views]
    given = tuple(perturbed(view, *error, stand, construct.centre) if any(error) else view for view in views)
    return XrayPair((shots[0], shots[1]), (given[0], given[1]), ct, labels)


def _shot(
    ct: Volume, around: Volume | None, view: View, construct: Construct, style: str, random: np.random.Generator
) -> Shot:
    """A radiograph whose shutter leaves the screws open, as a radiographer sets it."""
    ends = [end for each in construct.implants for end in (each.screw.entry, each.screw.tip)]
    column, row = np.rint(view.project(ends)).astype(int).clip(0, PIXELS - 1).T
    exposure = draw_exposure(random, _style(style))
    for _ in range(_SHUTTERS):
        if opened(view.shape, exposure.shutter)[row, column].min() > 0.5:
            break
        exposure = replace(exposure, shutter=draw_exposure(random, _style(style)).shutter)
    else:
        exposure = replace(exposure, shutter=None)
    behind = thickness(view.binned(_COARSE), ct, beyond=around).resampled(view)
    return shoot(Backdrop(view, behind), construct, exposure, random)


def _style(name: str) -> Style:
    for style in get_args(Style):
        if style == name:
            return cast(Style, style)
    raise InputError(f"no style '{name}' of radiographs; choose {' or '.join(get_args(Style))}")


def _views(construct: Construct, random: np.random.Generator, between_deg: float | None) -> tuple[View, View]:
    """An AP or an oblique one, which shows more of the shafts, and one about at right angles to it."""
    orbital = float(random.uniform(-MOST_OBLIQUE_DEG, MOST_OBLIQUE_DEG))
    tilts = np.clip(random.normal(0.0, 6.0, 2), -14, 14)
    turn = float(np.clip(random.normal(85.0, 8.0), 65, 105)) if between_deg is None else between_deg
    turn *= float(random.choice([-1.0, 1.0]))
    centres = construct.centre + random.normal(size=(2, 3)) * 5.0
    shape = (PIXELS, PIXELS)
    first = from_c_arm(orbital, float(tilts[0]), centres[0], pixel_mm=PIXEL_MM, shape=shape)
    second = from_c_arm(orbital + turn, float(tilts[1]), centres[1], pixel_mm=PIXEL_MM, shape=shape)
    return first, second
