import pytest

from spinescrew.anatomy.levels import Level, cranial_to_caudal, parse_level, parse_levels, position
from spinescrew.errors import InputError


def test_ids_are_verse_and_stand_beside_names():
    assert Level.S1.label == "S1 (26)"
    assert Level.T13.value == 28
    assert Level.L1.region == "lumbar"


def test_the_order_puts_t13_and_l6_where_they_are():
    names = [level.name for level in cranial_to_caudal()]
    assert names[18:22] == ["T12", "T13", "L1", "L2"]
    assert names[-3:] == ["L5", "L6", "S1"]
    assert position(Level.T13) < position(Level.L1)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("L1-S1", "L1 L2 L3 L4 L5 S1"),
        ("T12,L2-L3", "T12 L2 L3"),
        ("L5-L6", "L5 L6"),
        ("s1, l4", "L4 S1"),
        ("22", "L3"),
        ("sacrum", "S1"),
    ],
)
def test_levels_are_read_as_people_write_them(text, names):
    assert " ".join(level.name for level in parse_levels(text)) == names


@pytest.mark.parametrize(
    ("text", "word"), [("L9", "not a vertebra"), ("S1-L1", "upwards"), ("", "names no"), ("L1-", "not a")]
)
def test_wrong_levels_are_named(text, word):
    with pytest.raises(InputError, match=word):
        parse_levels(text)


def test_a_single_level():
    assert parse_level(" t9 ") is Level.T9
