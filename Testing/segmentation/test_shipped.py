"""The networks that are shipped, on images they never saw: names, walls, and what must not be planned quietly."""

import os
from pathlib import Path

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.numbering import to_verse
from spinescrew.cohort.case import CaseInput, plan_case
from spinescrew.cohort.segment import segment_volume
from spinescrew.errors import InputError
from spinescrew.evaluation.segmentation import score_segmentation
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image, read_labels, write_volume
from spinescrew.networks.weights import list_models
from spinescrew.phantoms.training_case import make_training_case
from spinescrew.segmentation.scheme import COARSE, FINE

REAL = os.environ.get("SPINESCREW_REAL_CASES")
needs_real = pytest.mark.skipif(not REAL, reason="SPINESCREW_REAL_CASES is not set")


@pytest.fixture(scope="module")
def case():
    return make_training_case(19, held_out=True, spacing=(1.5, 1.5, 1.5))


def test_every_shipped_network_can_run_and_says_where_it_comes_from():
    shipped = {entry.name: entry for entry in list_models()}
    assert {COARSE, FINE} <= set(shipped)
    for entry in shipped.values():
        assert entry.unavailable == ""
        assert entry.card.provenance == "Trained on simulated images; for research"
        assert entry.card.figures and entry.card.failures, "every card tells how good it is and where it fails"
        assert entry.card.generator_hash.startswith("sha256:")


def test_a_held_out_phantom_is_named_right_and_cut_well(case):
    found = segment_volume(case.ct, [Level.L3]).found
    assert min(found.confidence.values()) > 0.75 and Level.L3 not in found.check
    scores = {score.level: score for score in score_segmentation(found.labels, case.labels)}
    for level in (Level.L2, Level.L3, Level.L4):
        assert scores[level].named_right and scores[level].dice > 0.9


def test_an_image_upside_down_is_not_planned_quietly(case):
    turned = case.ct.with_array(np.ascontiguousarray(case.ct.array[:, :, ::-1]))
    try:
        found = segment_volume(turned, [Level.L3]).found
    except InputError:
        return
    assert set(found.check) == set(found.confidence), "a person is asked to check every level"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda hu: np.full_like(hu, -1000), "empty|same value"),
        (lambda hu: hu[:, :, :5], "short|slices"),
        (lambda hu: np.where(hu > 100, 3071, hu), "metal"),
        (lambda hu: np.clip(hu - hu.min(), 0, None) // 4, "CT"),
    ],
    ids=["empty", "few slices", "metal", "MRI"],
)
def test_what_is_no_ct_of_a_spine_is_refused_from_the_image_alone(case, tmp_path, change, told):
    path = tmp_path / "ct.nii.gz"
    write_volume(Volume(np.ascontiguousarray(change(case.ct.array)), case.ct.affine), path)
    with pytest.raises(InputError, match=told):
        plan_case(CaseInput(None, path), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_plan_from_the_image_alone_says_what_found_its_vertebrae(case, tmp_path):
    path = tmp_path / "ct.nii.gz"
    write_volume(case.ct, path)
    plan = plan_case(CaseInput(None, path), [Level.L3]).plan
    assert len(plan.planned) == 2
    for row in plan.planned:
        reference = case.screws[row.key]
        assert np.linalg.norm(row.screw.entry - reference.entry) < 6.0
        assert row.assessment.gertzbein_robbins == "A"
    notes = " ".join(plan.parameters["input_notes"])
    assert "Trained on simulated images; for research" in notes and "entry and exit" in notes
    assert {"find and name the vertebrae", "cut the vertebrae", "plan the screws"} <= set(plan.timings_s)


@needs_real
def test_a_real_ct_is_named_right():
    folder = Path(REAL) / "ct_lumbosacral_3mm"
    reference = to_verse(read_labels(folder / "totalsegmentator.nii.gz"), "totalsegmentator")
    found = segment_volume(read_image(folder / "ct.nii.gz"), [Level.L3]).found
    scores = {score.level: score for score in score_segmentation(found.labels, reference)}
    for level in (Level.L2, Level.L3, Level.L4):
        assert scores[level].named_right and scores[level].dice > 0.7
