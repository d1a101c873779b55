"""Catalogues of screws: the generic one, and lists of one's own."""

from __future__ import annotations

import json

import pytest

from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.errors import InputError
from spinescrew.implants import resources
from spinescrew.implants.catalog import Catalog, load_catalog
from spinescrew.implants.resources import resource_path
from spinescrew.implants.sizes import custom_shape, size_problem

HEADER = "item,diameter_mm,length_mm\n"


@pytest.fixture(scope="module")
def generic() -> Catalog:
    return load_catalog()


def write(tmp_path, text, name="own.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def refusal(path) -> str:
    with pytest.raises(InputError) as error:
        load_catalog(path)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("levels", "smallest", "largest", "shortest", "longest"),
    [
        ("T1 T2 T3", 4.0, 5.5, 25, 35),
        ("T4 T5 T6 T7 T8 T9", 4.0, 5.5, 25, 40),
        ("T10 T11 T12 T13", 4.5, 6.5, 30, 45),
        ("L1 L2 L3", 5.5, 7.5, 35, 55),
        ("L4 L5 L6", 6.0, 8.5, 35, 55),
        ("S1", 6.5, 8.5, 30, 50),
    ],
)
def test_the_generic_catalogue_is_the_table_of_usual_sizes(generic, levels, smallest, largest, shortest, longest):
    for level in (Level[name] for name in levels.split()):
        diameters = generic.diameters(level)
        assert diameters[0] == smallest and diameters[-1] == largest == generic.max_diameter(level)
        assert all(b - a == pytest.approx(0.5) for a, b in zip(diameters, diameters[1:], strict=False))
        for diameter in diameters:
            assert generic.lengths(level, diameter) == tuple(range(shortest, longest + 1, 5))


def test_cervical_screws_are_thin_and_step_by_two_millimetres(generic):
    assert generic.diameters(Level.C2) == (3.5, 4.0)
    assert generic.lengths(Level.C2, 3.5) == tuple(range(14, 35, 2))
    assert generic.shape(Level.C2, 3.5, 24).tulip_diameter_mm < generic.shape(Level.L3, 6.5, 45).tulip_diameter_mm


def test_every_level_but_c1_has_screws(generic):
    for level in cranial_to_caudal():
        if level is not Level.C1:
            assert generic.diameters(level)
    with pytest.raises(InputError, match=r"no screws for C1 \(1\)"):
        generic.diameters(Level.C1)


def test_a_shape_is_named_by_its_catalogue_and_sizes(generic):
    shape = generic.shape(Level.L3, 6.5, 45)
    assert (shape.item, shape.diameter_mm, shape.length_mm) == ("generic 6.5 x 45", 6.5, 45.0)


def test_a_size_that_does_not_exist_is_refused_with_those_that_do(generic):
    with pytest.raises(InputError, match=r"no 6.5 x 46 mm screw for L3 \(22\); 6.5 mm comes in lengths 35, 40, 45"):
        generic.shape(Level.L3, 6.5, 46)
    with pytest.raises(InputError, match=r"no 9 mm screw for L3 \(22\); it has 5.5, 6, 6.5, 7, 7.5 mm"):
        generic.lengths(Level.L3, 9)


@pytest.mark.parametrize(
    ("asked", "item"),
    [
        ((6.6, 46.4), "generic 6.5 x 45"),
        ((20.0, 200.0), "generic 7.5 x 55"),
        ((6.25, 42.5), "generic 6.0 x 40"),
        ((1.0, 1.0), "generic 5.5 x 35"),
    ],
)
def test_snapping_takes_the_nearest_screw_and_the_smaller_of_two(generic, asked, item):
    assert generic.snap(Level.L3, *asked).item == item


def test_the_packaged_schema_holds_for_the_packaged_catalogue():
    import jsonschema

    schema = json.loads(resource_path("ScrewCatalogs", "catalog.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(resource_path("ScrewCatalogs", "generic.json").read_text(encoding="utf-8")), schema)


def test_resources_inside_the_package_win_over_those_beside_it(tmp_path, monkeypatch):
    package = tmp_path / "spinescrew"
    beside, inside = tmp_path / "Resources" / "a.txt", package / "Resources" / "a.txt"
    for path in (beside, inside):
        path.parent.mkdir(parents=True)
    beside.touch()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resource_path("a.txt") == beside
    inside.touch()
    assert resource_path("a.txt") == inside
    with pytest.raises(InputError, match="Resources/b.txt is not part of this installation"):
        resource_path("b.txt")


def test_an_unknown_catalogue_is_refused_with_the_known_ones():
    assert "there is no catalogue 'acme'; use generic" in refusal("acme")
    assert "there is no catalogue file" in refusal("nowhere/list.csv")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("item,diameter_mm,length_mm\nX1,6.5,45\nX2,7.5,50\n", "utf-8"),
        ("item;diameter_mm;length_mm\nX1;6.5;45\nX2;7.5;50\n", "utf-8-sig"),
        ("Item; Diameter_mm ;LENGTH_MM\r\nX1;6,5;45,0\r\n;;\r\nX2;7,5;50\r\n", "utf-16"),
        ("item;length_mm;diameter_mm;Größe\nX1;45;6,5;ü\nX2;50;7.5;ä\n", "cp1252"),
    ],
)
def test_a_list_is_read_as_spreadsheets_write_it(tmp_path, text, encoding):
    catalog = load_catalog(write(tmp_path, text, encoding=encoding))
    assert catalog.name == "own"
    assert catalog.diameters(Level.L3) == (6.5, 7.5)
    assert catalog.shape(Level.T5, 7.5, 50).item == "X2"


