"""The simulated neck in Slicer's Sample Data module; it is made here, nothing is downloaded."""

import slicer

CATEGORY = "SpineScrew"
NAME = "SimulatedNeck"
SEED = 7
VARIANT = "asymmetric"
SLICE_MM = 1.0


def register():
    """Put the case into the Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        customDownloader=lambda source=None: load(),
    )


def load(scene=None, seed=SEED, sliceMm=SLICE_MM):
    """Make the simulated neck, with one narrow pedicle; returns its CT node."""
    from spinescrew.phantoms.axis import make_axis_case
    from spinescrew.scene.volumes import add_volume

    scene = scene if scene is not None else slicer.mrmlScene
    return add_volume(scene, make_axis_case(seed, slice_mm=sliceMm, variant=VARIANT).ct, "Simulated neck CT")
