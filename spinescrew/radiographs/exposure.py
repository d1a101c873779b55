"""Radiographs of simulated shots: from masses along the rays to grey values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import GeometryError, InputError
from spinescrew.radiographs.detector import (
    Shutter,
    blurred,
    lost_at_the_edge,
    metered,
    opened,
    quantum_noise,
    scattered,
)
from spinescrew.radiographs.foreign import FOREIGN, foreign_metal
from spinescrew.radiographs.overlays import OVERLAYS, burn_in
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.spectrum import Metal, displaced, transmission
from spinescrew.radiographs.thickness import Thickness
from spinescrew.radiographs.view import View

Map = NDArray[np.float32]
Style = Literal["clean", "realistic"]

_HARDENED_G_CM2 = 20.0
"""Tissue that the beam has crossed where foreign metal is in its way."""

_NEVER = float("inf")


@dataclass(frozen=True)
class Exposure:
    """Everything of one shot but the patient and the geometry. Lengths are millimetres at the detector.

    Attributes
    ----------
    style:
        ``"clean"`` or ``"realistic"``; a name only, the other attributes do it.
    kilovolts:
        Tube voltage.
    metal:
        What the implants are made of.
    photons_per_mm2:
        Detected quanta where the automatic exposure looks; infinite: no quantum noise.
    electronic:
        Standard deviation of the detector's own noise, as a share of the light there.
    scatter_ratio, scatter_mm:
        Scatter over primary there, and the standard deviation of its spread.
    glare, glare_mm:
        Share of all light that the detector spreads, and how far.
    focus_mm, detector_mm:
        Standard deviations of the blur by the focal spot, and by the detector (which the noise has seen too).
    vignetting, heel:
        See :func:`spinescrew.radiographs.detector.lost_at_the_edge`.
    shutter:
        ``None``: the whole detector is open.
    foreign:
        Names of :data:`spinescrew.radiographs.foreign.FOREIGN`, drawn one after the other.
    scale:
        ``"log"``: grey values follow the mass (after digital processing); ``"linear"``: the light.
    compression, sharpening, sharpening_mm:
        How much of the broad differences is taken away, and how much the fine ones are raised.
    saturation:
        Most light that the detector tells, as a multiple of the light where the automatic exposure looks.
    floor:
        Least light that is shown apart from none, as a share of that: what lies behind metal is lost below it.
    window:
        Shares of the values in the field below black and above white; they saturate.
    gamma:
        Exponent on the grey values after windowing, dense bright.
    bright_is_dense:
        Whether dense things are shown bright.
    bits:
        Of a grey value, 8 to 16.
    overlays:
        Names of :data:`spinescrew.radiographs.overlays.OVERLAYS`.

    Raises
    ------
    InputError
        If a name is unknown or the depth is none.
    """

    style: Style = "clean"
    kilovolts: float = 80.0
    metal: Metal = "titanium"
    photons_per_mm2: float = _NEVER
    electronic: float = 0.0
    scatter_ratio: float = 0.0
    scatter_mm: float = 45.0
    glare: float = 0.0
    glare_mm: float = 20.0
    focus_mm: float = 0.1
    detector_mm: float = 0.15
    vignetting: float = 0.0
    heel: tuple[float, float] = (0.0, 0.0)
    shutter: Shutter | None = None
    foreign: tuple[str, ...] = ()
    scale: Literal["log", "linear"] = "log"
    compression: float = 0.0
    sharpening: float = 0.0
    sharpening_mm: float = 1.0
    saturation: float = 8.0
    floor: float = 0.03
    window: tuple[float, float] = (0.001, 0.001)
    gamma: float = 1.0
    bright_is_dense: bool = True
    bits: int = 12
    overlays: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.foreign:
            if name not in FOREIGN:
                raise InputError(f"no foreign metal '{name}'; choose from {', '.join(FOREIGN)}")
        for name in self.overlays:
            if name not in OVERLAYS:
                raise InputError(f"no overlay '{name}'; choose from {', '.join(OVERLAYS)}")
        if not 8 <= self.bits <= 16:
            raise InputError(f"grey values have 8 to 16 bits, not {self.bits}")


def draw_exposure(random: np.random.Generator, style: Style = "clean") -> Exposure:
    """A shot as it may be: ``"clean"`` with hardly any noise, ``"realistic"`` as an operating theatre makes them.

    Raises
    ------
    InputError
        If the style is none.
    """
    if style == "clean":
        return _draw_clean(random)
    if style != "realistic":
        raise InputError(f"no style '{style}' of radiographs; choose clean or realistic")
    return _draw_realistic(random)


def expose(thickness: Thickness, metal_mm: Map | None, exposure: Exposure, random: np.random.Generator) -> Radiograph:
    """The picture of one shot.

    Metal takes the place of muscle of the same length: screws lie in marrow and tulips in muscle, whose densities are
    near; bone that a screw displaces is not taken away. Foreign metal displaces nothing.

    Parameters
    ----------
    metal_mm:
        float32 (rows, columns), length of each ray in implants; ``None``: none.
    random:
        Foreign metal is drawn from it first: ``foreign_metal(thickness.view, exposure.foreign, same)`` tells where it
        lies if ``same`` begins alike.

    Returns
    -------
    Radiograph
        Whole grey values from 0 to ``2**bits - 1`` on the thickness's view.

    Raises
    ------
    GeometryError
        If the metal has another size than the thickness.
    """
    view = thickness.view
    if metal_mm is None:
        metal_mm = np.zeros(view.shape, np.float32)
    if metal_mm.shape != view.shape:
        raise GeometryError(f"metal of {metal_mm.shape} on a view of {view.shape}; follow the same rays through both")
    open_part = opened(view.shape, exposure.shutter)
    light, meter = _light(thickness, metal_mm, open_part, exposure, random)
    grey = _grey(light, open_part, meter, exposure, float(view.pixel_mm.mean()))
    top = 2**exposure.bits - 1
    pixels = np.rint(grey * np.float32(top))
    burn_in(pixels, float(top), exposure.overlays, random)
    return Radiograph(
        pixels,
        exposure.bright_is_dense,
        pixel_mm=view.pixel_mm.copy(),
        spacing_kind="detector",
        source_detector_mm=view.source_detector_mm,
        view=view.name,
        orientation=_orientation(view),
    )


def _light(
    thickness: Thickness, metal_mm: Map, open_part: Map, exposure: Exposure, random: np.random.Generator
) -> tuple[Map, float]:
    """What the detector tells (any scale), and its mean where the automatic exposure looks."""
    shape, pixel_mm = thickness.view.shape, float(thickness.view.pixel_mm.mean())
    soft = displaced(thickness.soft, metal_mm)
    primary = transmission(soft, thickness.bone, metal_mm, kilovolts=exposure.kilovolts, metal=exposure.metal)
    if exposure.foreign:
        heavy = foreign_metal(thickness.view, exposure.foreign, random)
        hit = heavy > 0
        left = transmission(_HARDENED_G_CM2, 0.0, heavy[hit], kilovolts=exposure.kilovolts, metal="steel")
        primary[hit] *= left / transmission(_HARDENED_G_CM2, 0.0, kilovolts=exposure.kilovolts)
    field = metered(shape, open_part)
    light = primary * open_part
    if exposure.vignetting or any(exposure.heel):
        light *= lost_at_the_edge(shape, exposure.vignetting, exposure.heel)
    light *= np.float32(1.0) / _middle(light[field])
    if exposure.scatter_ratio > 0:
        spread = scattered(light, soft + thickness.bone, exposure.scatter_mm / pixel_mm)
        light += spread * np.float32(exposure.scatter_ratio / _middle(spread[field]))
    if exposure.glare > 0:
        light += np.float32(exposure.glare) * (blurred(light, exposure.glare_mm / pixel_mm) - light)
    light = blurred(light, exposure.focus_mm / pixel_mm)
    meter = _middle(light[field])
    if np.isfinite(exposure.photons_per_mm2):
        light = quantum_noise(light, exposure.photons_per_mm2 * pixel_mm**2 / meter, random)
    light = blurred(light, exposure.detector_mm / pixel_mm)
    if exposure.electronic > 0:
        light = light + np.float32(exposure.electronic * meter) * random.standard_normal(shape, dtype=np.float32)
    return light, meter


def _middle(values: Map) -> float:
    """The median, which neither metal nor the open beam moves much; positive."""
    return max(float(np.median(values[::4, ::4])), 1e-12)


def _grey(light: Map, open_part: Map, meter: float, exposure: Exposure, pixel_mm: float) -> Map:
    """Grey values 0-1 as they are shown."""
    light = np.clip(light, np.float32(exposure.floor * meter), np.float32(exposure.saturation * meter))
    dense = -np.log(light) if exposure.scale == "log" else -light
    if exposure.compression > 0:
        dense = dense - np.float32(exposure.compression) * blurred(dense, 12.0 / pixel_mm)
    if exposure.sharpening > 0:
        fine = dense - blurred(dense, exposure.sharpening_mm / pixel_mm)
        dense = dense + np.float32(exposure.sharpening) * fine
    sample, seen = dense[::3, ::3], open_part[::3, ::3] > 0.5
    low, high = np.quantile(sample[seen] if seen.any() else sample, (exposure.window[0], 1.0 - exposure.window[1]))
    grey = np.clip((dense - np.float32(low)) * np.float32(1.0 / max(float(high - low), 1e-6)), 0.0, 1.0)
    if exposure.gamma != 1.0:
        grey = grey ** np.float32(exposure.gamma)
    if exposure.shutter is not None and exposure.shutter.leaves != "lead":
        blank = np.float32({"dense": 1.0, "bare": 0.0, "grey": 0.5}[exposure.shutter.leaves])
        grey = np.where(open_part > 0.5, grey, blank)
    return grey if exposure.bright_is_dense else np.float32(1.0) - grey


def _orientation(view: View) -> tuple[str, str]:
    """Letters of the directions that the right and the lower edge are nearest to."""
    letters = []
    for direction in (view.right, view.down):
        axis = int(np.abs(direction).argmax())
        letters.append(("RL", "AP", "HF")[axis][0 if direction[axis] > 0 else 1])
    return letters[0], letters[1]


def _draw_clean(random: np.random.Generator) -> Exposure:
    log = bool(random.random() < 0.7)
    return Exposure(
        style="clean",
        kilovolts=float(random.integers(60, 121)),
        metal="titanium" if random.random() < 0.75 else "steel",
        photons_per_mm2=float(10 ** random.uniform(4.7, 5.7)),
        scatter_ratio=float(random.uniform(0.0, 0.3)),
        focus_mm=float(random.uniform(0.05, 0.15)),
        detector_mm=float(random.uniform(0.1, 0.25)),
        scale="log" if log else "linear",
        saturation=float(random.uniform(3.0, 10.0)),
        floor=float(10 ** random.uniform(-1.9, -0.9)),
        window=(float(random.uniform(0.0, 0.01)), float(random.uniform(0.0, 0.005))),
        gamma=_drawn_gamma(log, random),
        bright_is_dense=bool(random.random() < 0.5),
        bits=int(random.choice([12, 14, 16])),
    )


def _drawn_gamma(log: bool, random: np.random.Generator) -> float:
    """On light itself bone and air need the wider part of the grey scale."""
    return float(random.uniform(0.75, 1.35) if log else random.uniform(1.3, 3.0))


def _draw_realistic(random: np.random.Generator) -> Exposure:
    log, grid, enhanced = random.random(3) < (0.6, 0.65, 0.6)
    processed = random.random() < 0.5
    return Exposure(
        style="realistic",
        kilovolts=float(random.integers(60, 121)),
        metal=str(random.choice(["titanium", "steel", "cobalt-chrome"], p=[0.7, 0.2, 0.1])),  # type: ignore[arg-type]
        photons_per_mm2=float(10 ** random.uniform(3.2, 4.7)),
        electronic=float(10 ** random.uniform(-3.0, -2.0)),
        scatter_ratio=float(random.uniform(0.2, 1.0) if grid else random.uniform(1.0, 4.0)),
        scatter_mm=float(random.uniform(30.0, 60.0)),
        glare=float(random.uniform(0.0, 0.2)),
        glare_mm=float(random.uniform(5.0, 40.0)),
        focus_mm=float(random.uniform(0.05, 0.45)),
        detector_mm=float(10 ** random.uniform(-1.0, -0.2)),
        vignetting=float(random.uniform(0.0, 0.5)),
        heel=(float(random.uniform(-0.12, 0.12)), float(random.uniform(-0.12, 0.12))),
        shutter=_drawn_shutter(random),
        foreign=_drawn_foreign(random),
        scale="log" if log else "linear",
        compression=float(random.uniform(0.2, 0.7)) if processed else 0.0,
        sharpening=float(10 ** random.uniform(-0.7, 0.3)) if enhanced else 0.0,
        sharpening_mm=float(random.uniform(0.5, 3.0)),
        saturation=float(random.uniform(2.0, 10.0)),
        floor=float(10 ** random.uniform(-2.0, -0.7)),
        window=(float(random.choice([0.001, 0.01, 0.05])), float(10 ** random.uniform(-3.0, -1.3))),
        gamma=_drawn_gamma(bool(log), random),
        bright_is_dense=bool(random.random() < 0.4),
        bits=int(random.choice([8, 10, 12, 16])),
        overlays=tuple(name for name in OVERLAYS if random.random() < _OVERLAY_SHARE[name]),
    )


_OVERLAY_SHARE = {"letter": 0.3, "numbers": 0.35, "crosshair": 0.08, "frame": 0.08, "scale": 0.1, "line": 0.06}


def _drawn_foreign(random: np.random.Generator) -> tuple[str, ...]:
    count = min(int(random.poisson(1.3)), 5)
    return tuple(str(name) for name in random.choice(list(FOREIGN), count))


def _drawn_shutter(random: np.random.Generator) -> Shutter | None:
    shape = str(random.choice(["none", "rectangle", "round", "iris"], p=[0.3, 0.25, 0.3, 0.15]))
    if shape == "none":
        return None
    across = float(random.uniform(0.7, 1.05))
    down = float(random.uniform(0.7, 1.05)) if shape == "rectangle" else across
    leaves = "lead" if shape != "round" and random.random() < 0.6 else random.choice(["dense", "bare", "grey"])
    return Shutter(
        shape,  # type: ignore[arg-type]
        centre=(float(random.uniform(-0.08, 0.08)), float(random.uniform(-0.08, 0.08))),
        half=(across, down),
        tilt_deg=float(random.uniform(-20, 20)) if random.random() < 0.4 else 0.0,
        leaves=str(leaves),  # type: ignore[arg-type]
    )
