"""A case that is open in a scene: image, vertebrae, session, handles, watch over the segmentation, and the journal.

Slicer's module and the browser both stand on this; they add buttons.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.relabel import check_names, spatial_order
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.exchange import check_plan_matches
from spinescrew.exchange.journal import Journal, Unsaved, discard, unsaved_work
from spinescrew.geometry.volume import Volume
from spinescrew.planning.plan import Plan
from spinescrew.planning.session import Session
from spinescrew.scene.bundle import CT, LABELS, refer_inputs
from spinescrew.scene.host import DirectHost, Host
from spinescrew.scene.look import PLAIN, Look
from spinescrew.scene.plan_scene import PlanScene
from spinescrew.scene.segmentation_watch import SegmentationWatch
from spinescrew.scene.store import PLAN, PlanStore
from spinescrew.scene.volumes import add_segmentation, labels_from_node, name_segment, segments_by_level


class OpenCase:
    """A plan under edit.

    Parameters
    ----------
    scene:
        MRML scene that holds the nodes.
    plan, spine:
        What was planned, in what; ``automatic`` is the plan that differences are told from.
    ct_node, labels_node:
        Where they came from; a segmentation node is watched for corrections.
    journal_folder:
        Where unsaved work is kept; nowhere when left out.
    unsaved:
        Whether the plan is recovered work that is saved nowhere else.
    look:
        How much is shown.
    kind:
        Plans of different kinds stand in a scene side by side (:mod:`spinescrew.scene.store`).
    """

    def __init__(
        self,
        scene: Any,
        plan: Plan,
        spine: Spine,
        *,
        automatic: Plan | None = None,
        ct_node: Any = None,
        labels_node: Any = None,
        host: Host | None = None,
        journal_folder: Path | None = None,
        unsaved: bool = False,
        look: Look = PLAIN,
        kind: str = PLAN,
    ) -> None:
        self.host: Host = host or DirectHost()
        self.session = Session(plan, spine, automatic=automatic)
        self.shown = PlanScene(scene, self.session, self.host, look, kind)
        refer_inputs(self.shown, ct_node, labels_node)
        self.watch: SegmentationWatch | None = None
        if labels_node is not None and labels_node.IsA("vtkMRMLSegmentationNode"):
            self.watch = SegmentationWatch(labels_node, self.session, self.host, self._tell)
            self.shown.on_close.append(self.watch.close)
        self.on_problem: list[Callable[[str], None]] = self.shown.on_problem
        self.journal = Journal(journal_folder, self._tell) if journal_folder is not None else None
        if self.journal is not None:
            self.journal.follow(self.session, unsaved)

    @property
    def closed(self) -> bool:
        """Whether the scene was closed under it, or :meth:`close` was called."""
        return self.shown.closed

    @property
    def observer_count(self) -> int:
        """How many observers stand; none after :meth:`close`."""
        return self.shown.observer_count + (self.watch.observer_count if self.watch is not None else 0)

    def saved(self) -> None:
        """The plan was written to a file: nothing is unsaved."""
        if self.journal is not None:
            self.journal.saved()

    def close(self, remove_nodes: bool = False, keep_journal: bool = False) -> None:
        """Let go of the scene; unsaved work is forgotten unless ``keep_journal``."""
        self.shown.close(remove_nodes)
        if self.journal is not None:
            self.journal.stop(keep_journal)

    def _tell(self, text: str) -> None:
        for listener in tuple(self.on_problem):
            listener(text)


def as_segmentation(scene: Any, node: Any, numbering: str = "auto") -> Any:
    """The segmentation to work on: ``node`` itself, or a new one made of a label volume."""
    if node.IsA("vtkMRMLSegmentationNode"):
        return node
    return add_segmentation(scene, labels_from_node(scene, node, numbering), f"{node.GetName()} vertebrae")


def rename_levels(node: Any, names: dict[Level, Level]) -> None:
    """Correct the levels of a segmentation's segments.

    Raises
    ------
    InputError
        If two vertebrae would have the same name, or the names would not run from the head down; nothing is renamed.
    """
    segments = segments_by_level(node)
    wanted = {level: names.get(level, level) for level in segments}
    check_names(wanted, spatial_order(labels_from_node(node.GetScene(), node)))
    segmentation = node.GetSegmentation()
    for level, identifier in segments.items():
        if wanted[level] is not level:
            name_segment(segmentation.GetSegment(identifier), wanted[level])


def check_same_image(plan: Plan, labels: Volume, ct: Volume | None, *, confirmed: bool = False) -> tuple[str, ...]:
    """:func:`spinescrew.exchange.check_plan_matches` before anything is measured."""
    return check_plan_matches(plan, Spine({}, labels, ct), confirmed=confirmed)


def kept_plan(scene: Any) -> tuple[Plan, Plan | None, Any, Any] | None:
    """(plan, automatic plan, CT node, labels node) of the plan that a loaded scene holds; ``None`` if it holds none.

    Raises
    ------
    InputError
        If the plan in the scene is damaged, or its vertebrae are no longer there.
    """
    store = PlanStore.find(scene)
    if store is None:
        return None
    labels = store.referred(LABELS)
    if labels is None:
        raise InputError("the vertebrae of this scene's plan are no longer in it; load them and open the plan file")
    return store.read(), store.read_automatic(), store.referred(CT), labels


def recoverable(folder: Path, labels: Volume) -> Unsaved | None:
    """The newest unsaved work on these labels that a crash left behind."""
    found = unsaved_work(folder, labels.content_hash())
    return found[0] if found else None


__all__ = [
    "OpenCase",
    "as_segmentation",
    "check_same_image",
    "discard",
    "kept_plan",
    "recoverable",
    "rename_levels",
]
