"""Constructs of one system on plain films."""

import numpy as np
import pytest

from spinescrew.errors import InputError
from spinescrew.implants.families import FAMILIES, UNKNOWN_FAMILIES
from spinescrew.phantoms.xray.brand_case import brand_hash, contrast, draw_system, in_both, make_case, metal_seen
from spinescrew.phantoms.xray.brand_odd import anterior_plate, no_implant, photographed, two_systems
from spinescrew.phantoms.xray.brand_scene import EXTERNAL, TRAINING, draw_film, make_scenes


@pytest.fixture(scope="module")
def scene():
    return make_scenes(11, TRAINING, spacing_mm=8.0)[0]


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_scene_sees_the_same_spine_from_the_front_and_from_the_side(scene):
    front, side = (behind.view for behind in scene.backdrops)
    assert front.name == "AP"
    assert side.name == "LAT"
    assert len({level for level, _ in in_both(scene)}) >= 3


def test_external_scenes_are_of_another_geometry():
    near = make_scenes(11, EXTERNAL, 3, spacing_mm=12.0)
    distances = [behind.view.source_detector_mm for each in near for behind in each.backdrops]
    assert all(mm < 950 or mm > 1250 for mm in distances)


def test_an_unknown_manner_is_refused():
    with pytest.raises(InputError, match="not for 'other'"):
        make_scenes(1, "other")


@pytest.mark.parametrize("name", ["family A", "family F", "unknown family 2"])
def test_all_screws_of_a_case_are_of_one_family_and_of_sizes_it_offers(scene, name):
    family = (FAMILIES | UNKNOWN_FAMILIES)[name]
    for seed in range(4):
        construct = draw_system(scene, name, rng(seed))
        assert {each.design.family for each in construct.implants} == {name}
        assert all(each.screw.shape.diameter_mm in family.diameters for each in construct.implants)
        assert all(each.screw.shape.length_mm in family.lengths for each in construct.implants)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_case_has_as_many_levels_as_asked_for(scene, levels):
    construct = draw_system(scene, "family B", rng(3), levels=levels)
    assert len({each.level for each in construct.implants}) == levels


def test_crosslinks_come_where_they_are_asked_for_and_the_system_has_them(scene):
    assert draw_system(scene, "family A", rng(1), levels=2, crosslink=True).crosslinks
    assert not draw_system(scene, "family A", rng(1), levels=2, crosslink=False).crosslinks
    assert not draw_system(scene, "family G", rng(1), levels=2, crosslink=True).crosslinks
    assert not draw_system(scene, "family A", rng(1), levels=1, crosslink=True).crosslinks


def test_designs_of_no_family_differ_from_patient_to_patient(scene):
    drawn = [draw_system(scene, "", rng(seed)).implants[0].design for seed in (1, 2)]
    assert drawn[0] != drawn[1]


def test_films_show_all_screws_and_the_metal_stands_out(scene):
    case = make_case(scene, "family C", rng(2), levels=2, whole=False, pixel_mm=0.5)
    for shot in case.shots:
        assert contrast(shot) > 0
        assert shot.shows(shot.necks).all()
        assert shot.shows(shot.tips).all()
        assert (metal_seen(shot)[shot.classes > 0]).all()


def test_a_seed_gives_the_same_case(scene):
    one, other = (make_case(scene, "family E", rng(4), levels=1, whole=False, pixel_mm=0.6) for _ in range(2))
    assert np.array_equal(one.shots[1].radiograph.pixels, other.shots[1].radiograph.pixels)


def test_films_have_no_round_field_and_nothing_of_a_theatre():
    for seed in range(40):
        drawn = draw_film(rng(seed), EXTERNAL if seed % 2 else TRAINING)
        assert drawn.shutter is None or drawn.shutter.shape == "rectangle"
        assert "retractor" not in drawn.foreign


def test_odd_films(scene):
    bare = no_implant(scene, rng(1), pixel_mm=1.0)
    assert all(not shot.classes.any() for shot in bare)
    both = two_systems(scene, ("family E", "family F"), rng(2), pixel_mm=1.0)
    assert {each.design.family for each in both[0].construct.implants} == {"family E", "family F"}
    plate = anterior_plate(scene, rng(3), pixel_mm=1.0)
    assert not plate[0].classes.any()
    assert metal_seen(plate[1]).any()


def test_a_photograph_of_a_screen_is_coloured_and_of_the_same_size():
    photo = photographed(np.linspace(0, 1, 60 * 80, dtype=np.float32).reshape(60, 80), rng(1))
    assert photo.shape == (60, 80, 3)
    assert not np.array_equal(photo[..., 0], photo[..., 2])


def test_the_hash_names_the_sources():
    assert brand_hash().startswith("sha256:")
