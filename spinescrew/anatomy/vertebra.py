"""A vertebra and its parts, as grading and planning need them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, VertebralFrame
from spinescrew.anatomy.levels import Level, cranial_to_caudal, position
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pedicle:
    """One pedicle: its axis and its narrowest section, the isthmus.

    Attributes
    ----------
    side:
        ``"left"`` or ``"right"`` of the patient.
    isthmus:
        (3,) centre of the narrowest section, RAS.
    axis:
        (3,) unit direction of the pedicle's own axis, from posterior into the body.
    medial:
        (3,) unit direction at right angles to ``axis`` along which ``width_mm`` was measured, pointing medially.
    width_mm, height_mm:
        Outer diameters of the isthmus: the smallest chord within 30 degrees of transverse, and the one across it.
    inner_width_mm, inner_height_mm:
        Between the inner cortices; measured in the CT where there is one (``inner_source == "ct"``), otherwise the
        outer size less usual wall thicknesses (``"assumed walls"``).
    junction_mm:
        Signed distance along ``axis`` from ``isthmus`` to the pedicle-body junction (positive, anterior).
    dorsal_mm:
        Signed distance along ``axis`` from ``isthmus`` to the dorsal cortex (negative).
    chord_mm:
        Length along ``axis`` from the dorsal cortex to the anterior or lateral cortex of the body.
    pta_deg, psa_deg:
        Angles of ``axis`` in the vertebra's frame.
    notes:
        Doubts for people to read.
    """

    side: Side
    isthmus: Floats
    axis: Floats
    medial: Floats
    width_mm: float
    height_mm: float
    inner_width_mm: float
    inner_height_mm: float
    inner_source: str
    junction_mm: float
    dorsal_mm: float
    chord_mm: float
    pta_deg: float
    psa_deg: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Canal:
    """The vertebral canal at this level, as points that fill it.

    ``points`` (n, 3) RAS, at most ``spacing_mm`` apart, boundary included; sizes at pedicle height in mm.
    """

    points: Floats
    spacing_mm: float
    width_mm: float
    depth_mm: float


@dataclass(frozen=True, eq=False)
class FacetJoint:
    """The joint between this vertebra's superior articular process and the vertebra above.

    ``points`` (n, 3) RAS fill the thin slab between both articular surfaces, at most ``spacing_mm`` apart.
    ``normal`` points from this vertebra towards the upper one; ``gap_mm`` is the median joint width.
    """

    side: Side
    points: Floats
    spacing_mm: float
    normal: Floats
    gap_mm: float


@dataclass(frozen=True, eq=False)
class Vertebra:
    """One vertebra of a spine.

    Attributes
    ----------
    level:
        Which one.
    bone:
        Signed distance to its cortex in mm, negative inside.
    frame:
        Its own frame.
    pedicles:
        By side; a side that could not be measured is absent and its reason is in ``missing``.
    canal:
        ``None`` where it could not be found.
    facets:
        Joints with the vertebra above, by side; absent where the upper vertebra is not in view (reason in
        ``missing`` under ``"facet left"``, ``"facet right"``).
    missing:
        Part name (``"left"``, ``"right"``, ``"canal"``, ``"facet left"``, ...) to the reason it is absent.
    cut:
        Names of the patient sides on which the field of view cuts this vertebra (``"superior"``, ...).
    interpedicular_mm:
        Distance between the medial walls of the two pedicles at the isthmus; NaN if either is missing.
    """

    level: Level
    bone: SignedDistance
    frame: VertebralFrame
    pedicles: dict[Side, Pedicle]
    canal: Canal | None = None
    facets: dict[Side, FacetJoint] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    cut: tuple[str, ...] = ()
    interpedicular_mm: float = float("nan")


@dataclass(frozen=True, eq=False)
class Spine:
    """Named vertebrae in one image.

    Attributes
    ----------
    vertebrae:
        By level, from the head down.
    labels:
        The label map they came from (VerSe ids); it defines the field of view and the voxel spacing.
    ct:
        The CT, on its own grid, or ``None`` for a mask alone.
    skipped:
        Levels that are in the label map but could not be measured at all, with the reason.
    """

    vertebrae: dict[Level, Vertebra]
    labels: Volume
    ct: Volume | None = None
    skipped: dict[Level, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)

    def above(self, level: Level) -> Vertebra | None:
        """The next vertebra towards the head that is adjacent to ``level``, or ``None`` where it is not in view."""
        return self._neighbour(level, -1)

    def below(self, level: Level) -> Vertebra | None:
        """The next vertebra towards the feet that is adjacent to ``level``, or ``None``."""
        return self._neighbour(level, +1)

    def _neighbour(self, level: Level, step: int) -> Vertebra | None:
        rare = {Level.T13, Level.L6}
        order = cranial_to_caudal()
        rank = position(level) + step
        while 0 <= rank < len(order):
            found = self.vertebrae.get(order[rank])
            if found is not None:
                return found
            if order[rank] not in rare:
                return None
            rank += step
        return None
