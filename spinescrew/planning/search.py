"""The best screw of one pedicle, and the other screws that would do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, VertebralFrame, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.morphometry import USUAL_BAND_DEG, usual_pedicle
from spinescrew.anatomy.vertebra import Pedicle, Vertebra
from spinescrew.geometry.vectors import unit
from spinescrew.implants.screw import Screw
from spinescrew.planning.corridor import Corridors, explore
from spinescrew.planning.guides import Guide, Leader, Start, starting_point
from spinescrew.planning.options import PlanningOptions

Floats = NDArray[np.float64]

_SHALLOW_PERCENT = 70.0
_SMALL_TILT_DEG = 5.0
_SPARE_MM = 0.05
_FACET_BONE_MM = 1.0
_SEED = 20260101
_BAND_USED_DEG = USUAL_BAND_DEG - 2.0
_BAND_REACHED_DEG = USUAL_BAND_DEG - 0.5


@dataclass(frozen=True, eq=False)
class Choices:
    """Screws of one diameter that keep every rule, best first.

    ``cost`` (n,) grows with the distance from the wanted trajectory; ``corridors`` has one row per screw.
    """

    level: Level
    side: Side
    diameter_mm: float
    corridors: Corridors
    cost: Floats
    notes: tuple[str, ...]
    led_by: Leader = "geometry"

    def screw(self, row: int, options: PlanningOptions) -> Screw:
        """The screw of that row."""
        shape = options.catalog.shape(self.level, self.diameter_mm, float(self.corridors.length_mm[row]))
        return Screw(self.corridors.entry[row], self.corridors.direction[row], shape)


def choices(vertebra: Vertebra, side: Side, options: PlanningOptions, guide: Guide | None = None) -> Choices | str:
    """Every screw that fits this pedicle, or the reason why none does; the search starts from ``guide`` if it can."""
    pedicle = vertebra.pedicles[side]
    start = starting_point(vertebra, side, guide)
    diameters = permitted_diameters(vertebra.level, pedicle, options)
    if isinstance(diameters, str):
        return diameters
    wanted = wanted_angles(vertebra.level, start, options)
    reasons: list[str] = []
    for diameter, largest_tilt, facet_gap in _attempts(diameters, options):
        options = replace(options, facet_gap_mm=facet_gap)
        found, moves = _search(vertebra, side, start.through, wanted, largest_tilt, diameter, options)
        kept = _shortfall(found, diameter, options) <= 0
        if kept.any():
            cost = _cost(found, moves, diameter, options)
            order = np.flatnonzero(kept)[np.argsort(cost[kept], kind="stable")]
            best = _rows(found, order)
            notes = (*start.notes, *_notes(float(moves[order[0], 1]), best, options))
            return Choices(vertebra.level, side, diameter, best, cost[order], notes, start.led_by)
        reasons.append(_why_not(found, diameter, options))
    return reasons[-1]


def _search(
    vertebra: Vertebra,
    side: Side,
    through: Floats,
    wanted: tuple[float, float],
    largest_tilt: float,
    diameter: float,
    options: PlanningOptions,
) -> tuple[Corridors, Floats]:
    """Lines on a grid around the wanted one, then more around the best of them, each round over a smaller range.

    Returns what was found along every line, and its moves (n, 4): turn and tilt in degrees, sideways and up in mm.
    """
    random = np.random.default_rng(_SEED)
    pedicle = vertebra.pedicles[side]
    low, high = _reach(vertebra.level, pedicle, wanted[0], largest_tilt)
    moves = _grid(low, high)
    rounds = []
    for shrink in (0.25, 0.15, 0.08, 0.04):
        rounds.append((_follow_lines(vertebra, side, through, wanted, moves, diameter, options), moves))
        found, seen = _joined(rounds)
        penalised = _cost(found, seen, diameter, options) + 12.0 * _shortfall(found, diameter, options)
        leaders = seen[np.argsort(penalised, kind="stable")[:12]]
        spread = random.normal(size=(12, 25, 4)) * (high - low) / 2 * shrink
        moves = np.clip((leaders[:, None] + spread).reshape(-1, 4), low, high)
    rounds.append((_follow_lines(vertebra, side, through, wanted, moves, diameter, options), moves))
    return _joined(rounds)


def _reach(level: Level, pedicle: Pedicle, pta: float, largest_tilt: float) -> tuple[Floats, Floats]:
    """Least and largest moves: turns stay within what is usual at the level, shifts within the pedicle."""
    high = np.array([12.0, largest_tilt, 0.3 * pedicle.width_mm, 0.45 * pedicle.height_mm])
    low = -high
    usual = usual_pedicle(level)
    if usual is not None:
        low[0] = max(low[0], usual.pta_deg - _BAND_REACHED_DEG - pta)
        high[0] = min(high[0], usual.pta_deg + _BAND_REACHED_DEG - pta)
    return low, high


def _grid(low: Floats, high: Floats) -> Floats:
    """Moves (n, 4) over the whole reach; the wanted line itself is one of them."""
    tilts = np.array([0.0, -0.5, 0.5, -0.9, 0.9]) * high[1] if high[1] > 0 else np.zeros(1)
    turns = np.unique(np.append(np.linspace(low[0], high[0], 9), 0.0))
    axes = [turns, tilts, np.linspace(low[2], high[2], 7), np.linspace(low[3], high[3], 7)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 4)


def _joined(rounds: list[tuple[Corridors, Floats]]) -> tuple[Corridors, Floats]:
    names = Corridors.__dataclass_fields__
    joined = Corridors(**{name: np.concatenate([getattr(found, name) for found, _ in rounds]) for name in names})
    return joined, np.concatenate([moves for _, moves in rounds])


def _follow_lines(
    vertebra: Vertebra,
    side: Side,
    through: Floats,
    wanted: tuple[float, float],
    moves: Floats,
    diameter: float,
    options: PlanningOptions,
) -> Corridors:
    pedicle, frame = vertebra.pedicles[side], vertebra.frame
    medial = -side_sign(side) * frame.right
    return explore(
        vertebra.bone,
        pedicle,
        vertebra.facets.get(side),
        through + moves[:, 2:3] * medial + moves[:, 3:4] * frame.superior,
        _directions(frame, side, wanted[0] + moves[:, 0], wanted[1] + moves[:, 1]),
        diameter / 2,
        options.catalog.lengths(vertebra.level, diameter),
        options.depth_percent / 100,
        options.grading.entry_exclusion_mm,
    )


def _directions(frame: VertebralFrame, side: Side, pta: Floats, psa: Floats) -> Floats:
    """(n, 3) directions of these angles; :func:`direction_from_angles` for many."""
    lateral = -side_sign(side) * np.tan(np.radians(pta))[:, None]
    return unit(frame.anterior + lateral * frame.right + np.tan(np.radians(psa))[:, None] * frame.superior)


def permitted_diameters(level: Level, pedicle: Pedicle, options: PlanningOptions) -> tuple[float, ...] | str:
    """Catalogue diameters from the largest permitted down, or the reason why there are none.

    Permitted: at most ``width_percent`` of the isthmus, at most the isthmus less both margins, and at most the level's
    usual maximum (science.md 1.3 and 3.1).
    """
    narrowest = min(pedicle.width_mm, pedicle.height_mm)
    most = options.maximum_diameter_mm or options.catalog.max_diameter(level)
    most = min(most, narrowest * options.width_percent / 100, narrowest - 2 * options.margin_mm)
    known = options.catalog.diameters(level)
    fitting = tuple(sorted((d for d in known if d <= most + 1e-6), reverse=True))
    if fitting:
        return fitting
    needed = max(known[0] * 100 / options.width_percent, known[0] + 2 * options.margin_mm)
    return (
        f"the pedicle is too narrow: its isthmus is {narrowest:.1f} mm, the smallest catalogue screw ({known[0]:g} mm) "
        f"needs {needed:.1f} mm"
    )


def wanted_angles(level: Level, start: Start, options: PlanningOptions) -> tuple[float, float]:
    """(PTA, PSA) of the trajectory: the channel's own PTA, kept within the usual band of its level; PSA by choice."""
    usual = usual_pedicle(level)
    pta = start.pta_deg
    if usual is not None:
        pta = float(np.clip(pta, usual.pta_deg - _BAND_USED_DEG, usual.pta_deg + _BAND_USED_DEG))
    return pta, 0.0 if options.trajectory == "straight-forward" else start.psa_deg


