"""The bones of a CT, ready to be projected at every resolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.outcome.bone import bone_of, other_bone
from spinescrew.outcome.fit import Drawn
from spinescrew.outcome.stages import COARSE, STAGES


class SpineBones:
    """Bones of a CT at every resolution, made when they are asked for.

    Attributes
    ----------
    wanted:
        The levels to register, from the head down.
    levels:
        Those and the neighbours that are registered with them.
    shown:
        Those and what else is projected beside them.
    centre:
        (3,) RAS, the middle of the construct.

    Raises
    ------
    InputError
        If a level is not in the labels, or none was named.
    """

    def __init__(self, ct: Volume, labels: Volume, levels: Sequence[Level]) -> None:
        self.ct, self.labels = ct, labels
        present = [level for level in cranial_to_caudal() if _large_enough(labels, level)]
        missing = [level.label for level in levels if level not in present]
        if missing:
            raise InputError(f"{', '.join(missing)}: not in the label map, or only a fragment; leave these levels out")
        self.wanted = [level for level in present if level in levels]
        if not self.wanted:
            raise InputError("no level to register was named")
        ranks = [present.index(level) for level in self.wanted]
        self.levels = present[max(min(ranks) - 1, 0) : max(ranks) + 2]
        self.shown = present[max(min(ranks) - 2, 0) : max(ranks) + 3]
        self._drawn: dict[tuple[Level | None, int], Drawn | None] = {}
        self.centre = self.drawn(self.wanted[len(self.wanted) // 2], COARSE).centre

    def drawn(self, level: Level, stage: int) -> Drawn:
        """One vertebra at a stage of :data:`STAGES`."""
        key = (level, stage)
        if key not in self._drawn:
            self._drawn[key] = Drawn(bone_of(self.ct, self.labels, [level], STAGES[stage].voxel_mm))
        found = self._drawn[key]
        assert found is not None
        return found

    def rest(self) -> Drawn | None:
        """Ribs, pelvis and the like, coarsely."""
        if (None, 0) not in self._drawn:
            bone = other_bone(self.ct, self.labels, 2.0)
            self._drawn[None, 0] = None if bone is None else Drawn(bone)
        return self._drawn[None, 0]

    def near(self, level: Level) -> list[Level]:
        """Up to two neighbours on each side."""
        at = self.shown.index(level)
        return [other for other in self.shown[max(at - 2, 0) : at + 3] if other is not level]


def _large_enough(labels: Volume, level: Level) -> bool:
    return bool((labels.array == level.value).sum() * np.prod(labels.spacing) > 2000.0)
