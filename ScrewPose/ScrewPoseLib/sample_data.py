"""Two simulated radiographs in Slicer's Sample Data module; they are made here, nothing is downloaded."""

from pathlib import Path

import slicer

CATEGORY = "SpineScrew"
NAME = "SimulatedRadiographs"
FOLDER = "SpineScrew radiographs"


def register():
    """Put the pair into the Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        customDownloader=lambda source=None: showImages(),
    )


def folder():
    """Where the files of the example lie: with Slicer's other temporary files."""
    path = Path(slicer.app.temporaryPath) / FOLDER
    path.mkdir(parents=True, exist_ok=True)
    return path


def ready():
    """The pair as a :class:`spinescrew.viewer.opened.PoseTarget`, where it was made already; else None."""
    from spinescrew.cohort.pose_demo import example_in

    return example_in(folder())


def load(progress=None):
    """The same, made now where it is not there."""
    from spinescrew.cohort.pose_demo import write_example

    return ready() or write_example(folder(), progress)


def showImages():
    """Both images in the scene where they were taken; returns the nodes of the volumes."""
    from ScrewPoseLib.logic import addRadiographs

    target = load()
    return addRadiographs(slicer.mrmlScene, target.images, target.geometry)
