"""Correcting which vertebra is which, before anything is planned: shift all names, set one, refuse what cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy.ndimage import center_of_mass, find_objects

from spinescrew.anatomy.levels import Level, cranial_to_caudal, position
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume

_RARE = (Level.T13, Level.L6)

Names = Mapping[Level, Level]
"""Level as it is called now -> level it shall be called."""


def spatial_order(labels: Volume) -> tuple[Level, ...]:
    """Levels of a label map (VerSe ids) as they lie in the patient, from the head down, whatever they are called."""
    heights = {}
    for value, box in enumerate(find_objects(labels.array), start=1):
        if box is not None and value in Level._value2member_map_:
            corner = np.array([side.start for side in box])
            centre = np.asarray(center_of_mass(labels.array[box] == value))
            heights[Level(value)] = float(labels.index_to_ras(corner + centre)[2])
    return tuple(sorted(heights, key=lambda level: -heights[level]))


def shifted(levels: Iterable[Level], step: int) -> dict[Level, Level]:
    """Every level called by the name ``step`` vertebrae further down (negative: up); T13 and L6 are not made.

    Raises
    ------
    InputError
        If a vertebra would get a name beyond C1 or the sacrum.
    """
    usual = [level for level in cranial_to_caudal() if level not in _RARE]
    names = {}
    for level in levels:
        rank = _usual_rank(level, step, usual)
        if not 0 <= rank < len(usual):
            end = "the sacrum" if step > 0 else "C1"
            raise InputError(f"{level.name} cannot be shifted beyond {end}; correct the levels one by one")
        names[level] = usual[rank]
    return names


def _usual_rank(level: Level, step: int, usual: Sequence[Level]) -> int:
    if level in usual:
        return usual.index(level) + step
    # T13 and L6 stand between two usual levels: one step up is the upper of them, one step down the lower
    upper = max(rank for rank, other in enumerate(usual) if position(other) < position(level))
    return upper + step + (1 if step < 0 else 0)


def check_names(names: Names, order: Sequence[Level]) -> None:
    """Refuse names that no spine has.

    Parameters
    ----------
    names:
        For every level of ``order``.
    order:
        Present names, as the vertebrae lie from the head down (:func:`spatial_order`).

    Raises
    ------
    InputError
        Naming the two vertebrae of one name, or the two that would lie the wrong way round.
    """
    owners: dict[Level, Level] = {}
    for level in order:
        name = names[level]
        if name in owners:
            raise InputError(
                f"two vertebrae would be called {name.name} (those called {owners[name].name} and {level.name} now); "
                "give each its own level"
            )
        owners[name] = level
    for upper, lower in pairwise(order):
        if position(names[upper]) > position(names[lower]):
            raise InputError(
                f"{names[upper].name} would lie above {names[lower].name}: levels run from the head down; "
                f"the vertebra called {upper.name} now lies above the one called {lower.name}"
            )


def gaps(levels: Iterable[Level]) -> tuple[tuple[Level, Level], ...]:
    """Pairs of neighbouring names between which a vertebra is missing: worth a second look, not an error."""
    chain = [level for level in cranial_to_caudal() if level not in _RARE]
    ordered = sorted(levels, key=position)
    missing = []
    for upper, lower in pairwise(ordered):
        if any(position(upper) < position(level) < position(lower) for level in chain):
            missing.append((upper, lower))
    return tuple(missing)


def relabel(labels: Volume, names: Names) -> Volume:
    """The label map under other names; levels that ``names`` leaves out keep theirs.

    Raises
    ------
    InputError
        As :func:`check_names`.
    """
    order = spatial_order(labels)
    full = {level: names.get(level, level) for level in order}
    check_names(full, order)
    table = np.arange(int(labels.array.max(initial=0)) + 1, dtype=labels.array.dtype)
    for level, name in full.items():
        table[level.value] = name.value
    return labels.with_array(table[labels.array])
