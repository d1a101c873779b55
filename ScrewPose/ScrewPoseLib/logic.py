"""Files to poses, poses to nodes. No window, no Qt; the scene is always passed in."""

import time
from dataclasses import replace
from pathlib import Path

from spinescrew.cohort.background import BackgroundPose, BackgroundPoseExample
from spinescrew.cohort.pose import write_pose_case
from spinescrew.cohort.pose_open import case_of, open_pose
from spinescrew.cohort.pose_pair import read_pair
from spinescrew.radiographs.pose_session import PoseSession
from spinescrew.scene.open_case import kept_plan
from spinescrew.scene.pose_scene import PoseScene
from spinescrew.scene.radiograph_nodes import add_radiograph, view_name
from spinescrew.scene.volumes import labels_from_segmentation, volume_from_node
from spinescrew.viewer.opened import PoseTarget

SLICE_NODES = ("vtkMRMLSliceNodeRed", "vtkMRMLSliceNodeYellow")
GEOMETRY_ENDING = ".json"


def sortDropped(paths):
    """(images, geometry) of files that were dropped together, in the order of their names; None where there is none."""
    ordered = sorted(str(path) for path in paths)
    geometry = [path for path in ordered if path.lower().endswith(GEOMETRY_ENDING)]
    return [path for path in ordered if path not in geometry], geometry[0] if geometry else None


def planOf(scene):
    """(plan, CT, labels) of the plan that the scene holds, where the screws can be compared with it; else None."""
    kept = kept_plan(scene)
    if kept is None or kept[2] is None or not kept[0].planned:
        return None
    plan, _automatic, volumeNode, labelsNode = kept
    ct = volume_from_node(volumeNode)
    return plan, ct, labels_from_segmentation(labelsNode, ct)


def startSolving(target, planned=None):
    """Solve in a process of its own, beside what :func:`planOf` gave; returns the started job."""
    return BackgroundPose(target, *(planned or ())).start()


def startExample(folder):
    """Make the example in a process of its own; returns the started job."""
    return BackgroundPoseExample(Path(folder)).start()


def solveFiles(scene, images, geometry, sizes=None, progress=None):
    """Solve and show; see ``ScrewPoseLogic.solve``."""
    target = PoseTarget(tuple(Path(path) for path in images), Path(geometry), tuple(sizes or ()))
    posed = open_pose(target, progress=progress)
    _session, shown = show(scene, posed)
    shown.close(remove_nodes=False)
    return posed


def show(scene, posed, host=None):
    """The poses in the scene: (PoseSession, PoseScene), each image in a slice view where the scene has them."""
    session = PoseSession(posed.result)
    shown = PoseScene(scene, session, posed.radiographs, host)
    nodes = [scene.GetNodeByID(name) for name in SLICE_NODES]
    if all(node is not None for node in nodes):
        shown.put_into(nodes)
    return session, shown


def addRadiographs(scene, images, geometry):
    """Both images in the scene where they were taken; returns their nodes."""
    pair = read_pair(images, geometry)
    both = enumerate(zip(pair.radiographs, pair.views, strict=True))
    return [add_radiograph(scene, view_name(n, view), image, view) for n, (image, view) in both]


def export(posed, session, folder, progress=None):
    """Every file of the poses as they stand, into a new folder inside ``folder``; returns their paths.

    No patient identity is written.
    """
    out = Path(folder) / f"screws-{time.strftime('%Y%m%d-%H%M%S')}"
    return write_pose_case(case_of(replace(posed, result=session.result)), out, progress=progress).files
