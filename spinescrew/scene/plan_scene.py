"""A session in a MRML scene: what is dragged becomes edits, what changes is shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import slicer
import vtk

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.planning import edits
from spinescrew.planning.plan import Key, Plan
from spinescrew.planning.session import Change, Session
from spinescrew.scene.aligned_slices import AlignedSlices
from spinescrew.scene.ghost import Ghost
from spinescrew.scene.grips import PARTS, Grips, Part, part_point, text_from_key
from spinescrew.scene.host import DirectHost, Host
from spinescrew.scene.look import PLAIN, Look
from spinescrew.scene.meshes import BonePiercing
from spinescrew.scene.observers import Observers
from spinescrew.scene.remove import forget_item, remove_node
from spinescrew.scene.screw_nodes import ScrewNodes, screw_pose_ends
from spinescrew.scene.store import PLAN, PlanStore, key_of_role
from spinescrew.scene.table_node import ScrewTable

FOLDER_NAME = "SpineScrew plan"
REST_S = 0.6
_MOVED_MM = 1e-6


class PlanScene:
    """The plan of a session as nodes, and the nodes as handles of the plan.

    The session's plan is the only truth. An event of a node only notes which screw was touched; at the next frame its
    place is read, becomes an edit of the session, and every node that shows something of it is brought up to date. A
    refused edit (a locked screw, a length that does not exist) puts the nodes back and is told in :attr:`problem`.

    Parameters
    ----------
    scene:
        The MRML scene.
    session:
        What it shows. If the scene holds the nodes of an earlier session of this ``kind`` they are taken over.
    host:
        Frames and timers; without one everything happens at once.
    look:
        How much is shown.
    """

    def __init__(
        self, scene: Any, session: Session, host: Host | None = None, look: Look = PLAIN, kind: str = PLAN
    ) -> None:
        self.scene, self.session, self._look = scene, session, look
        self.host: Host = host or DirectHost()
        self.store = PlanStore.find(scene, kind) or PlanStore.create(scene, kind)
        self.folder = self._find_folder()
        self.grips = Grips(scene, self.store, self.folder, look)
        self.table = ScrewTable(scene, self.store, self.folder)
        self.ghost = Ghost(scene, self.store, self.folder)
        self.slices: AlignedSlices | None = None
        self.problem = ""
        self.on_change: list[Callable[[Change], None]] = []
        self.on_problem: list[Callable[[str], None]] = []
        self.on_close: list[Callable[[], None]] = []
        self.closed = False
        self._screws: dict[Key, ScrewNodes] = {}
        self._piercing: dict[Level, BonePiercing] = {}
        self._observers = Observers()
        self._touched: dict[Key, str] = {}
        self._held: dict[Key, tuple[np.ndarray, np.ndarray]] = {}
        self._writing = 0
        self._aligned_to: Key | None = None
        self._watched_grips: Any = None
        self._unsubscribe = session.subscribe(self._on_session)
        self._drop_foreign_nodes()
        self.refresh()
        self._observe_scene()
        self.store.write(session.plan, session.automatic)

    def nodes(self, key: Key) -> ScrewNodes:
        """The nodes of a planned screw; :class:`InputError` if it has none."""
        if key not in self._screws:
            raise InputError(f"{key[0].label} {key[1]} has no screw in the scene")
        return self._screws[key]

    @property
    def observer_count(self) -> int:
        """How many observers stand; none after :meth:`close`."""
        return len(self._observers)

    def watch_slices(self, slices: AlignedSlices | None) -> None:
        """Slice views that stand along the screw in hand from now on; ``None`` gives the present ones back."""
        if self.slices is not None:
            self.slices.stop()
        self.slices = slices
        if slices is not None:
            slices.start()
            self.align_slices()

    def align_slices(self) -> None:
        """Put the slice views along the screw in hand."""
        row = self._row(self.session.selected)
        if self.slices is not None and row is not None and row.level in self.session.spine.vertebrae:
            assert row.screw is not None
            self._aligned_to = row.key
            self.slices.align(row.screw, self.session.spine.vertebrae[row.level].frame)

    def show_ghost(self, on: bool) -> None:
        """Show or hide the automatic plan."""

        def work() -> None:
            if on and not self.ghost.shown:
                self.ghost.show(self.session.automatic)
                self.ghost.compare(self.session.plan.screws)
            elif not on:
                self.ghost.hide()

        self._quietly(work)

    def refresh(self) -> None:
        """Bring every node up to date, whatever someone did to it."""
        self._show(frozenset(row.key for row in self.session.plan.screws), live=False)

    def flush(self) -> None:
        """Turn what was touched into edits now; nothing is left for the next frame."""
        touched, self._touched = self._touched, {}
        if self.closed:
            return
        for key, what in touched.items():
            try:
                self._edit_from(key, what)
            except InputError as error:
                self._tell_problem(str(error))
                self._show(frozenset([key]), live=bool(self.session.gesture))

    def close(self, remove_nodes: bool = False) -> None:
        """Let go of the scene; with ``remove_nodes`` also take out everything that shows the plan."""
        if self.closed:
            return
        self.closed = True
        for work in self.on_close:
            work()
        self.host.stop()
        self._observers.remove()
        self._unsubscribe()
        if self.slices is not None and remove_nodes:
            self.slices.stop()
        if remove_nodes:
            for nodes in self._screws.values():
                nodes.remove()
            self.ghost.hide()
            self.grips.remove()
            self.table.remove()
            hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self.scene)
            hierarchy.RemoveItem(self.folder, False, False)
            remove_node(self.scene, self.store.node)
        self._screws.clear()

    def _find_folder(self) -> int:
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self.scene)
        kept = self.store.node.GetAttribute("SpineScrew.Folder")
        if kept:
            item = hierarchy.GetItemByUID("SpineScrew", kept)
            if item:
                return int(item)
        folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), FOLDER_NAME)
        hierarchy.SetItemUID(folder, "SpineScrew", self.store.node.GetID())
        self.store.node.SetAttribute("SpineScrew.Folder", self.store.node.GetID())
        return int(folder)

    def _drop_foreign_nodes(self) -> None:
        """Remove what an earlier plan left in the scene and this one does not show."""
        planned = {row.key for row in self.session.plan.planned}
        for role in list(self.store.roles()):
            found = key_of_role(role)
            if found is not None and found[0] not in planned and found[1] != "ghost":
                node = self.store.referred(role)
                self.store.refer(role, None)
                remove_node(self.scene, node)

    def _observe_scene(self) -> None:
        @vtk.calldata_type(vtk.VTK_OBJECT)
        def removed(_caller: Any, _event: str, node: Any) -> None:
            self._on_node_removed(node)

        self._observers.add(self.scene, slicer.vtkMRMLScene.NodeRemovedEvent, removed)
        self._observers.add(self.scene, slicer.vtkMRMLScene.StartCloseEvent, lambda *_: self.close())

    def _observe(self, key: Key) -> None:
        nodes, group = self._screws[key], text_from_key(key)
        line, pose = nodes.node("line"), nodes.node("pose")
        kind = slicer.vtkMRMLMarkupsNode
        self._observers.remove(group)
        for event in (kind.PointModifiedEvent, kind.PointRemovedEvent):
            self._observers.add(line, event, lambda *_: self._touch(key, "line"), group)
        # lines are locked, but someone may unlock one in the Markups module
        self._observers.add(line, kind.PointStartInteractionEvent, lambda *_: self._on_start(key, "line"), group)
        self._observers.add(line, kind.PointEndInteractionEvent, lambda *_: self._on_end(), group)
        moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        self._observers.add(pose, moved, lambda *_: self._touch(key, "pose"), group)

    def _observe_grips(self) -> None:
        node = self._watched_grips = self.grips.node
        kind = slicer.vtkMRMLMarkupsNode
        self._observers.remove("grips")
        for event in (kind.PointModifiedEvent, kind.PointRemovedEvent):
            self._observers.add(node, event, lambda *_: self._on_grips(), "grips")
        self._observers.add(node, kind.PointStartInteractionEvent, lambda *_: self._on_grip_start(), "grips")
        self._observers.add(node, kind.PointEndInteractionEvent, lambda *_: self._on_end(), "grips")

    def _touch(self, key: Key, what: str) -> None:
        if not self._writing and not self.closed:
            self._touched[key] = what
            self.host.soon(self.flush)

    def _on_start(self, key: Key, part: str) -> None:
        if self._writing or self.closed:
            return
        self.flush()
        words = "move" if part == "whole" else "drag"
        self.session.begin(f"{words} {text_from_key(key)}")
        row = self._row(key)
        if row is not None and row.screw is not None:
            self._held[key] = (row.screw.entry.copy(), row.screw.tip.copy())
        self.session.select(key)

    def _on_end(self) -> None:
        if self._writing or self.closed:
            return
        self.flush()
        self._held.clear()
        self.session.end()

    def _on_grip_start(self) -> None:
        if self._writing or self.closed:
            return
        display = self.grips.node.GetDisplayNode()
        number = display.GetActiveControlPoint("") if display is not None else -1
        held = next((held for held, n in self.grips.numbers().items() if n == number), None)
        if held is not None:
            self._on_start(*held)

    def _on_grips(self) -> None:
        """Some handle was moved or removed: find out which at the next frame."""
        if self._writing or self.closed:
            return
        numbers = self.grips.numbers()
        touched = {key: self._touched_part(key, numbers) for key in self._screws}
        for key, part in touched.items():
            if part:
                self._touch(key, part)

    def _touched_part(self, key: Key, numbers: Mapping[tuple[Key, Part], int]) -> str:
        """Which handle of a screw is not where its plan has it; ``"removed"`` if one is gone, empty if none."""
        row = self._row(key)
        if row is None or row.screw is None:
            return ""
        if any((key, part) not in numbers for part in PARTS):
            return "removed"
        for part in PARTS:
            if np.abs(self.grips.position(numbers[key, part]) - part_point(row.screw, part)).max() > _MOVED_MM:
                return part
        return ""

    def _on_node_removed(self, node: Any) -> None:
        if self._writing or self.closed or node is None:
            return
        forget_item(self.scene, node)
        if node is self.store.node:
            self.close()
            return
        for key, nodes in list(self._screws.items()):
            if any(nodes.node(part) is None for part in ("line", "pose", "model")):
                self._touch(key, "removed")
        if self.grips.node is None or self.table.node is None:
            self.host.soon(self._restore_shared)

    def _restore_shared(self) -> None:
        """The list of handles and the table are not the user's to lose: they come back."""
        if not self.closed:
            self.refresh()

    def _edit_from(self, key: Key, what: str) -> None:
        row = self._row(key)
        if row is None or row.screw is None:
            return
        level, side = key
        name = f"move {text_from_key(key)}"
        if what == "removed":
            self.session.edit(f"delete {text_from_key(key)}", lambda plan: edits.delete(plan, level, side))
        elif what == "whole":
            shift = self.grips.position(self.grips.keys()[key]) - part_point(row.screw, "whole")
            self.session.edit(name, lambda plan: edits.move(plan, level, side, shift), merge=True)
        elif what in ("entry", "tip"):
            numbers = self.grips.numbers()
            entry, tip = (self.grips.position(numbers[key, end]) for end in ("entry", "tip"))
            self._place(key, *self._with_held_end(key, row.screw, entry, tip))
        elif what == "pose":
            self._place(key, *screw_pose_ends(self.nodes(key).pose(), row.screw.shape.length_mm))
        else:
            ends = self.nodes(key).ends()
            if ends is None:
                self._show(frozenset([key]), live=False)
                return
            self._place(key, *self._with_held_end(key, row.screw, *ends))

    def _place(self, key: Key, entry: np.ndarray, tip: np.ndarray) -> None:
        level, side = key
        screw = self.session.plan.get(level, side).screw
        assert screw is not None
        if max(np.abs(entry - screw.entry).max(), np.abs(tip - screw.tip).max()) <= _MOVED_MM:
            return
        catalog = self.session.catalog if self.session.snap else None
        name = f"move {text_from_key(key)}"
        self.session.edit(name, lambda plan: edits.place(plan, level, side, entry, tip, catalog=catalog), merge=True)

    def _with_held_end(self, key: Key, screw: Any, entry: np.ndarray, tip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The end that is not dragged stays where it was when the gesture began, however lengths snapped since."""
        if key not in self._held:
            return entry, tip
        if np.abs(tip - screw.tip).max() >= np.abs(entry - screw.entry).max():
            return self._held[key][0], tip
        return entry, self._held[key][1]

    def _on_session(self, change: Change) -> None:
        if self.closed:
            return
        self.problem = ""
        if change.spine:
            self._piercing.clear()
        self._show(change.keys, change.live)
        if not change.live:
            self.store.write(self.session.plan)
            self.host.later("risk", REST_S, self._rested)
        for listener in tuple(self.on_change):
            listener(change)

    def _rested(self) -> None:
        if not self.closed and not self.session.gesture:
            self.session.refine()

    def _show(self, keys: Collection[Key], live: bool) -> None:
        self._quietly(lambda: self._show_all(keys, live))

    def _show_all(self, keys: Collection[Key], live: bool) -> None:
        plan, session = self.session.plan, self.session
        if not live:
            self._remove_unplanned(plan)
        shown = []
        for row in plan.planned:
            if row.key not in keys and row.key in self._screws:
                continue
            new = row.key not in self._screws
            if new:
                self._screws[row.key] = ScrewNodes(self.scene, self.store, row.key, self.folder, self._look)
            before = [id(self._screws[row.key].node(part)) for part in ("line", "pose")]
            self._screws[row.key].show(
                row,
                selected=row.key == session.selected,
                stale=row.level in session.stale,
                live=live,
                piercing=self._piercing_of(row.level),
            )
            if new or before != [id(self._screws[row.key].node(part)) for part in ("line", "pose")]:
                self._observe(row.key)
            shown.append(row)
        self.grips.show(shown, session.selected, session.stale)
        if self.grips.node is not self._watched_grips:
            self.grips.show(plan.planned, session.selected, session.stale)
            self._observe_grips()
        self.table.show(plan, session.automatic, keys, session.stale)
        if self.ghost.shown:
            self.ghost.compare([row for row in plan.screws if row.key in keys])
        self._follow(keys, live)

    def _follow(self, keys: Collection[Key], live: bool) -> None:
        key = self.session.selected
        row = self._row(key)
        if self.slices is None or row is None or key not in keys or row.level not in self.session.spine.vertebrae:
            return
        assert row.screw is not None
        frame = self.session.spine.vertebrae[row.level].frame
        if self._aligned_to != key:
            self._aligned_to = key
            self.slices.align(row.screw, frame)
        else:
            self.slices.moved(row.screw, frame, live)

    def _remove_unplanned(self, plan: Plan) -> None:
        planned = {row.key for row in plan.planned}
        for key in [key for key in self._screws if key not in planned]:
            self._observers.remove(text_from_key(key))
            self._screws.pop(key).remove()
        self.grips.ensure()
        self.grips.keep_only(planned)

    def _piercing_of(self, level: Level) -> BonePiercing | None:
        if level not in self._piercing and level in self.session.spine.vertebrae:
            self._piercing[level] = BonePiercing(self.session.spine.vertebrae[level])
        return self._piercing.get(level)

    def _row(self, key: Key | None) -> Any:
        return next((row for row in self.session.plan.planned if row.key == key), None)

    def _tell_problem(self, text: str) -> None:
        self.problem = text
        for listener in tuple(self.on_problem):
            listener(text)

    def _quietly(self, work: Callable[[], None]) -> None:
        """Do ``work`` without hearing the events it causes."""
        self._writing += 1
        try:
            work()
        finally:
            self._writing -= 1
