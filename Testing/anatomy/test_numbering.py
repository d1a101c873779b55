import os
from pathlib import Path

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.anatomy.numbering import READINGS, to_verse
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume

LUMBAR = [("T12", 30), ("L1", 32), ("L2", 34), ("L3", 35), ("L4", 36), ("L5", 36)]
V2 = {"T12": 32, "L1": 31, "L2": 30, "L3": 29, "L4": 28, "L5": 27, "S1": 26}
V1 = {"T12": 23, "L1": 22, "L2": 21, "L3": 20, "L4": 19, "L5": 18}
VERSE = {"T12": 19, "L1": 20, "L2": 21, "L3": 22, "L4": 23, "L5": 24, "S1": 26}


def a_map(numbers, others=(), gap=17):
    """Blocks from the head down at usual lumbar distances; ``others`` are put beside them."""
    array = np.zeros((20, 12, 150), np.int16)
    top = 145
    for number in numbers:
        array[4:8, 4:8, top - 8 : top] = number
        top -= gap
    for n, number in enumerate(others):
        array[14:18, 2:10, 5 + 4 * n : 8 + 4 * n] = number
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    return Volume(array, affine)


def levels_of(volume):
    return [Level(int(value)).name for value in np.unique(volume.array) if value]


@pytest.mark.parametrize(
    ("table", "name"), [(VERSE, "verse"), (V2, "totalsegmentator-v2"), (V1, "totalsegmentator-v1")]
)
def test_each_numbering_is_told_by_order_and_spacing(table, name):
    names = list(table)
    found = to_verse(a_map([table[n] for n in names]))
    assert set(levels_of(found)) == set(names)
    assert name in found.metadata["numbering"]


def test_organs_of_totalsegmentator_are_left_out_and_counted():
    found = to_verse(a_map([V2[n] for n in ("L1", "L2", "L3", "L4")], others=[5, 52, 79]))
    assert set(levels_of(found)) == {"L1", "L2", "L3", "L4"}
    assert "3 labels that are no vertebra were left out (5, 52, 79)" in found.metadata["numbering"]


def test_labels_with_holes_fit_nothing():
    with pytest.raises(InputError, match="fit no known numbering"):
        to_verse(a_map([20, 22, 24]))


def test_a_stated_numbering_that_turns_the_spine_over_is_refused():
    with pytest.raises(InputError, match="would lie below"):
        to_verse(a_map([20, 21, 22, 23, 24]), "totalsegmentator-v1")


def test_a_single_vertebra_is_asked_for_where_it_is_ambiguous():
    with pytest.raises(InputError, match=r"verse \(L3-L3\) or totalsegmentator-v1 \(L1-L1\)"):
        to_verse(a_map([22]))
    assert levels_of(to_verse(a_map([22]), "verse")) == ["L3"]
    assert levels_of(to_verse(a_map([22]), "totalsegmentator-v1")) == ["L1"]


def test_a_number_that_only_one_tool_uses_is_not_asked_for():
    assert levels_of(to_verse(a_map([45]))) == ["C6"]


def test_thoracic_distances_rule_out_a_lumbar_reading():
    numbers = [33, 32, 31, 30, 29, 28, 27]
    assert "T11" in levels_of(to_verse(a_map(numbers)))


def test_sacrum_and_s1_of_totalsegmentator_are_joined():
    volume = a_map([V2[n] for n in ("L3", "L4", "L5", "S1")])
    volume.array[4:8, 4:8, 66:76] = 25
    found = to_verse(volume, "totalsegmentator-v2")
    assert (found.array == 26).sum() == ((volume.array == 25) | (volume.array == 26)).sum()
    assert "joined" in found.metadata["numbering"]


def test_unknown_numbers_under_a_stated_numbering():
    found = to_verse(a_map([20, 21, 99]), "verse")
    assert levels_of(found) == ["L1", "L2"]
    assert "(99)" in found.metadata["numbering"]
    with pytest.raises(InputError, match="no label of this map"):
        to_verse(a_map([99, 98]), "verse")


def test_an_unknown_choice_lists_the_known_ones():
    with pytest.raises(InputError, match="use auto, verse, totalsegmentator"):
        to_verse(a_map([20]), "mine")


USUAL = [level for level in cranial_to_caudal() if level not in (Level.L6, Level.T13)]
LUMBAR_MM = {"L1": 32, "L2": 34, "L3": 35, "L4": 35, "L5": 36, "S1": 0}


