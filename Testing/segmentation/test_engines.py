import subprocess
import sys

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms import make_spine_phantom
from spinescrew.progress import Cancelled, Progress
from spinescrew.segmentation import EngineOptions, engines, get_engine, list_engines
from spinescrew.segmentation.given import GivenLabels


@pytest.fixture(scope="module")
def phantom():
    return make_spine_phantom(7, spacing=(2.0, 2.0, 2.0))


def test_importing_the_engines_imports_no_network_library():
    code = "import spinescrew.segmentation, sys; print([m for m in ('torch', 'monai') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_listing_says_why_an_engine_cannot_run():
    reasons = {state.name: state.reason for state in list_engines()}
    assert "give a label map" in reasons["given"]
    assert "give its folder" in reasons["monai"]


def test_an_unknown_engine_is_refused_naming_those_known():
    with pytest.raises(InputError, match=r"'nnunet' is no segmentation engine; use .*totalsegmentator, monai, given"):
        get_engine("nnunet")


def test_every_engine_is_found_under_its_own_name():
    for name in engines():
        assert get_engine(name).name == name


def test_given_labels_come_back_as_they_are(phantom):
    engine = get_engine("given", EngineOptions(labels=phantom.labels))
    found = engine.segment(phantom.ct, [Level.L3], Progress())
    assert np.array_equal(found.labels.array, phantom.labels.array)
    assert found.levels[0] is Level.T12
    assert not found.check
    assert min(found.confidence.values()) > 0.75
    assert "check the vertebrae" in found.timings_s


def test_another_numbering_and_another_grid_are_translated(phantom):
    numbers = {level.value: 27 + 24 - level.value for level in Level if level.region == "lumbar"} | {26: 25, 19: 32}
    array = np.zeros_like(phantom.labels.array)
    for verse, total in numbers.items():
        array[phantom.labels.array == verse] = total
    coarse = Volume(array[::2, ::2, ::2], phantom.labels.affine @ np.diag([2, 2, 2, 1]))
    found = GivenLabels(coarse, "totalsegmentator-v2").segment(phantom.ct, None, Progress())
    assert found.labels.same_grid(phantom.ct)
    assert "resampled" in found.provenance
    for level in (Level.L1, Level.L4):
        truth, mask = phantom.labels.array == level, found.labels.array == level
        assert 2 * (truth & mask).sum() / (truth.sum() + mask.sum()) > 0.88


def test_a_level_that_was_asked_for_and_is_not_there_is_told(phantom):
    found = GivenLabels(phantom.labels).segment(phantom.ct, [Level.T10], Progress())
    assert found.check[Level.T10] == "please check T10 (17): it was asked for and not found"


def test_names_that_fit_no_spine_are_doubted(phantom):
    array = phantom.labels.array.copy()
    array[array == Level.L2] = 0
    found = GivenLabels(phantom.labels.with_array(array), "verse").segment(phantom.ct, None, Progress())
    assert "L2 is missing between L1 and L3" in found.check[Level.L2]


def test_labels_of_another_image_are_refused(phantom):
    affine = phantom.labels.affine.copy()
    affine[0, 3] += 400
    with pytest.raises(InputError, match="lie outside the CT"):
        GivenLabels(Volume(phantom.labels.array, affine)).segment(phantom.ct, None, Progress())


def test_no_labels_are_refused(phantom):
    with pytest.raises(InputError, match="no labels were given"):
        GivenLabels().segment(phantom.ct, None, Progress())


def test_a_cancelled_segmentation_stops(phantom):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        GivenLabels(phantom.labels).segment(phantom.ct, None, progress)
