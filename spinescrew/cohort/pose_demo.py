"""Two simulated radiographs of a construct, as files: something to try the poses on."""

from __future__ import annotations

from pathlib import Path

from spinescrew.progress import Progress
from spinescrew.radiographs.calibration import write_geometry
from spinescrew.radiographs.image import write_radiograph
from spinescrew.viewer.opened import PoseTarget

SEED, STYLE = 12, "realistic"
ERROR = (0.5, 1.0)
"""Of the calibration: degrees about the isocentre, and mm of each source."""

IMAGES, GEOMETRY = ("first.dcm", "second.dcm"), "geometry.json"


def example_in(folder: Path) -> PoseTarget | None:
    """The pair that :func:`write_example` left in ``folder``, if it is there."""
    paths = [folder / name for name in (*IMAGES, GEOMETRY)]
    if not all(path.is_file() for path in paths):
        return None
    return PoseTarget(tuple(paths[:2]), paths[2])


def write_example(folder: Path, progress: Progress | None = None) -> PoseTarget:
    """Make the pair, which takes a while, and write images and geometry, a little wrong, into ``folder``."""
    from spinescrew.phantoms.xray import make_patient, pair_of  # its kernels take seconds to load

    progress = progress or Progress()
    with progress.step("make a simulated patient", 0.0, 0.4) as part:
        patient = make_patient(SEED, progress=part)
    with progress.step("take two radiographs", 0.4, 1.0):
        pair = pair_of(patient.ct, patient.screws, SEED, STYLE, error=ERROR)
    images = tuple(write_radiograph(folder / name, image) for name, image in zip(IMAGES, pair.radiographs, strict=True))
    return PoseTarget(images, write_geometry(folder / GEOMETRY, pair.given))
