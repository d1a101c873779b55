import numpy as np
import pytest

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.anatomy.update import changed_levels, update_spine
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms import make_spine_phantom


@pytest.fixture(scope="module")
def spine():
    phantom = make_spine_phantom(5, spacing=(1.5, 1.5, 1.5))
    kept = [level.value for level in parse_levels("L2-S1")]
    labels = phantom.labels.with_array(np.where(np.isin(phantom.labels.array, kept), phantom.labels.array, 0))
    return build_spine(labels, phantom.ct)


def with_ball(labels, centre, radius_mm, value):
    """Voxels within ``radius_mm`` of a point set to ``value``; 0 only takes away."""
    index = np.stack(np.meshgrid(*map(np.arange, labels.shape), indexing="ij"), axis=-1)
    inside = np.linalg.norm(labels.index_to_ras(index) - centre, axis=-1) < radius_mm
    array = labels.array.copy()
    array[inside & ((array == 0) if value else (array > 0))] = value
    return labels.with_array(array)


def assert_same_measures(one, other):
    assert list(one.vertebrae) == list(other.vertebrae)
    assert one.skipped.keys() == other.skipped.keys()
    for level, vertebra in one.vertebrae.items():
        twin = other.vertebrae[level]
        assert np.array_equal(vertebra.bone.volume.array, twin.bone.volume.array), level
        assert np.allclose(vertebra.frame.to_ras(np.eye(3)), twin.frame.to_ras(np.eye(3)), atol=1e-9), level
        assert vertebra.missing == twin.missing
        for side, pedicle in vertebra.pedicles.items():
            assert pedicle.width_mm == pytest.approx(twin.pedicles[side].width_mm, abs=1e-9)
        for side, facet in vertebra.facets.items():
            assert np.allclose(facet.points, twin.facets[side].points)


def test_nothing_changed_is_nothing_to_do(spine):
    assert changed_levels(spine.labels, spine.labels.with_array(spine.labels.array.copy())) == frozenset()
    same = update_spine(spine, spine.labels, frozenset())
    assert all(same.vertebrae[level] is vertebra for level, vertebra in spine.vertebrae.items())


@pytest.mark.parametrize("radius_mm", [4.0, 16.0])
@pytest.mark.parametrize("level", [Level.L3, Level.L5, Level.S1])
def test_a_correction_measures_as_from_the_start(spine, level, radius_mm):
    labels = with_ball(spine.labels, spine.vertebrae[level].frame.to_ras(np.array([8.0, 8.0, 4.0])), radius_mm, 0)
    changed = changed_levels(spine.labels, labels)
    assert level in changed
    assert_same_measures(update_spine(spine, labels, changed), build_spine(labels, spine.ct))


def test_what_does_not_depend_on_the_correction_is_kept(spine):
    labels = with_ball(spine.labels, spine.vertebrae[Level.L3].pedicles["left"].isthmus, 3.0, 0)
    after = update_spine(spine, labels, changed_levels(spine.labels, labels))
    kept = [level for level, vertebra in spine.vertebrae.items() if after.vertebrae[level] is vertebra]
    assert kept == [Level.L2, Level.L5, Level.S1]


def test_a_vertebra_that_is_erased_is_gone_and_its_neighbours_know(spine):
    array = np.where(spine.labels.array == Level.L3.value, 0, spine.labels.array)
    labels = spine.labels.with_array(array)
    after = update_spine(spine, labels, changed_levels(spine.labels, labels))
    assert Level.L3 not in after.vertebrae
    assert after.skipped[Level.L3] == "not in the label map"
    assert "the vertebra above is not in view" in after.vertebrae[Level.L4].missing["facet left"]
    back = update_spine(after, spine.labels, frozenset({Level.L3}))
    assert_same_measures(back, spine)


def test_renaming_one_vertebra_changes_two_levels(spine):
    array = np.where(spine.labels.array == Level.L2.value, Level.L1.value, spine.labels.array)
    labels = spine.labels.with_array(array)
    changed = changed_levels(spine.labels, labels)
    assert changed == {Level.L1, Level.L2}
    after = update_spine(spine, labels, changed)
    assert list(after.vertebrae) == [Level.L1, Level.L3, Level.L4, Level.L5, Level.S1]


def test_another_grid_is_refused(spine):
    other = Volume(spine.labels.array[1:], spine.labels.affine)
    with pytest.raises(InputError, match="another grid"):
        changed_levels(spine.labels, other)


def test_an_emptied_label_map_is_refused(spine):
    empty = spine.labels.with_array(np.zeros_like(spine.labels.array))
    with pytest.raises(InputError, match="undo the correction"):
        update_spine(spine, empty, changed_levels(spine.labels, empty))
