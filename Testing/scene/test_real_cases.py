"""Scenes of real anatomy: as they were planned, out of a bundle again, and while they are corrected."""

import os
from pathlib import Path

import agreement
import numpy as np
import pytest

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.cohort.case import CaseInput, load_case, plan_volumes
from spinescrew.scene.bundle import inputs_of, write_bundle
from spinescrew.scene.host import DirectHost
from spinescrew.scene.open_case import OpenCase, check_same_image, kept_plan
from spinescrew.scene.standalone import quiet
from spinescrew.scene.store import PlanStore
from spinescrew.scene.volumes import segments_by_level, write_segment

FOLDER = Path(os.environ.get("SPINESCREW_REAL_CASES", ""))
pytestmark = pytest.mark.skipif(not FOLDER.name, reason="SPINESCREW_REAL_CASES is not set")

CASES = {
    "mask": CaseInput(FOLDER / "mask_lumbosacral" / "vertebrae.nii.gz"),
    "ct": CaseInput(
        FOLDER / "ct_lumbosacral_3mm" / "totalsegmentator.nii.gz",
        FOLDER / "ct_lumbosacral_3mm" / "ct.nii.gz",
        "totalsegmentator-v2",
    ),
}


@pytest.fixture(scope="module", params=list(CASES))
def real(request):
    labels, ct = load_case(CASES[request.param])
    return plan_volumes(labels, ct, parse_levels("L3-L5"))


def test_a_bundle_holds_the_same_plan_on_the_same_image(real, scene, tmp_path):
    write_bundle(real.plan, real.spine, tmp_path / "case.mrb")
    with quiet():
        assert scene.ReadFromMRB(str(tmp_path / "case.mrb"), True)
    plan, _, _, _ = kept_plan(scene)
    ct, labels = inputs_of(PlanStore.find(scene))
    assert check_same_image(plan, labels, ct) == ()
    for row in real.plan.planned:
        np.testing.assert_allclose(plan.get(*row.key).screw.entry, row.screw.entry, atol=1e-3)
        np.testing.assert_allclose(plan.get(*row.key).screw.tip, row.screw.tip, atol=1e-3)


def test_a_corrected_pedicle_is_graded_as_from_the_start(real, scene):
    from spinescrew.scene.volumes import add_segmentation

    host, node = DirectHost(), add_segmentation(scene, real.spine.labels, "Vertebrae")
    opened = OpenCase(scene, real.plan, real.spine, labels_node=node, host=host)
    labels = real.spine.labels
    index = np.stack(np.meshgrid(*map(np.arange, labels.shape), indexing="ij"), axis=-1)
    pedicle = real.spine.vertebrae[Level.L4].pedicles["left"].isthmus
    gone = np.linalg.norm(labels.index_to_ras(index) - pedicle, axis=-1) < 5.0
    mask = (labels.array == Level.L4.value) & ~gone
    write_segment(node, segments_by_level(node)[Level.L4], labels.with_array(mask.astype(np.uint8)))
    assert {Level.L4, Level.L5} <= opened.session.stale
    host.run_later()
    assert not opened.session.stale
    fresh = build_spine(opened.session.spine.labels, real.spine.ct, parse_levels("L3-L5"))
    for level in parse_levels("L3-L5"):
        np.testing.assert_array_equal(
            opened.session.spine.vertebrae[level].bone.volume.array, fresh.vertebrae[level].bone.volume.array
        )
    agreement.check(opened.shown)
    opened.close()
