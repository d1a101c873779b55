"""What is drawn for a training case: who the patient is, and the shape of every vertebra.

Thoracic rows continue ``morphometry.MEANS`` upwards (Panjabi 1991 and Zindrick 1987 type values). Men are larger than
women (5-15 %), marrow falls by 2.5 HU a year (Jang 2019). ``TRAINING`` and ``HELD_OUT`` say from which ranges shapes
and textures come: they do not overlap, so that figures on held-out cases are not figures on the training's own shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinescrew.anatomy.levels import Level
from spinescrew.phantoms.morphometry import DEGREES_SD, MEANS, SHARE_SD, VertebraSizes, clipped_normal

Range = tuple[float, float]

TRAINED_LEVELS = (Level.T8, Level.T9, Level.T10, Level.T11, *MEANS)

_THORACIC = {
    Level.T8: VertebraSizes(30.0, 27.9, 19.0, 17.6, 16.4, 5.9, 12.5, 8, -10, 21, 36, 4.0, -4.5),
    Level.T9: VertebraSizes(31.8, 29.3, 19.6, 17.9, 16.2, 6.1, 13.4, 8, -9, 20, 34, 4.2, -4.0),
    Level.T10: VertebraSizes(33.6, 30.5, 20.4, 18.2, 15.7, 6.4, 14.4, 5, -8, 18, 31, 4.6, -3.5),
    Level.T11: VertebraSizes(37.0, 31.9, 21.5, 19.4, 16.1, 7.6, 15.8, 1, -7, 14, 28, 5.2, -2.0),
}
_ALL_MEANS = {**_THORACIC, **MEANS}


@dataclass(frozen=True)
class Manner:
    """The ranges shapes are drawn from: lengths in mm, densities in HU."""

    warp_sizes: tuple[Range, Range]
    warp_amounts: tuple[Range, Range]
    exponent: Range
    rough: tuple[Range, Range]
    trabecula: Range
    kernels: tuple[str, ...]


TRAINING = Manner(
    warp_sizes=((32.0, 60.0), (8.0, 15.0)),
    warp_amounts=((1.0, 3.2), (0.25, 0.8)),
    exponent=(2.15, 3.0),
    rough=((3.0, 6.0), (0.1, 0.5)),
    trabecula=(1.2, 2.6),
    kernels=("soft", "standard", "bone"),
)
HELD_OUT = Manner(
    warp_sizes=((22.0, 30.0), (16.0, 20.0)),
    warp_amounts=((1.2, 2.2), (0.4, 0.9)),
    exponent=(3.05, 3.5),
    rough=((7.0, 9.0), (0.25, 0.55)),
    trabecula=(2.8, 3.6),
    kernels=("box", "ringing"),
)


@dataclass(frozen=True)
class Build:
    """One vertebra beyond its ``sizes``. Lengths in mm, angles in degrees, pairs are (upper, lower) or (left, right).

    ``loss`` is the height a fracture took in front and in the middle, ``slip`` how far forward the vertebra stands on
    the one below, ``tilt`` and ``turn`` its coronal tilt and axial rotation against it, ``gap`` the width of the joint
    below, ``reach`` how far its superior articular processes stand above the endplate, ``overgrowth`` the size of its
    articular processes, ``fused`` how far its transverse processes have become sacral ala (0 to 1).
    """

    sizes: VertebraSizes
    exponent: float
    waist: float
    hollow: tuple[float, float]
    facet_deg: tuple[float, float]
    uneven: tuple[float, float]
    loss: tuple[float, float] = (0.0, 0.0)
    lip: float = 0.0
    lip_phase: tuple[float, float] = (0.0, 0.0)
    slip: float = 0.0
    tilt: float = 0.0
    turn: float = 0.0
    gap: float = 1.8
    reach: float = 10.0
    overgrowth: float = 1.0
    fused: float = 0.0


@dataclass(frozen=True)
class Trait:
    """Something special about a patient; ``levels`` are where it is, none where it is everywhere."""

    name: str
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True)
class Patient:
    """A spine to be built: its vertebrae from the head down, and the densities of its bone.

    Attributes
    ----------
    marrow, cortex:
        HU of trabecular and of compact bone.
    cortex_mm:
        Thickness of the cortex of bodies and of arches.
    vacuum:
        Levels whose disc below holds gas.
    """

    female: bool
    age: float
    builds: dict[Level, Build]
    slope_deg: float
    marrow: float
    cortex: float
    cortex_mm: tuple[float, float]
    vacuum: frozenset[Level] = frozenset()
    traits: tuple[Trait, ...] = ()

    @property
    def levels(self) -> tuple[Level, ...]:
        """From the head down; the last one is the sacrum."""
        return tuple(self.builds)

    def changed(self, level: Level, **values: object) -> Patient:
        """This patient with other values in the build of one vertebra."""
        return replace(self, builds={**self.builds, level: replace(self.builds[level], **values)})  # type: ignore[arg-type]

    def resized(self, level: Level, **sizes: float) -> Patient:
        """This patient with other sizes of one vertebra."""
        return self.changed(level, sizes=replace(self.builds[level].sizes, **sizes))

    def having(self, name: str, *levels: Level) -> Patient:
        """This patient with one more trait to its name."""
        return replace(self, traits=(*self.traits, Trait(name, levels)))


def draw_patient(random: np.random.Generator, manner: Manner = TRAINING) -> Patient:
    """A patient T8-S1 without any pathology."""
    female = bool(random.random() < 0.5)
    age = float(random.uniform(18.0, 88.0))
    factor = (0.955 if female else 1.045) * (1.0 + 0.055 * clipped_normal(random))
    tall = float(random.uniform(1.0, 1.14))
    builds = {level: draw_build(level, factor, tall, random, manner) for level in TRAINED_LEVELS}
    marrow = np.clip(226.0 - 2.1 * max(age - 25.0, 0.0) + 32.0 * clipped_normal(random), 95.0, 320.0)
    thick = random.uniform(0.5, 1.15)
    return Patient(
        female=female,
        age=age,
        builds=builds,
        slope_deg=38.0 + 7.0 * clipped_normal(random),
        marrow=float(marrow),
        cortex=float(random.uniform(850.0, 1350.0)),
        cortex_mm=(0.65 * thick, 1.15 * thick),
        traits=(Trait("female" if female else "male"),),
    )


def draw_build(
    level: Level, factor: float, tall: float, random: np.random.Generator, manner: Manner, like: Level | None = None
) -> Build:
    """One vertebra of a patient whose size is ``factor``; its means are those of ``like`` where given."""
    mean = _ALL_MEANS[like or level]
    drawn = {}
    for name in VertebraSizes.__dataclass_fields__:
        value = float(getattr(mean, name))
        if name in SHARE_SD:
            value *= factor * (1.0 + SHARE_SD[name] * clipped_normal(random))
        else:
            value += DEGREES_SD[name] * clipped_normal(random)
        drawn[name] = value
    # Panjabi's are heights of the posterior wall: lumbar bodies are taller in the middle.
    drawn["height"] *= tall * (1.07 if Level.L1 <= level < Level.S1 else 1.0)
    return Build(
        sizes=VertebraSizes(**drawn),
        exponent=float(random.uniform(*manner.exponent)),
        waist=float(random.uniform(0.04, 0.13)),
        hollow=(float(random.uniform(0.4, 2.2)), float(random.uniform(0.6, 2.8))),
        facet_deg=tuple(_facet_angle(like or level) + 7.0 * clipped_normal(random) for _ in range(2)),  # type: ignore[arg-type]
        uneven=tuple(1.0 + 0.06 * clipped_normal(random) for _ in range(2)),  # type: ignore[arg-type]
        lip=float(random.uniform(0.0, 0.8)),
        lip_phase=tuple(random.uniform(0.0, 2 * np.pi, 2)),
        tilt=1.2 * clipped_normal(random),
        turn=1.2 * clipped_normal(random),
        gap=float(random.uniform(1.3, 2.2)),
        # Under lordosis the pedicle above comes down on the process.
        reach={Level.L4: 9.0, Level.L5: 7.0, Level.L6: 6.5, Level.S1: 5.0}.get(level, 10.0),
    )


def _facet_angle(level: Level) -> float:
    """Of the joint with the vertebra above, from the mid-sagittal plane (Masharawi 2004)."""
    known = {Level.T12: 68.0, Level.L1: 32.0, Level.L2: 32.0, Level.L3: 38.0, Level.L4: 44.0, Level.L5: 48.0}
    return known.get(level, 52.0 if level >= Level.L6 else 70.0)
