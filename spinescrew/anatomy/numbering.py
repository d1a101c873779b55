"""Label numbers of other tools to VerSe ids, the one numbering used here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from spinescrew.anatomy.levels import Level, cranial_to_caudal, position
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]


def _downwards(first: Level, last: Level) -> list[Level]:
    return [level for level in Level if first <= level <= last and level not in (Level.L6, Level.T13, Level.S1)]


_VERSE = {level.value: level for level in Level}
_TOTAL_V2 = {25: Level.S1, 26: Level.S1} | {
    27 + n: level for n, level in enumerate(reversed(_downwards(Level.C1, Level.L5)))
}
_TOTAL_V1 = {92: Level.S1} | {18 + n: level for n, level in enumerate(reversed(_downwards(Level.C1, Level.L5)))}

READINGS: dict[str, dict[int, Level]] = {
    "verse": _VERSE,
    "totalsegmentator-v1": _TOTAL_V1,
    "totalsegmentator-v2": _TOTAL_V2,
}
"""Number to level for every numbering that is read."""

CHOICES = ("auto", "verse", "totalsegmentator", *(name for name in READINGS if name != "verse"))

_SPACING_MM = {"cervical": 17.0, "thoracic": 23.0, "lumbar": 35.0, "sacral": 35.0}
_LARGEST_MISFIT = 0.28
"""Mean share by which distances between centroids may differ from what is usual for a reading to be plausible."""

_CLEARLY_BETTER = 0.12
"""Lead in misfit by which one of two readings that explain the same labels is taken."""

_S1_ALONE = 26


@dataclass(frozen=True)
class _Fit:
    """How well one reading explains a label map.

    ``explained`` counts the labels that are vertebrae in this reading; ``misfit`` is ``None`` where no two
    vertebrae are there to measure a distance between.
    """

    name: str
    levels: tuple[Level, ...]
    misfit: float | None
    explained: int

    def within(self, limit: float) -> bool:
        """Whether the distances allow this reading."""
        return self.misfit is None or self.misfit <= limit


def to_verse(labels: Volume, numbering: str = "auto") -> Volume:
    """The label map in VerSe ids.

    Parameters
    ----------
    numbering:
        ``"verse"``, ``"totalsegmentator-v1"``, ``"totalsegmentator-v2"``; ``"totalsegmentator"`` tells the
        versions apart and ``"auto"`` all three, by the order of the labels along the body, the distances
        between them and which other labels there are.

    Returns
    -------
    Volume
        ``metadata["numbering"]`` says what was read and why; labels that are no vertebra are 0 and counted there.

    Raises
    ------
    InputError
        If nothing is a vertebra, or several readings make sense: the message names them and asks.
    """
    if numbering not in CHOICES:
        raise InputError(f"'{numbering}' is not a numbering; use {', '.join(CHOICES)}")
    centroids = _centroids(labels)
    values = list(centroids)
    if numbering in READINGS:
        _check_order(centroids, numbering)
        return _apply(labels, numbering, values, f"{numbering}, as asked")
    names = [name for name in READINGS if numbering == "auto" or name.startswith("totalsegmentator")]
    fits = [fit for fit in (_fit(centroids, name) for name in names) if fit is not None]
    if not fits:
        raise InputError(
            f"the label map's numbers ({_listed(values)}) fit no known numbering; give --numbering verse, "
            "totalsegmentator-v1 or totalsegmentator-v2 if you know it"
        )
    # Where only one reading is possible at all, cut vertebrae may put its distances out. A reading that explains fewer
    # labels than another never wins, even where distances speak against the other: one number may fit by chance.
    limit = _LARGEST_MISFIT if len(fits) > 1 else 2 * _LARGEST_MISFIT
    most = max(fit.explained for fit in fits)
    plausible = [fit for fit in fits if fit.within(limit) and fit.explained == most]
    chosen = _clear_winner(plausible)
    if chosen is None:
        maybe = " or ".join(f"{fit.name} ({fit.levels[0].name}-{fit.levels[-1].name})" for fit in plausible or fits)
        raise InputError(
            f"the label map's numbers ({_listed(values)}) could be {maybe}; say which with "
            "--numbering verse|totalsegmentator-v1|totalsegmentator-v2"
        )
    first, last = chosen.levels[0].label, chosen.levels[-1].label
    return _apply(labels, chosen.name, values, f"{chosen.name}: order and spacing of the labels fit {first} to {last}")


def _centroids(labels: Volume) -> dict[int, Floats]:
    """Centroid (3,) in RAS mm of every label above 0; each is looked for in its own box only."""
    found = {}
    for value, box in enumerate(ndimage.find_objects(labels.array), start=1):
        if box is not None:
            corner = np.array([side.start for side in box])
            found[value] = labels.index_to_ras(corner + np.argwhere(labels.array[box] == value).mean(axis=0))
    return found


def _check_order(centroids: dict[int, Floats], name: str) -> None:
    """Refuse a stated numbering in which vertebrae would lie in another order than in a body."""
    centres = _centres(centroids, name)
    for above, below in pairwise(sorted(centres, key=position)):
        if centres[above][2] <= centres[below][2]:
            raise InputError(
                f"in the numbering {name} {above.label} would lie below {below.label}: the numbers are another "
                "tool's, or the image is upside down; give the right --numbering"
            )


def _centres(centroids: dict[int, Floats], name: str) -> dict[Level, Floats]:
    """Centroid (3,) RAS of every level of a reading; S1 alone counts where the whole sacrum is labelled too."""
    reading = READINGS[name]
    centres: dict[Level, Floats] = {}
    for value, centre in centroids.items():
        level = reading.get(value)
        if level is not None and (level not in centres or value == _S1_ALONE):
            centres[level] = centre
    return centres


def _clear_winner(fits: list[_Fit]) -> _Fit | None:
    """The one reading left, or the one whose distances fit much better."""
    if len(fits) == 1:
        return fits[0]
    measured = sorted(fit.misfit for fit in fits if fit.misfit is not None)
    if len(fits) < 2 or len(measured) < len(fits) or measured[0] + _CLEARLY_BETTER >= measured[1]:
        return None
    return min(fits, key=lambda fit: fit.misfit or 0.0)


def _fit(centroids: dict[int, Floats], name: str) -> _Fit | None:
    """How this reading fits; ``None`` where it cannot be: labels out of order, or with holes between them."""
    explained = sum(value in READINGS[name] for value in centroids)
    if not explained:
        return None
    centres = _centres(centroids, name)
    levels = tuple(sorted(centres, key=position))
    if any(centres[a][2] <= centres[b][2] for a, b in pairwise(levels)) or not _contiguous(levels):
        return None
    return _Fit(name, levels, _misfit(levels, centres), explained)


def _contiguous(levels: tuple[Level, ...]) -> bool:
    """Whether no vertebra but the rare T13 and L6 is missing between the first and the last."""
    order = cranial_to_caudal()[position(levels[0]) : position(levels[-1]) + 1]
    return all(level in levels or level in (Level.T13, Level.L6) for level in order)


def _misfit(levels: tuple[Level, ...], centres: dict[Level, Floats]) -> float | None:
    """Mean share by which centroids are nearer or farther than usual; the sacrum, whose centre is low, is left out."""
    off = []
    for upper, lower in pairwise(levels):
        if lower is Level.S1:
            continue
        usual = 0.5 * (_usual(upper) + _usual(lower))
        off.append(abs(float(np.linalg.norm(centres[upper] - centres[lower])) / usual - 1.0))
    return float(np.mean(off)) if off else None


def _usual(level: Level) -> float:
    """Usual distance between vertebrae around ``level`` in mm; within the thorax it grows towards the lumbar spine."""
    if level.region == "thoracic":
        return 18.0 + (position(level) - position(Level.T1)) * 0.95
    return _SPACING_MM[level.region]


def _apply(labels: Volume, name: str, values: list[int], why: str) -> Volume:
    reading = READINGS[name]
    table = np.zeros(max(values, default=0) + 1, np.int16)
    for value in values:
        if value in reading:
            table[value] = reading[value].value
    if not table.any():
        raise InputError(
            f"no label of this map ({_listed(values)}) is a vertebra in the numbering {name}; choose another"
        )
    left = [value for value in values if value not in reading]
    notes: dict[str, Any] = {"numbering": why}
    if left:
        notes["numbering"] += f"; {len(left)} labels that are no vertebra were left out ({_listed(left)})"
    if name == "totalsegmentator-v2" and {25, 26} <= set(values):
        notes["numbering"] += "; sacrum (25) and S1 (26) were joined as S1 (26)"
    array = table[np.clip(labels.array, 0, len(table) - 1)]
    return Volume(array, labels.affine, {**labels.metadata, **notes})


def _listed(values: list[int]) -> str:
    text = ", ".join(map(str, values[:12]))
    return text + (" ..." if len(values) > 12 else "")
