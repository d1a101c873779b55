"""What can be wrong with a spine: each condition changes a drawn patient, and says so in its traits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.phantoms.variation import Manner, Patient, draw_build

Condition = Callable[[Patient, np.random.Generator, Manner], Patient]

HEALTHY = "healthy"


def scoliosis(patient: Patient, random: np.random.Generator, manner: Manner) -> Patient:
    """A coronal curve of 15 to 45 degrees over five to seven levels, vertebrae turned towards its convexity."""
    mobile = [level for level in patient.levels if level is not Level.S1]
    cobb, side = float(random.uniform(15.0, 45.0)), float(random.choice([-1.0, 1.0]))
    count = int(random.integers(5, 8))
    first = int(random.integers(2, len(mobile) - count + 1))
    # Counted from below: the curve bends away, then back. The last vertebra still bends against the first.
    for n, level in enumerate(reversed(mobile[first : first + count])):
        middle = (count - 1) / 2
        bend = -side * cobb / (count - 1) if n else 0.5 * side * cobb
        turn = -0.6 * side * cobb / count * np.sign(middle - n)
        build = patient.builds[level]
        patient = patient.changed(level, tilt=build.tilt + bend, turn=build.turn + turn)
    above = mobile[first - 1]
    patient = patient.changed(above, tilt=patient.builds[above].tilt + 0.5 * side * cobb)
    return patient.having("scoliosis", above, mobile[first + count - 1])


def spondylolisthesis(patient: Patient, random: np.random.Generator, manner: Manner) -> Patient:
    """One lumbar vertebra 12 to 35 % of the body's depth forward on the next, over a low disc."""
    level = _pick(patient, random, (Level.L3, Level.L4, Level.L5))
    patient = _lower_disc(patient, level, 0.6)
    slip = float(random.uniform(0.12, 0.35)) * patient.builds[level].sizes.depth
    return patient.changed(level, slip=slip).having(f"spondylolisthesis {level.name}", level)


def degenerate_discs(patient: Patient, random: np.random.Generator, manner: Manner) -> Patient:
    """One to four low discs, some with gas in them, rims with osteophytes."""
    mobile = [level for level in patient.levels if Level.T11 <= level < Level.S1]
    for level in random.choice(mobile, int(random.integers(1, 5)), replace=False):
        found = Level(int(level))
        patient = _lower_disc(patient, found, float(random.uniform(0.3, 0.55)))
        patient = patient.changed(found, lip=float(random.uniform(0.8, 2.5)))
        if random.random() < 0.5:
            patient = replace(patient, vacuum=patient.vacuum | {found}).having(f"vacuum {found.name}", found)
        patient = patient.having(f"degenerate disc {found.name}", found)
    return patient


def osteophytes(patient: Patient, random: np.random.Generator, manner: Manner) -> Patient:
    """Rims of all bodies stand out by 2 to 6 mm, unevenly around."""
    for level in patient.levels:
        patient = patient.changed(level, lip=float(random.uniform(2.0, 6.0)))
    return patient.having("osteophytes")


def facet_overgrowth(patient: Patient, random: np.random.Generator, manner: Manner) -> Patient:
    """Articular processes up to half as large again, joints narrow."""
    for level in patient.levels:
        size, gap = float(random.uniform(1.25, 1.6)), float(random.uniform(0.8, 1.2))
        patient = patient.changed(level, overgrowth=size, gap=gap)
    return patient.having("facet overgrowth")


def wedge_fracture(patient: Patient, random: np.random.Generator, manner: Manner) -> Patient:
    """One body has lost 20 to 50 % of its height in front, some of it in the middle (Genant 1-3)."""
    level = _pick(patient, random, (Level.T11, Level.T12, Level.L1, Level.L2, Level.L3, Level.L4))
    front = float(random.uniform(0.20, 0.50)) * patient.builds[level].sizes.height
    middle = float(random.uniform(0.0, 0.35)) * front
    return patient.changed(level, loss=(front, middle)).having(f"wedge {level.name}", level)


