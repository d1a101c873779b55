"""A case as one ``.mrb`` file, which Slicer opens with image, vertebrae and screws; and back."""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.geometry.atomic import atomic_path
from spinescrew.geometry.volume import Volume
from spinescrew.planning.plan import Plan
from spinescrew.planning.session import Session

CT, LABELS = "ct", "labels"


def bundle_problem() -> str:
    """Why no scene can be written here, in words; empty when one can."""
    try:
        import slicer  # noqa: F401
    except ImportError:
        return "scene.mrb needs the package slicer-core, which is not installed"
    return ""


def write_bundle(plan: Plan, spine: Spine, path: str | Path) -> Path:
    """CT, segmentation and screws of a case as an ``.mrb`` file, which replaces an older one only when it is whole.

    Nodes are called "CT" and "Vertebrae": no patient identity is written.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    from spinescrew.scene.standalone import full_scene, quiet

    path = Path(path)
    with full_scene() as scene:
        fill_scene(scene, plan, spine)
        with atomic_path(path) as temporary, tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / "scene.mrb"
            with quiet():
                done = scene.WriteToMRB(str(written), None)
            if not done or not written.is_file():
                raise InputError(f"'{path}' cannot be written; is there room on the disk?")
            temporary.write_bytes(written.read_bytes())
    return path


def read_bundle(scene: Any, path: str | Path) -> Any:
    """Read an ``.mrb`` file into a scene of :func:`spinescrew.scene.standalone.full_scene`; returns its ``PlanStore``.

    Raises
    ------
    InputError
        If it is no such file, or holds no plan.
    """
    from spinescrew.scene.standalone import quiet
    from spinescrew.scene.store import PlanStore

    path = Path(path).resolve()
    if not path.is_file():
        raise InputError(f"there is no '{path}'; check the path")
    store = None
    if zipfile.is_zipfile(path):
        # unpacking changes the working directory, and leaves it changed where it fails
        with quiet(), contextlib.chdir(Path.cwd()):
            scene.ReadFromMRB(str(path), True)  # its status is no use: a node of a class unknown here makes it fail
        store = PlanStore.find(scene)
    if store is None:
        raise InputError(f"'{path}' holds no SpineScrew plan; open a CT, or a case folder that was planned")
    return store


def fill_scene(scene: Any, plan: Plan, spine: Spine) -> Any:
    """The case as nodes: CT, segmentation with surfaces, screws; returns the ``PlanStore``."""
    from spinescrew.scene.plan_scene import PlanScene
    from spinescrew.scene.volumes import add_segmentation, add_volume

    ct = None if spine.ct is None else add_volume(scene, spine.ct, "CT")
    segmentation = add_segmentation(scene, spine.labels, "Vertebrae")
    shown = PlanScene(scene, Session(plan, spine))
    refer_inputs(shown, ct, segmentation)
    shown.close()
    return shown.store


def refer_inputs(shown: Any, ct: Any, labels: Any) -> None:
    """Let the scene's plan remember which image and labels it stands in."""
    shown.store.refer(CT, ct)
    shown.store.refer(LABELS, labels)


def inputs_of(store: Any) -> tuple[Volume | None, Volume]:
    """(CT, labels) of the plan in a scene.

    Raises
    ------
    InputError
        If the scene no longer holds the labels.
    """
    from spinescrew.scene.volumes import labels_from_node, volume_from_node

    ct, labels = store.referred(CT), store.referred(LABELS)
    if labels is None:
        raise InputError("the vertebrae of this plan are no longer in the scene; load them and open the plan file")
    return (None if ct is None else volume_from_node(ct)), labels_from_node(labels.GetScene(), labels)