def _attempts(diameters: tuple[float, ...], options: PlanningOptions) -> list[tuple[float, float, float]]:
    """(diameter, largest tilt, room to the facet joint) in the order they are tried.

    A thinner screw is taken before a line leaves the trajectory's sagittal angle by more than a few degrees, and that
    before a line passes beside the facet joint (never through it).
    """
    most, gap = options.largest_tilt_deg, options.facet_gap_mm
    near = [(diameter, tilt, gap) for diameter in diameters for tilt in (0.0, min(_SMALL_TILT_DEG, most))]
    far = [(diameter, most, gap) for diameter in diameters if most > _SMALL_TILT_DEG]
    beside = [(diameter, tilt, 0.0) for tilt in (0.0, most) for diameter in diameters]
    return near + far + beside


def _shortfall(found: Corridors, diameter: float, options: PlanningOptions) -> Floats:
    """By how many mm each line breaks the rules, all added up; 0 where it keeps them."""
    facet = np.where(np.isfinite(found.facet_mm), found.facet_mm, 1e3)
    return (
        np.where(found.length_mm > 0, 0.0, 5.0)
        + np.clip(diameter / 2 + options.margin_mm - found.neck_mm, 0, None)
        + np.clip(found.outside_mm + _SPARE_MM, 0, None)
        + np.clip(options.facet_gap_mm + _SPARE_MM - facet, 0, None)
    )


