"""A segmentation that is being corrected: grades go stale at once and are made again when the hand rests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import vtk

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.update import changed_levels, update_spine
from spinescrew.errors import SpineScrewError
from spinescrew.planning.session import Session
from spinescrew.scene.host import Host
from spinescrew.scene.observers import Observers
from spinescrew.scene.volumes import labels_from_segmentation, level_from_name, segments_by_level

REST_S = 0.2


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
        segmentation = node.GetSegmentation()
        self._levels = {identifier: level for level, identifier in segments_by_level(node).items()}

        @vtk.calldata_type(vtk.VTK_STRING)
        def edited(_caller: Any, _event: str, identifier: str) -> None:
            self._on_edited(identifier)

        kind = slicer.vtkSegmentation
        for event in (kind.SourceRepresentationModified, kind.SegmentAdded, kind.SegmentRemoved):
            self._observers.add(segmentation, event, edited)

        @vtk.calldata_type(vtk.VTK_STRING)
        def renamed(_caller: Any, _event: str, identifier: str) -> None:
            self._on_renamed(identifier)

        self._observers.add(segmentation, kind.SegmentModified, renamed)

    @property
    def observer_count(self) -> int:
        """How many observers stand; none after :meth:`close`."""
        return len(self._observers)

    def close(self) -> None:
        """Stop watching."""
        self._observers.remove()

    def remeasure(self) -> None:
        """Measure what changed and grade again; says what is wrong where the segmentation cannot be used."""
        try:
            labels = labels_from_segmentation(self.node, self.session.spine.labels)
            changed = changed_levels(self.session.spine.labels, labels)
            if not changed and not self.session.stale:
                return
            self._levels = {identifier: level for level, identifier in segments_by_level(self.node).items()}
            self.session.use_spine(update_spine(self.session.spine, labels, changed), changed)
        except SpineScrewError as error:
            self._tell(str(error))

    def _on_edited(self, identifier: str) -> None:
        segment = self.node.GetSegmentation().GetSegment(identifier) if identifier else None
        named = level_from_name(segment.GetName()) if segment is not None else None
        levels = {level for level in (named, self._levels.get(identifier)) if level is not None}
        self._stale(levels or set(self.session.spine.vertebrae))

    def _on_renamed(self, identifier: str) -> None:
        segment = self.node.GetSegmentation().GetSegment(identifier) if identifier else None
        now = level_from_name(segment.GetName()) if segment is not None else None
        before = self._levels.get(identifier)
        if now is not before:
            self._stale({level for level in (now, before) if level is not None})

    def _stale(self, levels: set[Level]) -> None:
        known = {level for level in levels if level in self.session.spine.vertebrae}
        self.session.mark_stale(known)
        self.host.later("remeasure", REST_S, self.remeasure)
