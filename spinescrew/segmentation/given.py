"""Labels that the user gives, as one more engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.numbering import to_verse
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.progress import Progress
from spinescrew.segmentation.combine import resample_labels
from spinescrew.segmentation.engine import Segmentation
from spinescrew.segmentation.finish import GIVEN, finish

_INSIDE = 0.98


class GivenLabels:
    """A label map made elsewhere.

    Parameters
    ----------
    labels:
        Any grid in the same patient space, any numbering :func:`to_verse` reads.
    numbering:
        As :func:`spinescrew.anatomy.numbering.to_verse` takes it.
    """

    name = GIVEN
    title = "labels made elsewhere (by hand or by another program)"

    def __init__(self, labels: Volume | None = None, numbering: str = "auto") -> None:
        self._labels, self._numbering = labels, numbering

    def unavailable(self) -> str:
        """Why it cannot run: nothing was given."""
        return "" if self._labels is not None else "no labels were given; give a label map of the vertebrae"

    def segment(self, ct: Volume, levels: Sequence[Level] | None, progress: Progress) -> Segmentation:
        """The labels in VerSe ids on the CT's grid; all of them, whatever ``levels`` asks for.

        Raises
        ------
        InputError
            If none were given, their numbering is unclear, or they lie outside the CT.
        """
        if self._labels is None:
            raise InputError(self.unavailable())
        with progress.step("read the labels", 0.0, 0.7):
            verse = to_verse(self._labels, self._numbering)
            _check_same_place(verse, ct)
            labels = resample_labels(verse, ct)
        moved = "" if verse.same_grid(ct) else ", resampled to the CT's grid"
        provenance = f"labels given by the user ({verse.metadata['numbering']}){moved}"
        return finish(ct, labels, self.name, provenance, wanted=levels, progress=progress.part(0.7, 1.0))


def _check_same_place(labels: Volume, ct: Volume) -> None:
    """Refuse labels of another image."""
    index = np.argwhere(labels.array > 0)
    index = index[:: max(1, len(index) // 5000)]
    inside = float(ct.contains(labels.index_to_ras(index), margin_mm=-1.0).mean())
    if inside < _INSIDE:
        raise InputError(
            f"{100 * (1 - inside):.0f} % of the given labels lie outside the CT; give the labels made from this image"
        )