def _cost(found: Corridors, moves: Floats, diameter: float, options: PlanningOptions) -> Floats:
    """How far a line is from the middle of the pedicle and the wanted angles, in units of about 1 mm or 3 degrees."""
    shallow = np.clip(_SHALLOW_PERCENT - found.depth_percent, 0, None)
    spare = np.clip(found.neck_mm - diameter / 2 - options.margin_mm, 0, 1.5)
    thin = np.clip(0.5 + found.outside_mm, 0, 0.5)
    angles = (moves[:, 0] / 3.0) ** 2 + (moves[:, 1] / 2.0) ** 2
    return angles + moves[:, 2] ** 2 + (0.7 * moves[:, 3]) ** 2 - 0.5 * spare + 2.0 * thin + 2.0 * shallow


def _rows(found: Corridors, order: NDArray[np.int_]) -> Corridors:
    return Corridors(**{name: getattr(found, name)[order] for name in Corridors.__dataclass_fields__})


def _notes(tilt: float, best: Corridors, options: PlanningOptions) -> tuple[str, ...]:
    notes = []
    if abs(tilt) > 0.5:
        way = "caudally" if tilt < 0 else "cranially"
        notes.append(f"the {options.trajectory} line does not stay in bone: aimed {abs(tilt):.0f} degrees more {way}")
    if best.facet_mm[0] <= _FACET_BONE_MM:
        notes.append("no line that stays in bone keeps clear of the facet above: this one passes beside the joint")
    if best.depth_percent.max() < _SHALLOW_PERCENT:
        notes.append(
            f"no catalogue length lies between {_SHALLOW_PERCENT:g} % and {options.depth_percent:g} % of the channel"
        )
    return tuple(notes)


def _why_not(found: Corridors, diameter: float, options: PlanningOptions) -> str:
    """What the nearest line breaks most, in words."""
    if not (found.length_mm > 0).any():
        longest = found.channel_mm.max()
        return f"the channel is at most {longest:.0f} mm long: too short for the shortest catalogue screw"
    row = int(_shortfall(found, diameter, options).argmin())
    room = 2 * (found.neck_mm[row] - options.margin_mm)
    short = {
        f"leaves only {max(room, 0):.1f} mm between the walls of the pedicle": diameter - room,
        f"leaves the bone by {found.outside_mm[row]:.1f} mm": found.outside_mm[row],
        "runs into the facet joint with the vertebra above": options.facet_gap_mm - found.facet_mm[row],
    }
    return (
        f"no line keeps every rule with a {diameter:g} mm screw: the nearest one {max(short, key=lambda k: short[k])}"
    )