def osteoporosis(patient: Patient, random: np.random.Generator, manner: Manner) -> Patient:
    """Marrow of 20 to 85 HU, thin cortex, endplates hollow."""
    thin = float(random.uniform(0.6, 0.8))
    patient = replace(
        patient,
        marrow=float(random.uniform(20.0, 85.0)),
        cortex_mm=(thin * patient.cortex_mm[0], thin * patient.cortex_mm[1]),
    )
    for level in patient.levels:
        patient = patient.changed(level, hollow=tuple(random.uniform(2.0, 4.5, 2)))
    return patient.having("osteoporosis")


def sixth_lumbar(patient: Patient, random: np.random.Generator, manner: Manner) -> Patient:
    """L6: one more vertebra above the sacrum, and an L5 like an L4."""
    factor = patient.builds[Level.L4].sizes.width / 48.0
    builds = {level: build for level, build in patient.builds.items() if level < Level.L5}
    builds[Level.L5] = draw_build(Level.L5, factor, 1.0, random, manner, Level.L4)
    builds[Level.L6] = draw_build(Level.L6, factor, 1.0, random, manner, Level.L5)
    builds[Level.S1] = patient.builds[Level.S1]
    return replace(patient, builds=builds).having("L6", Level.L6, Level.S1)


def sacralised_fifth(patient: Patient, random: np.random.Generator, manner: Manner) -> Patient:
    """L5 with processes as broad as an ala (Castellvi II-III), over a rudimentary disc and with little lordosis."""
    patient = _lower_disc(patient, Level.L5, 0.4)
    patient = patient.resized(Level.L5, segment=0.5 * patient.builds[Level.L5].sizes.segment)
    return patient.changed(Level.L5, fused=float(random.uniform(0.7, 1.0))).having("sacralised L5", Level.L5, Level.S1)


PATHOLOGIES: dict[str, Condition] = {
    "scoliosis": scoliosis,
    "spondylolisthesis": spondylolisthesis,
    "degenerate discs": degenerate_discs,
    "osteophytes": osteophytes,
    "facet overgrowth": facet_overgrowth,
    "wedge fracture": wedge_fracture,
    "osteoporosis": osteoporosis,
    "L6": sixth_lumbar,
    "sacralised L5": sacralised_fifth,
}
_SHARES = {
    "scoliosis": 0.18,
    "spondylolisthesis": 0.12,
    "degenerate discs": 0.35,
    "osteophytes": 0.25,
    "facet overgrowth": 0.25,
    "wedge fracture": 0.15,
    "osteoporosis": 0.20,
    "L6": 0.05,
    "sacralised L5": 0.06,
}


def afflict(patient: Patient, random: np.random.Generator, manner: Manner, pathology: str | None) -> Patient:
    """``patient`` with the condition of that name alone, or with a random mixture where it is ``None``.

    Raises
    ------
    InputError
        If there is no such condition; ``"healthy"`` asks for none.
    """
    if pathology is None:
        # New levels come first: the others then find every vertebra.
        order = sorted(PATHOLOGIES, key=lambda name: name not in ("L6", "sacralised L5"))
        chosen = [name for name in order if random.random() < _SHARES[name]]
        if "L6" in chosen:
            chosen = [name for name in chosen if name != "sacralised L5"]
    elif pathology == HEALTHY:
        chosen = []
    elif pathology in PATHOLOGIES:
        chosen = [pathology]
    else:
        known = ", ".join([HEALTHY, *PATHOLOGIES])
        raise InputError(f"there is no pathology '{pathology}'; use one of {known}")
    for name in chosen:
        patient = PATHOLOGIES[name](patient, random, manner)
    return patient


def _lower_disc(patient: Patient, level: Level, share: float) -> Patient:
    """``patient`` with only ``share`` left of the disc below ``level``; the processes below shorten as it sinks."""
    disc = patient.builds[level].sizes.disc
    below = patient.levels[patient.levels.index(level) + 1]
    patient = patient.changed(below, reach=patient.builds[below].reach - 0.7 * (1.0 - share) * disc)
    return patient.resized(level, disc=share * disc)


def _pick(patient: Patient, random: np.random.Generator, among: tuple[Level, ...]) -> Level:
    known = [level for level in among if level in patient.builds]
    return known[int(random.integers(len(known)))]
