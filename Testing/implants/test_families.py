"""Design families: seven that a model may know, and others."""

import numpy as np
import pytest
from closed_surfaces import assert_closed

from spinescrew.errors import InputError
from spinescrew.implants.design_mesh import head_mesh, set_screw_mesh, shaft_mesh
from spinescrew.implants.families import FAMILIES, UNKNOWN_FAMILIES, draw_near, family

ALL = FAMILIES | UNKNOWN_FAMILIES


def test_there_are_seven_and_four_or_more_others():
    assert list(FAMILIES) == [f"family {letter}" for letter in "ABCDEFG"]
    assert len(UNKNOWN_FAMILIES) >= 4
    assert all(one.known for one in FAMILIES.values())
    assert not any(one.known for one in UNKNOWN_FAMILIES.values())
    assert family("family C") is FAMILIES["family C"]
    with pytest.raises(InputError, match="family H"):
        family("family H")


@pytest.mark.parametrize("name", ALL)
def test_every_screw_of_a_family_can_be_made_and_differs_a_little(name):
    random = np.random.default_rng(3)
    drawn = [ALL[name].draw(random) for _ in range(6)]
    for design in drawn:
        diameter, length = ALL[name].draw_size(random)
        for mesh in (shaft_mesh(design, diameter, length), head_mesh(design, diameter), set_screw_mesh(design)):
            assert_closed(mesh)
        assert design.family == name
        assert (design.tulip, design.tip, design.leads) == (drawn[0].tulip, drawn[0].tip, drawn[0].leads)
    assert len({design.pitch_mm for design in drawn}) == len(drawn)
    assert ALL[name].size(6.6, 43.9)[1] == 45.0


def looks(design):
    """What a person sees besides sizes."""
    return (
        design.leads,
        design.dual_zone_mm > 0,
        design.tip,
        design.tulip,
        design.set_screw,
        design.crosslink,
        design.cannula_mm > 0,
        design.outer_taper_share < 1,
    )


def test_no_two_families_look_alike():
    assert len({looks(one.design) for one in ALL.values()}) == len(ALL)


def differences(design, one):
    """In how many telling things a design is not of a family."""
    off = [own != typical for own, typical in zip(looks(design)[:5], looks(one)[:5], strict=True)]
    off += [(design.outer_taper_share < 1) != (one.outer_taper_share < 1)]
    off += [abs(design.pitch_mm / one.pitch_mm - 1) > 0.02]
    cores = [np.array([each.core_share, each.core_taper_share]) for each in (design, one)]
    return sum([*off, np.abs(cores[0] - cores[1]).max() > 0.02])


def test_designs_near_a_family_are_in_none_but_not_far_from_one():
    random = np.random.default_rng(5)
    drawn = [draw_near(random) for _ in range(300)]
    counts = np.array([min(differences(design, one.design) for one in FAMILIES.values()) for design in drawn])
    assert counts.min() >= 1
    assert np.median(counts) <= 3
    assert len({looks(design)[:5] for design in drawn}) > 60
    for design in drawn[:12]:
        for mesh in (shaft_mesh(design, 6.5, 45.0), head_mesh(design, 6.5), set_screw_mesh(design)):
            assert_closed(mesh)


def test_a_few_measures_alone_cannot_tell_the_families_apart():
    """Pitch, diameter and width of the head, measured without any error, with a Gaussian for each family."""
    random = np.random.default_rng(11)

    def measured(count):
        rows, labels = [], []
        for label, one in enumerate(FAMILIES.values()):
            for _ in range(count):
                design, (diameter, _) = one.draw(random), one.draw_size(random)
                rows.append([design.pitch_mm, diameter, design.tulip_diameter_mm])
                labels.append(label)
        return np.array(rows), np.array(labels)

    known, labels = measured(200)
    scores, (new, truth) = [], measured(200)
    for label in range(len(FAMILIES)):
        own = known[labels == label]
        spread = np.cov(own.T)
        off = new - own.mean(axis=0)
        far = np.einsum("ni,ij,nj->n", off, np.linalg.inv(spread), off)
        scores.append(-0.5 * far - 0.5 * np.linalg.slogdet(spread)[1])
    accuracy = np.mean(np.argmax(scores, axis=0) == truth)
    assert 0.5 < accuracy < 0.85


def test_three_families_agree_in_pitch_core_and_tulip():
    random = np.random.default_rng(2)
    ranges = []
    for name in ("family A", "family B", "family C"):
        drawn = [FAMILIES[name].draw(random) for _ in range(100)]
        measures = [
            (d.pitch_mm, (d.core_share + d.core_taper_share) / 2, d.tulip_diameter_mm, d.tulip_height_mm) for d in drawn
        ]
        ranges.append((np.min(measures, axis=0), np.max(measures, axis=0)))
    lows, highs = np.array(ranges).transpose(1, 0, 2)
    assert (lows.max(axis=0) < highs.min(axis=0)).all()