def to_the_next_mm(level):
    """Usual distance from a vertebra to the one below it."""
    if level.region == "cervical":
        return 17.0
    return LUMBAR_MM.get(level.name, 19.0 + 0.9 * (level - Level.T1))


def a_spine(tool, levels, rng, organs):
    """A spine of its own size in the numbers of a tool, and specks of organs somewhere."""
    numbers = {
        level: number for number, level in READINGS[tool].items() if (tool, number) != ("totalsegmentator-v2", 25)
    }
    array = np.zeros((6, 6, 520), np.int16)
    height, size = 1000.0, rng.uniform(0.85, 1.15)
    for level in levels:
        array[1, 1:3, int(height / 2) - 2 : int(height / 2) + 2] = numbers[level]
        height -= to_the_next_mm(level) * size * rng.uniform(0.92, 1.08)
    for organ in organs:
        array[4, 4, rng.integers(0, 510) :][:3] = organ
    return Volume(array, np.diag([2.0, 2.0, 2.0, 1.0]))


ORGANS = {
    "verse": [()],
    "totalsegmentator-v1": [(), (1, 2, 3, 5, 6, 10, 13, 42, 50, 60, 93, 100)],
    "totalsegmentator-v2": [(), (1, 2, 3, 5, 6, 18, 19, 20, 51, 52, 69, 79, 110)],
}


@pytest.mark.parametrize(("tool", "organs"), [(tool, organs) for tool in ORGANS for organs in ORGANS[tool]])
def test_no_stretch_of_any_spine_is_misread_and_few_are_asked_for(tool, organs):
    rng = np.random.default_rng(len(tool) + len(organs))
    asked = 0
    stretches = [USUAL[a:b] for a in range(len(USUAL)) for b in range(a + 3, len(USUAL) + 1, 2)]
    for levels in stretches + [[level] for level in USUAL]:
        try:
            found = to_verse(a_spine(tool, levels, rng, organs))
        except InputError as error:
            assert "--numbering verse" in str(error)
            asked += len(levels) >= 3
        else:
            assert levels_of(found) == [level.name for level in sorted(levels)]
    assert asked <= 0.15 * len(stretches)


def test_one_number_that_fits_by_chance_does_not_outvote_two_that_fit():
    with pytest.raises(InputError, match=r"totalsegmentator-v1 \(T6-T7\) or totalsegmentator-v2 \(L3-L4\)"):
        to_verse(a_map([29, 28], gap=14))


def test_coccyx_of_verse_is_left_out():
    found = to_verse(a_map([22, 23, 24, 26, 27]))
    assert levels_of(found) == ["L3", "L4", "L5", "S1"]
    assert "(27)" in found.metadata["numbering"]


@pytest.mark.parametrize("numbers", [[18, 19, 28, 20, 21], [23, 24, 25, 26]])
def test_a_thirteenth_thoracic_and_a_sixth_lumbar_vertebra_keep_their_place(numbers):
    assert levels_of(to_verse(a_map(numbers))) == [Level(n).name for n in sorted(numbers)]


def test_labels_that_run_upwards_are_no_verse_spine():
    with pytest.raises(InputError, match="fit no known numbering|could be"):
        to_verse(a_map([13, 12, 11, 10, 9]))


def test_totalsegmentator_tells_its_versions_apart():
    lumbar = [V2[n] for n in ("T12", "L1", "L2", "L3", "L4", "L5")]
    assert "totalsegmentator-v2" in to_verse(a_map(lumbar), "totalsegmentator").metadata["numbering"]
    with pytest.raises(InputError, match="--numbering"):
        to_verse(a_map([30]), "totalsegmentator")


REAL = {
    "mask_lumbosacral/vertebrae.nii.gz": "L1 L2 L3 L4 L5 S1",
    "mask_t9_l5/vertebrae.nii.gz": "T9 T10 T11 T12 L1 L2 L3 L4 L5",
    "ct_lumbosacral_3mm/totalsegmentator.nii.gz": "T11 T12 L1 L2 L3 L4 L5 S1",
    "ct_l3_1.5mm/vertebrae.nii.gz": "L2 L3 L4",
    "dicom_thoracolumbar.totalsegmentator.nii.gz": "T11 T12",
}


@pytest.mark.skipif("SPINESCREW_REAL_CASES" not in os.environ, reason="SPINESCREW_REAL_CASES is not set")
@pytest.mark.parametrize("name", REAL)
def test_real_label_maps_are_named_right(name):
    from spinescrew.images import read_labels

    volume = to_verse(read_labels(Path(os.environ["SPINESCREW_REAL_CASES"]) / name))
    assert levels_of(volume) == REAL[name].split()
