"""Two simulated films in Slicer's Sample Data module; they are made here, nothing is downloaded."""

from pathlib import Path

import slicer

CATEGORY = "SpineScrew"
NAME = "SimulatedFilms"
FOLDER = "SpineScrew films"


def register():
    """Put the films into the Sample Data module."""
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
    """The films as a :class:`spinescrew.viewer.opened.BrandTarget`, where they were made already; else None."""
    from spinescrew.cohort.brand_demo import example_in

    return example_in(folder())


def load(progress=None):
    """The same, made now where they are not there."""
    from spinescrew.cohort.brand_demo import write_example

    return ready() or write_example(folder(), progress)


def showImages():
    """Both films in the scene; returns the nodes of the volumes."""
    from ScrewBrandIDLib.logic import addFilms

    return addFilms(slicer.mrmlScene, load().images)
