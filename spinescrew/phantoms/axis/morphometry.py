"""Sizes of the axis (C2) of one patient, drawn from published morphometry.

Sources: Naderi 2004 (pediculoisthmic component: height 10.1, length 28.8), Eur Spine J 2012 (narrowest section, outer:
6.9 wide, 11.6 high), Xu 1995 and Naderi (angles 28-33 medial, 19-23 cranial), Gosavi 2012 and Teo (body 14.8 deep, 21.4
high behind; dens 15-18 high, 9.3 wide), N. India 2014 (foramen 5.1 by 6). Canal, body width and depth of the dens are
working values. High-riding arteries: Klepinowski 2021 (16.7 % of sides), medial ones: 20.8 % of patients (Turkey).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.errors import InputError
from spinescrew.phantoms.morphometry import clipped_normal
from spinescrew.phantoms.variation import HELD_OUT, TRAINING, Manner

Variant = Literal["usual", "narrow", "absent", "asymmetric", "high-riding", "medialised", "osteoporosis"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)

AXIS_TRAINING = replace(
    TRAINING,
    warp_sizes=((28.0, 50.0), (9.0, 15.0)),
    warp_amounts=((0.6, 1.8), (0.1, 0.4)),
    rough=((3.0, 6.0), (0.05, 0.2)),
)
AXIS_HELD_OUT = replace(
    HELD_OUT,
    warp_sizes=((20.0, 26.0), (16.0, 20.0)),
    warp_amounts=((0.8, 1.5), (0.2, 0.5)),
    rough=((7.0, 9.0), (0.1, 0.3)),
)

_HIGH_RIDING, _MEDIALISED, _ABSENT, _ASYMMETRIC = 0.167, 0.12, 0.01, 0.08
_OSTEOPOROTIC = 0.12


@dataclass(frozen=True)
class PedicleSizes:
    """One pedicle of C2: outer ``width`` and ``height`` at the isthmus, ``pta`` and ``psa`` of its axis, its artery.

    ``foramen`` is the radius of the transverse foramen; ``bend`` the height above the body's middle where the artery
    turns outwards (mm, negative below it); ``high_riding`` and ``medialised`` say what was drawn.
    """

    width: float
    height: float
    pta: float
    psa: float
    foramen: float
    bend: float
    high_riding: bool = False
    medialised: bool = False


@dataclass(frozen=True)
class AxisSizes:
    """The rest of C2, mm and degrees.

    ``width``, ``depth``, ``height`` of the body; ``dens`` is (width, depth, height above the body) and ``dens_tilt``
    how far it leans back; ``canal`` is (width, depth); ``lamina`` its thickness, ``spinous`` the process's length;
    ``facet_deg`` how steeply the superior facets fall outwards.
    """

    width: float
    depth: float
    height: float
    dens: tuple[float, float, float]
    dens_tilt: float
    canal: tuple[float, float]
    lamina: float
    spinous: float
    bifid: float
    facet_deg: float
    exponent: float
    waist: float


@dataclass(frozen=True)
class AxisPatient:
    """One patient's C2, and what C1 and C3 are scaled by.

    Attributes
    ----------
    marrow, cortex, cortex_mm:
        HU of trabecular and compact bone; thickness in mm of the cortex of the body and of the arch.
    scale:
        Size of the whole neck against the mean.
    variants:
        What is special about this patient.
    """

    female: bool
    age: float
    scale: float
    sizes: AxisSizes
    pedicles: dict[Side, PedicleSizes]
    marrow: float
    cortex: float
    cortex_mm: tuple[float, float]
    disc: float
    lordosis: float
    variants: tuple[str, ...] = ()

    def resized(self, side: Side, **sizes: float) -> AxisPatient:
        """This patient with other sizes of one pedicle."""
        return replace(self, pedicles={**self.pedicles, side: replace(self.pedicles[side], **sizes)})  # type: ignore[arg-type]

    def mirrored(self) -> AxisPatient:
        """This patient seen in a mirror."""
        left, right = self.pedicles["left"], self.pedicles["right"]
        return replace(self, pedicles={"left": right, "right": left})


def draw_axis_patient(
    random: np.random.Generator, manner: Manner = AXIS_TRAINING, variant: Variant | None = None
) -> AxisPatient:
    """A patient; ``variant`` forces what is special, ``None`` draws it with its published share.

    Raises
    ------
    InputError
        If there is no such variant.
    """
    if variant is not None and variant not in VARIANTS:
        raise InputError(f"there is no variant {variant!r} of C2; there are {', '.join(VARIANTS)}")
    female = bool(random.random() < 0.5)
    age = float(random.uniform(18.0, 90.0))
    scale = (0.965 if female else 1.035) * (1.0 + 0.04 * clipped_normal(random))
    sizes = _draw_sizes(random, scale, manner)
    pedicles = _draw_pedicles(random, scale, variant)
    porous = variant == "osteoporosis" or (variant is None and random.random() < _OSTEOPOROTIC)
    marrow, thick = _draw_bone(random, age, porous)
    names = {
        "osteoporosis": porous,
        "asymmetric": abs(pedicles["left"].width - pedicles["right"].width) > 2.0,
        "narrow": any(p.width <= 4.0 for p in pedicles.values()),
    }
    return AxisPatient(
        female=female,
        age=age,
        scale=scale,
        sizes=sizes,
        pedicles=pedicles,
        marrow=marrow,
        cortex=float(random.uniform(850.0, 1400.0)) * (0.8 if porous else 1.0),
        cortex_mm=(0.8 * thick, 1.1 * thick),
        disc=float(np.clip(5.0 + 0.9 * clipped_normal(random), 2.5, 7.5)),
        lordosis=3.0 * clipped_normal(random) + 2.0,
        variants=tuple(name for name, holds in names.items() if holds),
    )


def _draw_bone(random: np.random.Generator, age: float, porous: bool) -> tuple[float, float]:
    """Marrow in HU (the neck is denser than the back) and thickness of the cortex."""
    marrow = float(np.clip(290.0 - 2.1 * max(age - 25.0, 0.0) + 40.0 * clipped_normal(random), 140.0, 420.0))
    thick = float(random.uniform(0.7, 1.15))
    if porous:
        return float(random.uniform(40.0, 130.0)), 0.7 * thick
    return marrow, thick


def _draw_sizes(random: np.random.Generator, scale: float, manner: Manner) -> AxisSizes:
    def mm(mean: float, sd: float) -> float:
        return scale * mean + sd * clipped_normal(random)

    return AxisSizes(
        width=mm(18.5, 1.2),
        depth=mm(15.0, 1.2),
        height=mm(20.5, 1.3),
        dens=(mm(9.5, 0.7), mm(10.6, 0.7), mm(16.0, 1.4)),
        dens_tilt=7.0 + 3.0 * clipped_normal(random),
        canal=(mm(23.5, 1.2), mm(16.5, 1.0)),
        lamina=max(mm(5.5, 0.9), 3.2),
        spinous=mm(15.0, 1.8),
        bifid=float(random.uniform(0.3, 1.0)),
        facet_deg=23.0 + 4.0 * clipped_normal(random),
        exponent=float(random.uniform(*manner.exponent)),
        waist=float(random.uniform(0.06, 0.14)),
    )


def _draw_pedicles(random: np.random.Generator, scale: float, variant: Variant | None) -> dict[Side, PedicleSizes]:
    """Both pedicles: alike but for a tenth, and for what the arteries do to each."""
    width, height = 6.7 + 1.0 * clipped_normal(random), 10.1 + 1.0 * clipped_normal(random)
    pta, psa = 30.0 + 2.6 * clipped_normal(random), 20.5 + 2.4 * clipped_normal(random)
    chosen = SIDES[int(random.integers(2))]
    both = random.random() < 0.4
    uneven = variant == "asymmetric" or (variant is None and random.random() < _ASYMMETRIC)
    pedicles: dict[Side, PedicleSizes] = {}
    for side in SIDES:
        affected = side == chosen or both
        chance = random.random(3)
        high = affected if variant == "high-riding" else variant is None and chance[0] < _HIGH_RIDING
        medial = affected if variant == "medialised" else variant is None and chance[1] < _MEDIALISED
        own = PedicleSizes(
            width=scale * width + 0.5 * clipped_normal(random),
            height=scale * height + 0.5 * clipped_normal(random),
            pta=pta + 1.5 * clipped_normal(random),
            psa=psa + 1.5 * clipped_normal(random),
            foramen=float(np.clip(2.8 + 0.35 * clipped_normal(random), 2.0, 3.7)),
            bend=float(random.uniform(-1.5, 1.0)),
            high_riding=bool(high),
            medialised=bool(medial),
        )
        shrink, rise = float(random.uniform(0.45, 0.7)), float(random.uniform(0.42, 0.62))
        if uneven and side == chosen:
            own = replace(own, width=own.width * shrink)
        if variant == "narrow" and affected:
            own = replace(own, width=float(random.uniform(2.2, 4.0)))
        if medial:
            own = replace(own, width=own.width * (shrink + 0.08), pta=own.pta + 3.0, foramen=own.foramen + 0.5)
        if high:
            own = replace(
                own,
                height=own.height * rise,
                width=0.85 * own.width,
                bend=float(random.uniform(2.0, 4.2)),
                psa=own.psa - 3.0,
            )
        if (variant == "absent" and affected) or (variant is None and chance[2] < _ABSENT):
            own = replace(own, width=float(random.uniform(0.8, 1.6)))
        pedicles[side] = replace(own, width=float(np.clip(own.width, 0.8, 11.0)))
    return pedicles
