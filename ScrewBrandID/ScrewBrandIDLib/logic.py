"""Files to an answer, the answer to nodes. No window, no Qt; the scene is always passed in."""

import time
from pathlib import Path

from spinescrew.cohort.background import BackgroundBrand, BackgroundBrandExample
from spinescrew.cohort.brand import write_brand_case
from spinescrew.cohort.brand_open import open_brand
from spinescrew.radiographs.image import read_radiograph
from spinescrew.scene.brand_scene import BrandScene, add_film
from spinescrew.viewer.opened import BrandTarget

SLICE_NODES = ("vtkMRMLSliceNodeRed", "vtkMRMLSliceNodeYellow")


def startIdentifying(images):
    """Ask in a process of its own; returns the started job."""
    return BackgroundBrand(targetOf(images)).start()


def startExample(folder):
    """Make the example in a process of its own; returns the started job."""
    return BackgroundBrandExample(Path(folder)).start()


def targetOf(images):
    """What is asked for."""
    return BrandTarget(tuple(Path(path) for path in images))


def identifyFiles(scene, images, progress=None):
    """Ask and show; see ``ScrewBrandIDLogic.identify``."""
    found = open_brand(targetOf(images), progress=progress)
    show(scene, found.result).close(remove_nodes=False)
    return found


def show(scene, result):
    """The answer in the scene (BrandScene), each film in a slice view where the scene has them."""
    shown = BrandScene(scene, result)
    nodes = [scene.GetNodeByID(name) for name in SLICE_NODES]
    if all(node is not None for node in nodes):
        shown.put_into(nodes)
    return shown


def addFilms(scene, images):
    """Films in the scene as they are stored, beside nothing; returns their nodes."""
    return [add_film(scene, Path(path).stem, read_radiograph(path)) for path in images]


def export(result, folder, progress=None):
    """Report and answer, into a new folder inside ``folder``; returns their paths.

    No patient identity is written.
    """
    out = Path(folder) / f"system-{time.strftime('%Y%m%d-%H%M%S')}"
    return write_brand_case(result, out, progress=progress).files
