"""A segmentation that is being corrected: grades go stale at once and are made again when the hand rests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.relabel import check_names, spatial_order
from spinescrew.anatomy.update import changed_levels, update_spine
from spinescrew.errors import SpineScrewError
from spinescrew.geometry.volume import Volume
from spinescrew.planning.session import Session
from spinescrew.scene.host import Host
from spinescrew.scene.observers import Observers
from spinescrew.scene.volumes import labels_from_segmentation, level_from_name

REST_S = 0.1


class SegmentationWatch:
    """Keeps a session's vertebrae as its segmentation node has them.

    Parameters
    ----------
    node:
        ``vtkMRMLSegmentationNode`` whose segments are named by level.
    tell:
        Called with one line when the corrected segmentation cannot be used; the grades then stay stale.
    """

    def __init__(
        self, node: Any, session: Session, host: Host, tell: Callable[[str], None] = lambda text: None
    ) -> None:
        self.node, self.session, self.host, self._tell = node, session, host, tell
        self._observers = Observers()
        self._levels = _names(node)
        self._good_names = set(self._levels.values())
        self._seen: tuple[Volume, frozenset[Level]] | None = None
        kind = slicer.vtkSegmentation
        for event in (
            kind.SourceRepresentationModified,
            kind.RepresentationModified,
            kind.SegmentAdded,
            kind.SegmentRemoved,
            kind.SegmentModified,  # renamed; undo of the Segment Editor tells nothing else
        ):
            self._observers.add(node.GetSegmentation(), event, lambda *_: host.soon(self.look))

    @property
    def observer_count(self) -> int:
        """How many observers stand; none after :meth:`close`."""
        return len(self._observers)

    def close(self) -> None:
        """Stop watching."""
        self._observers.remove()

    def look(self) -> None:
        """Grades of whatever differs from what was measured are stale now, and are made anew when the hand rests."""
        before = self.session.spine.labels
        self._seen = None
        try:
            labels = labels_from_segmentation(self.node, before)
            changed = changed_levels(before, labels)
            self._seen = (labels, changed)
        except SpineScrewError:
            before_names, names = self._levels, _names(self.node)
            pairs = [(before_names.get(key), names.get(key)) for key in before_names.keys() | names.keys()]
            changed = frozenset(
                level for old, new in pairs if old is not new for level in (old, new) if level is not None
            )
            changed = changed or frozenset(self.session.spine.vertebrae)
        self._levels = _names(self.node)
        planned = {row.level for row in self.session.plan.screws}
        self.session.mark_stale(
            [level for level in changed if level in self.session.spine.vertebrae or level in planned]
        )
        if changed or self.session.stale:
            self.host.later("remeasure", REST_S, self.remeasure)

    def remeasure(self) -> None:
        """Measure what changed and grade again; says what is wrong where the segmentation cannot be used."""
        before, seen = self.session.spine, self._seen
        self._seen = None
        if self.node.GetParentTransformNode() is not None:
            seen = None  # to be refused in words
        try:
            labels = seen[0] if seen is not None else labels_from_segmentation(self.node, before.labels)
            changed = seen[1] if seen is not None else changed_levels(before.labels, labels)
            self._check_names(labels)
            if changed or self.session.stale:
                self.session.use_spine(update_spine(before, labels, changed), changed | self.session.stale)
        except SpineScrewError as error:
            self._tell(str(error))

    def _check_names(self, labels: Volume) -> None:
        """Refuse names that no spine has in this place, if any was changed since they were last found good."""
        if set(self._levels.values()) != self._good_names:
            order = spatial_order(labels)
            check_names({level: level for level in order}, order)
            self._good_names = set(self._levels.values())


def _names(node: Any) -> dict[str, Level]:
    """Level by segment identifier, as far as names tell; two of one name are no error here."""
    segmentation = node.GetSegmentation()
    identifiers = [segmentation.GetNthSegmentID(n) for n in range(segmentation.GetNumberOfSegments())]
    named = {identifier: level_from_name(segmentation.GetSegment(identifier).GetName()) for identifier in identifiers}
    return {identifier: level for identifier, level in named.items() if level is not None}
