"""Simulated patients before the plain-film stand: front and side of the same spine, ready for constructs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.implants.screw import Screw
from spinescrew.phantoms.xray.patient import XrayPatient, make_patient
from spinescrew.phantoms.xray.shot import Backdrop, backdrop, draw_view
from spinescrew.radiographs.c_arm import from_c_arm
from spinescrew.radiographs.detector import opened
from spinescrew.radiographs.exposure import Exposure, draw_exposure
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]
Random = np.random.Generator

TRAINING, HELD_OUT, EXTERNAL = MANNERS = ("training", "held out", "external")
"""How scenes are made: spines of the training's shapes; spines that it never draws; those, and other geometry, exposure
and blur than training knows."""

COARSE_MM, FILM_MM = 1.2, 360.0
"""Step at which the beam is followed through the patient, which has no finer detail, and the film's side."""

SPACING_MM = 2.4
_ON_FILMS = ("wire", "clips", "staples", "electrode", "markers", "rail")
"""Foreign metal outside the theatre."""

_NO_OVERLAYS = ("crosshair",)
_STREAM = 7011
_SHUTTERS = 30


@dataclass(frozen=True, eq=False)
class BrandScene:
    """One patient without implants as two films see him.

    Attributes
    ----------
    backdrops:
        From the front (or behind) and from the side, on a coarse grid; see :func:`fine_view`.
    screws:
        Where a plan would put them, by level and side.
    """

    seed: int
    manner: str
    backdrops: tuple[Backdrop, Backdrop]
    screws: dict[tuple[Level, Side], Screw]


def make_scenes(
    seed: int, manner: str = TRAINING, count: int = 1, *, spacing_mm: float = SPACING_MM
) -> list[BrandScene]:
    """Several pairs of views of one patient; the patient takes the time, a pair of views little.

    Raises
    ------
    InputError
        If there is no such manner.
    """
    if manner not in MANNERS:
        raise InputError(f"scenes are made for {', '.join(MANNERS)}, not for '{manner}'")
    patient = make_patient(seed, held_out=manner != TRAINING, spacing_mm=spacing_mm)
    random = np.random.default_rng([seed, _STREAM, MANNERS.index(manner)])
    return [_scene(patient, manner, random) for _ in range(count)]


def _scene(patient: XrayPatient, manner: str, random: Random) -> BrandScene:
    """Both views look at one place between the second lumbar vertebra and the sacrum, or what there is."""
    entries = [screw.entry for (level, _), screw in patient.screws.items() if level >= Level.L2]
    entries = entries or [screw.entry for screw in patient.screws.values()]
    place = entries[int(random.integers(len(entries)))] * (0.0, 1.0, 1.0)
    behind = [backdrop(patient.ct, _view(kind, place, manner, random)) for kind in ("ap", "lateral")]
    return BrandScene(patient.seed, manner, (behind[0], behind[1]), patient.screws)


def _view(kind: str, place: Floats, manner: str, random: Random) -> View:
    if manner != EXTERNAL:
        return draw_view(f"film {kind}", place, random, pixel_mm=COARSE_MM, square_mm=FILM_MM)
    side = round(FILM_MM / COARSE_MM)
    near = random.random() < 0.5
    distance = float(random.uniform(850, 950) if near else random.uniform(1300, 1900))
    share = float(random.uniform(0.78, 0.84) if near else random.uniform(0.84, 0.93))
    turned = 16.0 * _normal(random) + (180.0 * int(random.random() < 0.5) if kind == "ap" else 0.0)
    if kind == "lateral":
        turned = float(random.choice([-90.0, 90.0])) + 12.0 * _normal(random)
    middle = place + random.normal(size=3) * (12.0, 12.0, 16.0)
    return from_c_arm(
        turned, 9.0 * _normal(random), middle, sdd_mm=distance, sid_mm=share * distance, pixel_mm=COARSE_MM,
        shape=(side, side),
    )  # fmt: skip


def draw_film(random: Random, manner: str = TRAINING) -> Exposure:
    """An exposure of a plain film, now and then a clean one: leaves of a bucky are straight, where there are any."""
    drawn = draw_exposure(random, "clean" if random.random() < 0.2 else "realistic")
    straight = drawn.shutter is not None and drawn.shutter.shape == "rectangle"
    foreign = tuple(name for name in drawn.foreign if name in _ON_FILMS)
    overlays = tuple(name for name in drawn.overlays if name not in _NO_OVERLAYS)
    drawn = replace(drawn, shutter=drawn.shutter if straight else None, foreign=foreign, overlays=overlays)
    return _harder(drawn, random) if manner == EXTERNAL else drawn


def _harder(drawn: Exposure, random: Random) -> Exposure:
    """Softer, noisier, foggier, at other voltages and processed otherwise than any exposure of training."""
    return replace(
        drawn,
        style="realistic",
        kilovolts=float(random.choice([random.integers(52, 60), random.integers(121, 131)])),
        photons_per_mm2=float(10 ** random.uniform(3.1, 4.1)),
        electronic=float(10 ** random.uniform(-2.6, -1.9)),
        scatter_ratio=float(random.uniform(1.0, 5.0)),
        glare=float(random.uniform(0.1, 0.3)),
        focus_mm=float(random.uniform(0.2, 0.5)),
        detector_mm=float(random.uniform(0.3, 0.75)),
        compression=float(random.uniform(0.5, 0.85)),
        sharpening=float(random.uniform(0.5, 3.0)),
        sharpening_mm=float(random.uniform(0.7, 4.0)),
        saturation=max(drawn.saturation, 4.0),
        bits=8,
    )


def lit_film(view: View, ends: Floats, random: Random, manner: str) -> Exposure:
    """An exposure whose leaves stay off the pixels nearest to points (n, 3) RAS, as a radiographer sets them."""
    column, row = np.rint(view.project(ends)).astype(int).clip(0, np.array(view.shape[::-1]) - 1).T
    drawn = draw_film(random, manner)
    for _ in range(_SHUTTERS):
        if opened(view.shape, drawn.shutter)[row, column].min() > 0.5:
            return drawn
        drawn = replace(drawn, shutter=draw_film(random, manner).shutter)
    return replace(drawn, shutter=None)


def fine_view(view: View, pixel_mm: float, low: Floats | None = None, high: Floats | None = None) -> View:
    """A finer grid on the detector of ``view``: all of it, or from pixel ``low`` to ``high`` (column, row) of it."""
    first = np.full(2, -0.5) if low is None else np.asarray(low, dtype=np.float64)
    last = np.array(view.shape[::-1]) - 0.5 if high is None else np.asarray(high, dtype=np.float64)
    columns, rows = np.maximum(np.rint((last - first) * view.pixel_mm / pixel_mm), 1).astype(int)
    corner = view.on_detector(first + 0.5 * pixel_mm / view.pixel_mm)
    return replace(view, detector_origin=corner, pixel_mm=np.full(2, pixel_mm), shape=(int(rows), int(columns)))


def _normal(random: Random) -> float:
    return float(np.clip(random.normal(), -2.5, 2.5))
