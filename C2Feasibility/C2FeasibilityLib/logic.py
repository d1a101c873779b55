"""Nodes to assessments and back. No window, no Qt; the scene is always that of the node that is passed in."""

import time
from pathlib import Path

from spinescrew.cohort.background import BackgroundC2
from spinescrew.cohort.c2 import write_case
from spinescrew.exchange import write_plan
from spinescrew.feasibility.assessment import assess_c2
from spinescrew.scene.c2_scene import C2Scene
from spinescrew.scene.c2_screws import open_screws
from spinescrew.scene.volumes import volume_from_node


def assessNode(volumeNode, progress=None):
    """Judge both C2 pedicles and show them in the node's scene; see ``C2FeasibilityLogic.assessVolume``."""
    found = assess_c2(volume_from_node(volumeNode), progress=progress)
    _shown, case = show(found, volumeNode)
    case.close()
    return found


def startAssessing(volumeNode):
    """Judge in a process of its own; returns the started job."""
    return BackgroundC2(volume_from_node(volumeNode)).start()


def show(found, volumeNode, host=None):
    """The answer in the scene of its CT: (C2Scene, OpenCase with the screws under edit)."""
    scene = volumeNode.GetScene()
    return C2Scene(scene, found, volumeNode), open_screws(scene, found, volumeNode, host)


def export(found, plan, spine, folder, progress=None):
    """Every file of an answer and its plan into a new folder inside ``folder``; returns their paths.

    No patient identity is written.
    """
    out = Path(folder) / f"c2-{time.strftime('%Y%m%d-%H%M%S')}"
    files = write_case(found, out, progress=progress).files
    return (*files, write_plan(plan, out / "plan.json", spine=spine))
