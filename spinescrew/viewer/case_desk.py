"""The planner's tab: a spine with its screws."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from spinescrew.anatomy.levels import Level
from spinescrew.scene.look import Look
from spinescrew.scene.open_case import OpenCase
from spinescrew.scene.remove import remove_node
from spinescrew.scene.volumes import add_segmentation, add_volume, segments_by_level
from spinescrew.viewer import shown
from spinescrew.viewer.desk import Desk
from spinescrew.viewer.host import LoopHost
from spinescrew.viewer.opened import Opened
from spinescrew.viewer.places import PANES

BONE_DECIMATION = 0.85
"""Share of the bone's triangles that the 3D view does without; nothing is measured on them."""


class CaseDesk(Desk):
    """A desk with a planned case on it. Made while the event loop runs.

    Parameters
    ----------
    journal_folder:
        Where unsaved work is kept; nowhere when left out.

    Attributes
    ----------
    names:
        How vertebrae shall be called, where otherwise than now.
    """

    def __init__(self, state: Any, journal_folder: Path | None = None) -> None:
        super().__init__(state, PANES)
        self.journal_folder = journal_folder
        self.names: dict[Level, Level] = {}
        self.labels_node: Any = None

    async def open(self, opened: Opened, unsaved: bool = False) -> None:
        """Put a case on the desk in place of the one that is there."""
        self.close_case()
        spine = opened.spine
        with self.state:
            self.state.job_text = "drawing the case"
        await asyncio.sleep(0)
        self.ct_node = add_volume(self.scene, spine.ct, opened.name) if spine.ct is not None else None
        self.panes.show_volume(self.ct_node)
        await asyncio.sleep(0)
        name = f"{opened.name} vertebrae"
        self.labels_node = add_segmentation(self.scene, spine.labels, name, decimation=BONE_DECIMATION)
        _dress(self.labels_node)
        await asyncio.sleep(0)
        self.opened = opened
        self.case = OpenCase(
            self.scene,
            opened.plan,
            spine,
            automatic=opened.automatic,
            ct_node=self.ct_node,
            labels_node=self.labels_node,
            host=LoopHost(),
            journal_folder=self.journal_folder,
            unsaved=unsaved,
            look=Look(brief=True, light=True),
        )
        self.names = {}
        self._take_up(self.case, unsaved)

    def close_case(self, keep_journal: bool = False) -> None:
        """Take the case off the desk; its nodes go too."""
        super().close_case(keep_journal)
        if self.labels_node is not None:
            remove_node(self.scene, self.labels_node)
        self.labels_node = None

    def refresh(self) -> None:
        """Tell the page everything of the session, and how the vertebrae are called."""
        super().refresh()
        if self.front and self.labels_node is not None:
            with self.state as state:
                state.levels = shown.level_rows(list(segments_by_level(self.labels_node)), self.names)

    def _show_bone(self) -> None:
        self.labels_node.GetDisplayNode().SetOpacity3D(float(self.state.bone))


def _dress(segmentation: Any) -> None:
    """Outlines in the slices, translucent bone in 3D, so that screws are seen in it."""
    display = segmentation.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetSliceIntersectionThickness(2)
    display.SetOpacity2DOutline(0.9)
    display.SetPreferredDisplayRepresentationName3D("Closed surface")
