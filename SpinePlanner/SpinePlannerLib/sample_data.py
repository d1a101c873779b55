"""The simulated case in Slicer's Sample Data module; it is made here, nothing is downloaded."""

import slicer

CATEGORY = "SpineScrew"
NAME = "SimulatedLumbarSpine"
SEED = 7
SPACING_MM = (0.8, 0.8, 0.8)


def register():
    """Put the case into the Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        customDownloader=lambda source=None: load(),
    )


def load(scene=None, spacing=SPACING_MM, seed=SEED):
    """Make the simulated case; returns (CT node, segmentation node)."""
    from spinescrew.phantoms import make_spine_phantom
    from spinescrew.scene.volumes import add_segmentation, add_volume

    scene = scene if scene is not None else slicer.mrmlScene
    phantom = make_spine_phantom(seed, spacing=spacing)
    ct = add_volume(scene, phantom.ct, "Simulated CT")
    return ct, add_segmentation(scene, phantom.labels, "Simulated vertebrae")
