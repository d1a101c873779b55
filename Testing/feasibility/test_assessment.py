"""The shipped networks on a phantom they never saw, from image to answer; and what they refuse."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from axis_samples import axis_image, perfect_assessment

from spinescrew.anatomy.frame import SIDES
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.feasibility.assessment import CUT_OFF_MM, assess_c2, disagreement, summary
from spinescrew.feasibility.find import _bony_view, find_axis, refuse_unlike, unavailable
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image
from spinescrew.phantoms.spine import make_spine_phantom
from spinescrew.progress import Cancelled, Progress

pytest.importorskip("torch")
SEED = 7


@pytest.fixture(scope="module")
def image():
    return axis_image(SEED, variant="usual")


@pytest.fixture(scope="module")
def found(image):
    return assess_c2(image.ct)


def cut(ct, axis, low=0, high=None):
    first, last = [0, 0, 0], list(ct.shape)
    first[axis], last[axis] = low, high or ct.shape[axis]
    return ct.crop(first, last)


def test_the_networks_are_installed():
    assert unavailable() == ""


def test_both_answers_are_right_where_they_are_plain(image, found):
    for side in SIDES:
        assert (found.sides[side].probability > 0.5) == image.truth[side].feasible


def test_measures_come_near_the_truth(image, found):
    for side in SIDES:
        assert found.sides[side].measures.outer_width_mm == pytest.approx(image.truth[side].mpd_mm, abs=0.8)


def test_the_labels_lie_on_c2(image, found):
    true = image.labels.array == Level.C2
    own = found.labels.array == Level.C2
    assert 2 * (true & own).sum() / (true.sum() + own.sum()) > 0.85


def test_the_pedicles_are_told_apart(image, found):
    for value in (1, 2):
        true, own = image.pedicles.array == value, found.pedicles.array == value
        assert 2 * (true & own).sum() / (true.sum() + own.sum()) > 0.8


def test_attention_lies_within_the_boxes_and_between_0_and_1(found):
    assert found.attention.array.min() >= 0.0
    assert 0.5 < found.attention.array.max() <= 1.0
    for side in SIDES:
        assert found.sides[side].attention.array.max() == pytest.approx(1.0)


def test_a_mirrored_patient_gives_mirrored_answers(image, found):
    mirrored = assess_c2(Volume(np.ascontiguousarray(image.ct.array[::-1]), image.ct.affine))
    for side, other in (("left", "right"), ("right", "left")):
        assert mirrored.sides[side].probability == pytest.approx(found.sides[other].probability, abs=0.01)


@pytest.mark.parametrize(("across", "count"), [(0, 61), (0, 60), (1, 58)])
def test_a_mirrored_image_is_looked_at_on_a_mirrored_grid(across, count):
    """Bone lies between the voxels that are looked at from either edge."""
    array = np.full((count, count, 40), -1000, np.int16)
    array[21:34, 13:49, 6:30] = 400
    affine = np.eye(4) * (0.6, 0.6, 1.0, 1.0)
    affine[:3, :2] = affine[:3, [across, 1 - across]]
    there = (count - 1) * 0.6
    box, other = (_bony_view(Volume(np.ascontiguousarray(seen), affine)) for seen in (array, np.flip(array, across)))
    assert box.shape == other.shape
    ends = [each.to_ras(np.array([0.0, each.shape[0] - 1.0])[:, None] * (1.0, 0.0, 0.0))[:, 0] for each in (box, other)]
    np.testing.assert_allclose(ends[0], there - ends[1][::-1], atol=1e-9)


def test_another_order_of_the_voxels_changes_nothing(image, found):
    turned = Volume(np.ascontiguousarray(image.ct.array[:, ::-1]), _flipped(image.ct, 1))
    again = assess_c2(turned)
    for side in SIDES:
        assert again.sides[side].probability == pytest.approx(found.sides[side].probability, abs=0.01)


def _flipped(ct, axis):
    signs = np.ones(4)
    signs[axis] = -1.0
    affine = ct.affine @ np.diag(signs)
    affine[:3, 3] = ct.affine[:3, 3] + (ct.shape[axis] - 1) * ct.affine[:3, axis]
    return affine


def test_the_summary_holds_every_figure_and_is_plain(found):
    import json

    told = json.loads(json.dumps(summary(found)))
    assert set(told["sides"]) == {"left", "right"}
    assert 0.0 <= told["sides"]["left"]["probability"] <= 1.0
    assert "simulated" in told["provenance"]
    assert {"find C2", "judge both pedicles", "measure"} <= set(told["seconds"])


@pytest.mark.parametrize(
    ("axis", "share", "end", "part"),
    [(2, 0.22, "high", "dens"), (1, 0.28, "low", "arch"), (0, 0.30, "low", "left")],
)
def test_a_c2_that_is_cut_is_refused(image, axis, share, end, part):
    voxels = np.argwhere(image.labels.array == Level.C2)[:, axis]
    size = voxels.max() - voxels.min()
    if end == "high":
        ct = cut(image.ct, axis, 0, int(voxels.max() - share * size))
    else:
        ct = cut(image.ct, axis, int(voxels.min() + share * size))
    with pytest.raises(InputError, match=f"C2 is cut.*{part}"):
        find_axis(ct)


def test_the_part_above_c2_alone_is_refused(image):
    top = np.argwhere(image.labels.array == Level.C2)[:, 2].max()
    with pytest.raises(InputError, match="no whole C2|cm3 of C2"):
        find_axis(cut(image.ct, 2, int(top - 6)))


def test_what_does_not_look_like_c2_is_refused(image):
    voxels = np.argwhere(image.labels.array == Level.C2)
    share = image.ct.with_array((image.labels.array == Level.C2).astype(np.float32))
    poses = image.poses
    refuse_unlike(share, poses)
    low = voxels[:, 2].min() + 0.5 * np.ptp(voxels[:, 2])
    headless = share.array.copy()
    headless[:, :, int(low) :] = 0.0
    with pytest.raises(InputError, match="no dens"):
        refuse_unlike(share.with_array(headless), poses)
    near = {side: replace(pose, isthmus=pose.isthmus * (0.4, 1.0, 1.0)) for side, pose in poses.items()}
    with pytest.raises(InputError, match="mm apart"):
        refuse_unlike(share, near)
    parallel = {side: replace(pose, forwards=np.array([0.0, 1.0, 0.0])) for side, pose in poses.items()}
    with pytest.raises(InputError, match="run inwards"):
        refuse_unlike(share, parallel)


def test_an_image_upside_down_is_refused(image):
    """As if its affine told the head end wrongly."""
    affine = image.ct.affine @ np.diag([-1.0, 1.0, -1.0, 1.0])
    with pytest.raises(InputError, match="upside down|no whole C2|no C2|cut by the edge|could not be told"):
        find_axis(Volume(image.ct.array, affine))


def test_a_lumbar_spine_is_refused():
    spine = make_spine_phantom(3, spacing=(1.2, 1.2, 1.5))
    with pytest.raises(InputError, match="C2"):
        find_axis(spine.ct)


@pytest.mark.parametrize("name", ["ct_lumbosacral_3mm", "ct_l3_1.5mm"])
def test_a_real_lumbar_ct_is_refused(name):
    folder = os.environ.get("SPINESCREW_REAL_CASES")
    if not folder:
        pytest.skip("SPINESCREW_REAL_CASES is not set")
    with pytest.raises(InputError, match="C2"):
        assess_c2(read_image(Path(folder) / name / "ct.nii.gz"))


def test_metal_in_c2_is_refused(image):
    array = image.ct.array.copy()
    centre = np.round(image.ct.ras_to_index(image.truth["left"].points[1])).astype(int)
    i, j, k = (slice(int(c) - 3, int(c) + 4) for c in centre)
    array[i, j, k] = 8000
    with pytest.raises(InputError, match="metal"):
        find_axis(image.ct.with_array(array))


def test_an_empty_image_and_an_mr_image_are_refused(image):
    with pytest.raises(InputError, match="empty"):
        assess_c2(image.ct.with_array(np.zeros_like(image.ct.array)))
    with pytest.raises(InputError, match="MR image"):
        assess_c2(image.ct.with_array((image.ct.array + 1024).clip(0)))


def test_a_cancelled_assessment_stops(image):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        assess_c2(image.ct, progress=progress)


def test_network_and_geometry_are_set_side_by_side():
    measures = perfect_assessment(SEED, variant="usual").sides["left"].measures
    assert measures.outer_width_mm > CUT_OFF_MM
    assert disagreement(0.95, measures) == ""
    told = disagreement(0.1, measures)
    assert "holds none (10 %)" in told and "width" in told and "wall" in told


def test_ways_out_are_measured_where_the_pedicle_takes_no_screw():
    found = perfect_assessment(SEED, variant="narrow")
    narrow = [side for side in SIDES if found.sides[side].verdict == "not feasible"]
    assert narrow
    for side in narrow:
        assert {way.name for way in found.sides[side].ways_out} & {"pars", "lamina"}
    for side in SIDES:
        if found.sides[side].verdict == "feasible":
            assert found.sides[side].ways_out == ()
