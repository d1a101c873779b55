"""The C2 tab: what was judged, shown in its own four views, with its screws in hand like any other."""

from __future__ import annotations

import asyncio
from typing import Any

import slicer

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.feasibility.assessment import C2Assessment
from spinescrew.planning import actions
from spinescrew.reports.palette import BONE_OUTLINE
from spinescrew.scene.c2_scene import C2Scene
from spinescrew.scene.c2_screws import open_screws
from spinescrew.scene.look import Look
from spinescrew.scene.screw_nodes import rgb_of
from spinescrew.scene.volumes import add_volume
from spinescrew.viewer import c2_shown
from spinescrew.viewer.desk import Desk
from spinescrew.viewer.host import LoopHost
from spinescrew.viewer.opened import Judged, Opened
from spinescrew.viewer.places import C2_PANES

FIELD_MM = 64.0
ELEVATION_DEG = 35.0
"""How far from above the bone is first seen, so that both pedicles lie free of the arch."""

LOOKS = ("attention", "attention_surface", "attention_opacity", "attention_threshold")


class C2Desk(Desk):
    """A desk with an assessment of C2 on it. Made while the event loop runs."""

    field_mm, elevation_deg = FIELD_MM, ELEVATION_DEG

    def __init__(self, state: Any) -> None:
        super().__init__(state, C2_PANES)
        self.found: C2Assessment | None = None
        self.picture: C2Scene | None = None

    async def show(self, judged: Judged) -> None:
        """Put an assessment on the desk in place of the one that is there."""
        self.close_case()
        found = judged.found
        self.ct_node = add_volume(self.scene, found.ct, judged.name)
        self.panes.show_volume(self.ct_node)
        await asyncio.sleep(0)
        self.found, self.picture = found, C2Scene(self.scene, found, self.ct_node)
        _outline(self.picture)
        await asyncio.sleep(0)
        look = Look(brief=True, light=True)
        self.case = open_screws(self.scene, found, self.ct_node, LoopHost(), look)
        session = self.case.session
        self.opened = Opened(session.plan, session.spine, judged.name, notes=found.warnings)
        with self.state as state:
            state.c2 = c2_shown.answer(found)
        self._take_up(self.case, unsaved=False)
        self.show_attention()
        if session.selected is None:
            self.look("left")

    def close_case(self, keep_journal: bool = False) -> None:
        """Take the assessment off the desk; its nodes go too."""
        picture, self.picture, self.found = self.picture, None, None
        if picture is not None:
            picture.remove()
        super().close_case(keep_journal)

    def look(self, side: Side) -> None:
        """Slices through this pedicle: along its screw, or along the pedicle itself where there is none."""
        if self.case is None or self.picture is None or self.found is None:
            return
        session = self.case.session
        session.select((Level.C2, side))
        if actions.in_hand(session) is not None:
            self.case.shown.align_slices()
            self._centre()
        elif self.state.aligned:
            self.picture.look_at(side, [view.get_view_node() for view in self.panes.slices])
        else:
            self.panes.look_at(self.found.sides[side].measures.isthmus)
        self.panes.draw()
        self.refresh()

    def reset_views(self) -> None:
        """Everything is seen; slices through the pedicle in hand."""
        super().reset_views()
        if self.session is not None and self.session.selected is not None:
            self.look(self.session.selected[1])

    def show_attention(self) -> None:
        """As the page's switches and sliders say."""
        picture, state = self.picture, self.state
        if picture is not None:
            picture.set_threshold(float(state.attention_threshold))
            picture.set_surface(bool(state.attention_surface))
            picture.set_opacity(float(state.attention_opacity))
            picture.show_attention(bool(state.attention))
            self.panes.draw()

    def toggle_attention(self) -> None:
        """On where it is off."""
        with self.state as state:
            state.attention = not state.attention

    def _show_bone(self) -> None:
        surface = self.picture.node("surface") if self.picture is not None else None
        if surface is not None:
            surface.GetDisplayNode().SetOpacity(float(self.state.c2_bone))

    def refresh(self) -> None:
        """Tell the page everything of the session, and which side is in hand."""
        super().refresh()
        session = self.session
        if session is not None and self.front:
            with self.state as state:
                state.c2_side = session.selected[1] if session.selected is not None else ""


def _outline(picture: C2Scene) -> None:
    """Smooth outlines in the slices: the surface that was measured, and not the voxels' steps."""
    picture.node("labels").GetDisplayNode().SetVisibility2D(False)
    outline = slicer.vtkMRMLModelDisplayNode()
    outline.SetVisibility3D(False)
    outline.SetVisibility2D(True)
    outline.SetSliceIntersectionThickness(2)
    outline.SetColor(*rgb_of(BONE_OUTLINE))
    picture.scene.AddNode(outline)
    picture.node("surface").AddAndObserveDisplayNodeID(outline.GetID())
    pedicles = picture.node("pedicles")
    pedicles.GetSegmentation().SetConversionParameter("Smoothing factor", "0.3")
    pedicles.CreateClosedSurfaceRepresentation()
    pedicles.GetDisplayNode().SetPreferredDisplayRepresentationName2D("Closed surface")
