"""Plans from images alone against reference screws, on answers that are known."""

import csv

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.cohort import evaluate_plans as module
from spinescrew.cohort.evaluate_plans import evaluate_landmarks, evaluate_plans, write_rows
from spinescrew.errors import InputError
from spinescrew.evaluation.planned import planned_by_level, summarise_planned
from spinescrew.phantoms import make_spine_phantom, reference_screws
from spinescrew.segmentation.landmarks import Channel, Landmarks
from spinescrew.training.cases import LabelledImage

LEVELS = parse_levels("L3-L4")


class Images(list):
    generator = ""

    def describe(self):
        return "images"


@pytest.fixture(scope="module")
def image():
    phantom = make_spine_phantom(21)
    screws = {key: screw for key, screw in reference_screws(phantom).items() if key[0] in LEVELS}
    ends = {key: (screw.entry, screw.tip) for key, screw in screws.items()}
    return LabelledImage(phantom.ct, phantom.labels, ends, screws)


@pytest.fixture(scope="module")
def planned(image):
    return evaluate_plans(Images([image]), "given")[0]


def test_screws_on_the_true_labels_are_near_their_references(planned):
    everything = summarise_planned(planned.of(thick=False))
    assert (everything.screws, everything.unplanned, everything.elsewhere) == (4, 0, 0)
    assert everything.means["pta_deg"] < 2.0 and everything.means["entry_mm"] < 3.0
    assert everything.means["dice"] > 0.6
    assert everything.own_a == everything.true_a == 1.0
    assert everything.led_by_network == 0.0
    assert list(planned_by_level(planned.of(thick=False))) == [Level.L3, Level.L4]
    assert not planned.of(thick=True)


def test_a_plan_one_level_off_is_no_grade_a(image, monkeypatch):
    """Every label one level too high: what is planned as L3 stands in L4."""
    moved = image.labels.array.copy()
    moved[image.labels.array > 0] -= 1
    wrong = image.labels.with_array(moved)

    class Found:
        found = type("Found", (), {"labels": wrong})

    monkeypatch.setattr(module, "segment_volume", lambda *given: Found)
    result = summarise_planned(evaluate_plans(Images([image]), "wrong")[0].of(thick=False))
    assert result.elsewhere == 4 and result.true_a == 0.0
    assert np.isnan(result.means["pta_deg"])


def test_a_refused_image_counts_as_unplanned_and_says_why(image, monkeypatch):
    def refuse(*_):
        raise InputError("no vertebra was found")

    monkeypatch.setattr(module, "segment_volume", refuse)
    (found,) = evaluate_plans(Images([image]), "none")
    assert found.failures == {0: "no vertebra was found"}
    assert summarise_planned(found.of(thick=False)).unplanned == 4


def test_rows_of_a_file_hold_the_differences(planned, tmp_path):
    with write_rows(planned.scores, tmp_path / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert {row["level"] for row in rows} == {"L3", "L4"}
    assert all(float(row["entry_mm"]) < 5.0 and row["true_grade"] == "A" for row in rows)


def test_landmarks_are_compared_with_the_true_ones(image, monkeypatch):
    def shifted(ct, labels, levels, device):
        ends = image.landmarks.items()
        return Landmarks({key: Channel(a + (2.0, 0, 0), b, 1.0, 1.0) for key, (a, b) in ends}, "simulated")

    monkeypatch.setattr(module, "find_landmarks", shifted)
    found = evaluate_landmarks(Images([image]))
    assert found.provenance == "simulated"
    for row in found.levels_of(thick=False):
        assert (row.pedicles, row.missing) == (2, 0)
        assert row.entry_mm == pytest.approx(2.0) and row.exit_mm == pytest.approx(0.0)


def test_images_without_known_screws_are_refused(image):
    bare = LabelledImage(image.ct, image.labels, {})
    with pytest.raises(InputError, match="no image of this data has reference screws"):
        evaluate_plans(Images([bare]), "given")
    with pytest.raises(InputError, match="no image of this data has known entries"):
        evaluate_landmarks(Images([bare]))
