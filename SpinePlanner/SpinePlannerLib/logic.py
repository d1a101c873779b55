"""Nodes to cases and back. No window, no Qt; the scene is always passed in."""

import time
from dataclasses import replace
from pathlib import Path

import slicer

from spinescrew.anatomy.levels import parse_levels
from spinescrew.cohort.background import BackgroundMeasuring, BackgroundPlanning, BackgroundSegmenting
from spinescrew.cohort.case import CaseResult, plan_volumes, write_case
from spinescrew.exchange import read_plan, write_plan
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.session import Session
from spinescrew.scene.bundle import refer_inputs
from spinescrew.scene.open_case import OpenCase, as_segmentation, check_same_image
from spinescrew.scene.plan_scene import PlanScene
from spinescrew.scene.volumes import add_segmentation, labels_from_node, volume_from_node


class Inputs:
    """The nodes of a case and what is in them.

    Attributes
    ----------
    volumeNode, segmentationNode:
        As they are in the scene; a label volume was turned into a segmentation.
    ct, labels:
        Their voxels; ``ct`` is None without a CT, ``labels`` are VerSe ids.
    """

    def __init__(self, scene, volumeNode, labelNode):
        self.volumeNode = volumeNode
        self.ct = None if volumeNode is None else volume_from_node(volumeNode)
        self.segmentationNode = as_segmentation(scene, labelNode)
        self.labels = labels_from_node(scene, self.segmentationNode)


def planNodes(scene, volumeNode, labelNode, levels=None, trajectory="straight-forward", progress=None):
    """Plan the screws of a volume node and put them into the scene; see ``SpinePlannerLogic.planVolume``."""
    ct = None if volumeNode is None else volume_from_node(volumeNode)
    labels = labels_from_node(scene, labelNode)
    wanted = parse_levels(levels) if levels else None
    result = plan_volumes(labels, ct, wanted, PlanningOptions(trajectory=trajectory), progress)
    shown = PlanScene(scene, Session(result.plan, result.spine))
    refer_inputs(shown, volumeNode, labelNode)
    shown.close()
    return result.plan


def startSegmenting(volumeNode, levels="", engine="auto"):
    """Find the vertebrae of a CT in a process of its own; returns the started job."""
    wanted = parse_levels(levels) if levels.strip() else None
    return BackgroundSegmenting(volume_from_node(volumeNode), wanted, engine).start()


def addVertebrae(scene, volumeNode, case):
    """The vertebrae that were found, as a segmentation node."""
    return add_segmentation(scene, case.found.labels, f"{volumeNode.GetName()} vertebrae")


def startPlanning(inputs, levels="", trajectory="straight-forward"):
    """Plan in a process of its own; returns the started job."""
    wanted = parse_levels(levels) if levels.strip() else None
    options = PlanningOptions(trajectory=trajectory)
    return BackgroundPlanning(inputs.labels, inputs.ct, wanted, options).start()


def startMeasuring(inputs, plan):
    """Measure the vertebrae of a plan that is there already, in a process of its own."""
    levels = tuple(dict.fromkeys(row.level for row in plan.screws))
    return BackgroundMeasuring(inputs.labels, inputs.ct, levels or None).start()


def readPlanFor(inputs, path, confirmed=False):
    """A plan file that shall be shown on these inputs.

    Raises
    ------
    InputError
        If the file is damaged, or belongs to another image and that was not confirmed.
    """
    plan = read_plan(path)
    check_same_image(plan, inputs.labels, inputs.ct, confirmed=confirmed)
    return plan


def openCase(scene, inputs, plan, spine, automatic=None, host=None, unsaved=False):
    """The plan under edit in the scene; grades are made anew."""
    bare = replace(plan, screws=tuple(replace(row, assessment=None) for row in plan.screws))
    return OpenCase(
        scene,
        bare if plan.input_hash.get("labels") != inputs.labels.content_hash() else plan,
        spine,
        automatic=automatic,
        ct_node=inputs.volumeNode,
        labels_node=inputs.segmentationNode,
        host=host,
        journal_folder=journalFolder(),
        unsaved=unsaved,
    )


def exportCase(case, folder, title="", progress=None):
    """Every file of the case into a new folder inside ``folder``; returns their paths.

    No patient identity is written, unless it stands in ``title``, the heading of the report.
    """
    result = CaseResult(case.session.plan, case.session.spine)
    out = Path(folder) / f"spinescrew-{time.strftime('%Y%m%d-%H%M%S')}"
    files = write_case(result, out, title=title, progress=progress).files
    case.saved()
    return files


def savePlan(case, path):
    """The plan alone, as a JSON file."""
    written = write_plan(case.session.plan, path, spine=case.session.spine)
    case.saved()
    return written


def journalFolder():
    """Where unsaved work is kept: beside Slicer's settings."""
    return Path(slicer.app.slicerUserSettingsFilePath).parent / "SpineScrew" / "unsaved"
