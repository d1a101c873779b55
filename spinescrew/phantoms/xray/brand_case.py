"""Constructs of one system of screws on plain films, from the front and from the side, and everything true of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.implants.design_mesh import crosslink_mesh
from spinescrew.implants.designs import ScrewDesign, draw_design
from spinescrew.implants.families import DesignFamily, draw_near, family
from spinescrew.implants.screw import Screw
from spinescrew.phantoms.xray.brand_scene import BrandScene, fine_view, lit_film
from spinescrew.phantoms.xray.construct import Construct, Implant, Mesh, draw_construct
from spinescrew.phantoms.xray.hash import generator_hash
from spinescrew.phantoms.xray.shot import Backdrop, Shot, shoot
from spinescrew.radiographs.metal import metal_path
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]
Random = np.random.Generator
Screws = Mapping[tuple[Level, Side], Screw]

PIXEL_MM = 0.3
"""At the detector: threads of 2 mm pitch cover seven pixels and more."""

MOST_LEVELS = 5
LEVEL_SHARES = (0.08, 0.36, 0.28, 0.17, 0.11)
"""Of constructs of one to five levels."""

NEAR_SHARE = 0.5
"""Of designs of no family: so many are near one, the others are drawn from all that is sold."""

CROSSLINK_SHARE = 0.5
_TWO_CROSSLINKS_SHARE = 0.3
_RIM_MM = 10.0
_FIELD_MM = (15.0, 70.0)
_TRIES = 60
_SEEN_MM = 0.3

LEAST_CONTRAST = 4.0
"""A film on which metal stands out less is taken again, as it would be."""

_LEAST_RISE = 0.06
_EXPOSURES = 5


@dataclass(frozen=True, eq=False)
class BrandConstruct(Construct):
    """A construct with crosslinks between its rods.

    Attributes
    ----------
    crosslinks:
        Closed surfaces in RAS.
    """

    crosslinks: tuple[Mesh, ...] = ()

    @property
    def rod_meshes(self) -> tuple[Mesh, ...]:
        """Surfaces of rods and crosslinks in RAS."""
        return (*super().rod_meshes, *self.crosslinks)


@dataclass(frozen=True, eq=False)
class BrandCase:
    """Two films of one patient with one system of screws.

    Attributes
    ----------
    family:
        Its name, or ``""`` for a design that belongs to none.
    shots:
        From the front and from the side.
    """

    family: str
    construct: BrandConstruct
    shots: tuple[Shot, Shot]

    @property
    def levels(self) -> int:
        """How many levels have a screw."""
        return len({implant.level for implant in self.construct.implants})

    @property
    def crosslink(self) -> bool:
        """Whether the rods are linked."""
        return bool(self.construct.crosslinks)


def make_case(
    scene: BrandScene,
    name: str,
    random: Random,
    *,
    levels: int | None = None,
    crosslink: bool | None = None,
    whole: bool = True,
    pixel_mm: float = PIXEL_MM,
) -> BrandCase:
    """A construct of a family in a scene, and both films of it.

    Parameters
    ----------
    name:
        Of the family (:func:`spinescrew.implants.families.family`); ``""``: a design that belongs to none.
    levels, crosslink:
        Drawn when left out. Families without crosslinks have none, and neither have single levels.
    whole:
        The whole film; otherwise the field is narrowed to the implants and some centimetres around them, which is
        quicker and is what training reads.

    Raises
    ------
    InputError
        If there is no such family, or the scene shows no vertebra that takes screws in both views.
    """
    construct = draw_system(scene, name, random, levels=levels, crosslink=crosslink)
    return BrandCase(name, construct, films(scene, construct, random, whole=whole, pixel_mm=pixel_mm))


def films(
    scene: BrandScene,
    construct: BrandConstruct,
    random: Random,
    *,
    lit: Floats | None = None,
    whole: bool = True,
    pixel_mm: float = PIXEL_MM,
) -> tuple[Shot, Shot]:
    """Both films of a construct; see :func:`make_case`.

    Parameters
    ----------
    lit:
        (n, 3) RAS: what the leaves leave open; heads and tips when left out.
    """
    lit = _ends(construct) if lit is None else lit
    shots = []
    for behind in scene.backdrops:
        fine = fine_view(behind.view, pixel_mm) if whole else _field(behind.view, construct, random, pixel_mm)
        before = Backdrop(fine, behind.thickness.resampled(fine))
        for _ in range(_EXPOSURES):
            shot = shoot(before, construct, lit_film(fine, lit, random, scene.manner), random)
            if contrast(shot) >= LEAST_CONTRAST:
                break
        shots.append(shot)
    return shots[0], shots[1]


def draw_system(
    scene: BrandScene, name: str, random: Random, *, levels: int | None = None, crosslink: bool | None = None
) -> BrandConstruct:
    """Screws of one system on neighbouring levels that both films show, joined by rods; see :func:`make_case`."""
    own = family(name) if name else None
    design = own.draw(random) if own else (draw_near if random.random() < NEAR_SHARE else draw_design)(random)
    shown = in_both(scene)
    if not shown:
        raise InputError(f"scene {scene.seed} shows no vertebra that takes screws in both views; take another seed")
    count = levels or 1 + int(random.choice(MOST_LEVELS, p=LEVEL_SHARES))
    construct = _of_levels(shown, count, design, random)
    implants = tuple(_offered(implant, own) for implant in construct.implants)
    linked = bool(random.random() < CROSSLINK_SHARE) if crosslink is None else crosslink
    links = _crosslinks(construct, design, random) if linked else ()
    return BrandConstruct(implants, construct.rods, links)


def in_both(scene: BrandScene) -> dict[tuple[Level, Side], Screw]:
    """The screws that both films show whole, with some millimetres around them."""

    def inside(view: View, screw: Screw) -> bool:
        pixels = view.project([screw.entry - 15.0 * screw.direction, screw.tip]) * view.pixel_mm
        size = np.array(view.shape[::-1]) * view.pixel_mm
        return bool((pixels > _RIM_MM).all() and (pixels < size - _RIM_MM).all())

    views = [behind.view for behind in scene.backdrops]
    return {key: screw for key, screw in scene.screws.items() if all(inside(view, screw) for view in views)}


def metal_seen(shot: Shot) -> NDArray[np.bool_]:
    """(rows, columns): where a film shows metal of the construct, rods and crosslinks among it."""
    rods = [metal_path(shot.view, *mesh) for mesh in shot.construct.rod_meshes]
    return np.asarray((shot.classes > 0) | (np.sum(rods, axis=0) > _SEEN_MM if rods else False))


def contrast(shot: Shot) -> float:
    """How far metal stands out from what is beside it, over the noise there or a part of the grey scale."""
    metal = metal_seen(shot)[::2, ::2] & shot.lit[::2, ::2]
    if not metal.any():
        return np.inf
    pixels = shot.radiograph.dense_bright()
    beside = binary_dilation(metal, iterations=round(4.0 / (2 * shot.view.pixel_mm[0]))) & ~metal & shot.lit[::2, ::2]
    if not beside.any():
        return 0.0
    coarse = pixels[::2, ::2]
    low, high = np.percentile(coarse[shot.lit[::2, ::2]], (1, 99))
    noise = np.median(np.abs(np.diff(coarse, axis=1)[beside[:, 1:]]))
    rise = float(np.median(coarse[metal]) - np.median(coarse[beside]))
    return rise / max(float(noise), _LEAST_RISE / LEAST_CONTRAST * float(high - low), 1e-6)


def brand_hash() -> str:
    """``sha256:...`` of all sources that make these cases."""
    here = Path(__file__).parent
    library = here.parents[1]
    digest = hashlib.sha256(generator_hash().encode())
    names = (here / "brand_scene.py", here / "brand_case.py", library / "implants" / "families.py")
    for path in (*names, library / "implants" / "construct.py"):
        digest.update(path.name.encode() + path.read_bytes())
    return f"sha256:{digest.hexdigest()}"


def _of_levels(screws: Screws, count: int, design: ScrewDesign, random: Random) -> Construct:
    """Joined screws of so many neighbouring levels, or of as many as there are."""
    known = sorted({level for level, _ in screws})
    count = min(count, len(known))
    first = int(random.integers(len(known) - count + 1))
    chosen = known[first : first + count]
    part = {key: screw for key, screw in screws.items() if key[0] in chosen}
    for _ in range(_TRIES):
        drawn = draw_construct(part, random, most=2 * MOST_LEVELS, design=design, rods=True)
        if len({each.level for each in drawn.implants}) == count:
            break
    return drawn


def _offered(implant: Implant, own: DesignFamily | None) -> Implant:
    """A screw of the size that its family offers."""
    if own is None:
        return implant
    shape = implant.screw.shape
    diameter, length = own.size(shape.diameter_mm, shape.length_mm)
    return replace(implant, screw=replace(implant.screw, shape=replace(shape, diameter_mm=diameter, length_mm=length)))


def _crosslinks(construct: Construct, design: ScrewDesign, random: Random) -> tuple[Mesh, ...]:
    """One or two, between screws of neighbouring levels; none where the system has none or there is one rod."""
    if design.crosslink == "none" or len(construct.rods) < 2:
        return ()
    left = construct.rods[0][0]
    spans = list(pairwise(_seat_pairs(construct)))
    if not spans:
        return ()
    wanted = 2 if len(spans) >= 3 and random.random() < _TWO_CROSSLINKS_SHARE else 1
    found = []
    for at in random.choice(len(spans), wanted, replace=False):
        share = float(random.uniform(0.35, 0.65))
        ends = [(1 - share) * spans[at][0][side] + share * spans[at][1][side] for side in (0, 1)]
        try:
            found.append(
                crosslink_mesh(ends[0], ends[1], design.crosslink, rod_mm=design.rod_mm, rod=left[-1] - left[0])
            )
        except InputError:  # rods that nearly touch
            continue
    return tuple(found)


def _seat_pairs(construct: Construct) -> list[tuple[Floats, Floats]]:
    """Where the rods pass the heads of levels with two screws, left and right, from the head down."""
    seats: dict[Level, dict[str, Any]] = {}
    for each in construct.implants:
        seat = each.head[:3, 3] - each.design.rod_above_pivot_mm * each.head[:3, 2]
        seats.setdefault(each.level, {})[each.side] = seat
    both = [seats[level] for level in sorted(seats) if len(seats[level]) == len(SIDES)]
    return [(pair["left"], pair["right"]) for pair in both]


def _ends(construct: Construct) -> Floats:
    return np.array([end for each in construct.implants for end in (each.head[:3, 3], each.screw.tip)])


def _field(view: View, construct: Construct, random: Random, pixel_mm: float) -> View:
    """The part of the film around the implants, as narrowed leaves leave it."""
    rods = [points for points, _ in construct.rods]
    pixels = view.project(np.concatenate([_ends(construct), *rods]))
    room = random.uniform(*_FIELD_MM, 4) / view.pixel_mm[0]
    low = np.maximum(pixels.min(axis=0) - room[:2], -0.5)
    high = np.minimum(pixels.max(axis=0) + room[2:], np.array(view.shape[::-1]) - 0.5)
    return fine_view(view, pixel_mm, low, high)