def test_a_list_keeps_levels_and_tulips_and_the_usual_maximum(tmp_path):
    text = (
        "item,diameter_mm,length_mm,levels,tulip_diameter_mm,tulip_height_mm\n"
        'A,5.5,40,"T10-T12,L1",12,14\n'
        "B,6.5,40,L1-L5,,\n"
    )
    catalog = load_catalog(write(tmp_path, text))
    assert catalog.diameters(Level.T11) == (5.5,)
    assert catalog.diameters(Level.L1) == (5.5, 6.5)
    assert catalog.shape(Level.L1, 5.5, 40).tulip_height_mm == 14
    assert catalog.shape(Level.L1, 6.5, 40).tulip_height_mm == 15
    assert catalog.max_diameter(Level.L1) == 7.5
    with pytest.raises(InputError, match="no screws for S1"):
        catalog.diameters(Level.S1)


def test_of_two_items_with_the_same_sizes_the_first_is_taken(tmp_path):
    catalog = load_catalog(write(tmp_path, HEADER + "poly,6.5,45\nmono,6.5,45\n"))
    assert catalog.shape(Level.L3, 6.5, 45).item == "poly"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("X,65,45", "line 2: diameter 65 mm is outside 2-12 mm, is it in tenths of a millimetre?"),
        ("X,6.5,450", "line 2: length 450 mm is outside 8-140 mm, is it in tenths of a millimetre?"),
        ("X,0.65,4.5", "line 2: diameter 0.65 mm is outside 2-12 mm, is it in centimetres?"),
        ("Y,6.5,45\nX,thick,45", "line 3: diameter_mm 'thick' is not a number"),
        ("X,,45", "line 2: diameter_mm is empty"),
        ("X,6.5", "line 2: length_mm is empty"),
        ("X,nan,45", "line 2: diameter nan mm is outside 2-12 mm"),
        ("X,-6.5,45", "line 2: diameter -6.5 mm is outside"),
        (",6.5,45", "line 2: the item has no name"),
        ("X,6,5,45", "line 2: more values than the header has names; write decimals with a point"),
        ("X,6.5,45\nX,7.5,45", "line 3: item 'X' stands in line 2 already"),
        ("", "own.csv lists no screws"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_what_is_wrong(tmp_path, rows, said):
    assert said in refusal(write(tmp_path, HEADER + rows))


def test_all_bad_rows_are_named_in_one_line(tmp_path):
    message = refusal(write(tmp_path, HEADER + "".join(f"X{i},65,45\n" for i in range(8)) + "Y,6.5,45\n"))
    assert "line 2:" in message and "line 6:" in message and message.endswith("and 3 more rows")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the header row lacks item, diameter_mm, length_mm"),
        ("item,diameter,length_mm\nX,6.5,45", "the header row lacks diameter_mm"),
        ("item,diameter_mm,length_mm,levels\nX,6.5,45,Q9", "'Q9' is not a vertebra level"),
    ],
)
def test_a_list_without_its_columns_or_with_unknown_levels_is_refused(tmp_path, text, said):
    assert said in refusal(write(tmp_path, text))


def own_json(**changes):
    group = {"levels": ["L3"], "diameters_mm": [6.5], "lengths_mm": [45]}
    return {"schema_version": 1, "name": "mine", "source": "typed", "groups": [{**group, **changes}]}


def test_a_json_catalogue_of_ones_own_is_read(tmp_path):
    catalog = load_catalog(write(tmp_path, json.dumps(own_json(usual_maximum_mm=6.5)), "mine.json"))
    assert catalog.shape(Level.L3, 6.5, 45).item == "mine 6.5 x 45"
    assert catalog.max_diameter(Level.L3) == 6.5
    silent = load_catalog(write(tmp_path, json.dumps(own_json()), "silent.json"))
    assert silent.max_diameter(Level.L3) == 7.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "bad.json is not readable JSON"),
        ("[]", "bad.json: $: [] is not of type 'object'"),
        (json.dumps(own_json(levels=["Q9"])), "bad.json: $.groups[0].levels[0]: 'Q9' does not match"),
        (json.dumps(own_json(diameters_mm=[65])), "groups[0]: diameter 65 mm is outside 2-12 mm, is it in tenths"),
    ],
)
def test_a_broken_json_catalogue_is_refused_with_the_place(tmp_path, text, said):
    assert said in refusal(write(tmp_path, text, "bad.json"))


def test_a_typed_size_is_taken_within_believable_limits():
    shape = custom_shape(6.2, 43.0)
    assert (shape.item, shape.diameter_mm, shape.length_mm) == ("custom", 6.2, 43.0)
    assert custom_shape(2, 8).radius_mm == 1 and custom_shape(12, 140).length_mm == 140


@pytest.mark.parametrize(
    ("diameter", "length", "said"),
    [
        (65, 45, "diameter 65 mm is outside 2-12 mm, is it in tenths of a millimetre?"),
        (6.5, 4.5, "length 4.5 mm is outside 8-140 mm, is it in centimetres?"),
        (1.99, 7, "diameter 1.99 mm is outside 2-12 mm; length 7 mm is outside 8-140 mm"),
        (float("nan"), 45, "diameter nan mm"),
        (6.5, float("inf"), "length inf mm"),
    ],
)
def test_a_typed_size_beyond_belief_is_refused(diameter, length, said):
    with pytest.raises(InputError) as error:
        custom_shape(diameter, length)
    assert said in str(error.value)


def test_a_custom_screw_keeps_the_tulip_it_is_like(generic):
    like = generic.shape(Level.C2, 3.5, 24)
    assert custom_shape(3.6, 23, like).tulip_diameter_mm == like.tulip_diameter_mm


def test_a_believable_size_has_no_problem():
    assert size_problem("diameter", 6.5) == ""
