"""The network's probability joined with width and corridor: what it says, how it moves, and what it is read from."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from axis_samples import perfect_assessment

torch = pytest.importorskip("torch")

from spinescrew.feasibility import assessment  # noqa: E402
from spinescrew.feasibility.joint import (  # noqa: E402
    OTHER_NETWORK,
    UNMEASURED,
    answer,
    load_join,
    logit_of,
    network_logit,
)
from spinescrew.feasibility.judge import load_judge, share_of  # noqa: E402
from spinescrew.networks.pedicle_join import PedicleJoin  # noqa: E402

STEPS = np.linspace(0.0, 1.0, 9)


@pytest.fixture(scope="module")
def join():
    model = PedicleJoin("of this one")
    model.calibrate(torch.tensor([3.0, 4.0, 2.0]), 0.5)
    return logit_of(model)


def judged(probability, low=None, high=None):
    return SimpleNamespace(probability=probability, low=low or probability, high=high or probability)


def test_at_all_limits_the_bias_alone_speaks(join):
    assert join(0.5, 4.78, 0.64) == pytest.approx(0.5)
    known = 0.5 + 3 * np.tanh(network_logit(0.9) / 4) + 4 * np.tanh(0.5) + 2 * np.tanh(-0.4)
    assert join(0.9, 5.28, 0.44) == pytest.approx(known, abs=1e-6)


def test_it_rises_with_each_figure_and_stays_finite(join):
    for place, values in ((0, STEPS), (1, 8 * STEPS), (2, 4 * STEPS - 2)):
        figures = np.tile([0.5, 4.78, 0.64], (len(values), 1))
        figures[:, place] = values
        assert (np.diff([join(*row) for row in figures]) > 0).all()
    assert np.isfinite([join(0.0, 0.0, -9.0), join(1.0, 99.0, 99.0)]).all()


def test_no_figure_outvotes_the_others(join):
    """However sure the network is, it weighs no more than its weight."""
    assert join(1.0 - 1e-9, 4.78, 0.64) < 0.5 + 3.0
    assert join(0.5, 40.0, 0.64) == pytest.approx(4.5)


def test_where_nothing_was_measured_the_network_alone_speaks(join):
    alone = judged(0.7, 0.6, 0.8)
    for given in ((np.nan, 0.5, 1.0, join), (5.0, np.nan, 1.0, join), (5.0, 0.5, 1.0, None)):
        found = answer(alone, *given)
        assert (found.probability, found.low, found.high, found.joined) == (0.7, 0.6, 0.8, False)


def test_the_interval_holds_the_answer_and_grows_with_slices_and_looks(join):
    found = [answer(judged(0.6), 4.9, 0.7, mm, join) for mm in (1.0, 2.0, 3.0)]
    widths = [each.high - each.low for each in found]
    assert all(each.low < each.probability < each.high and each.joined for each in found)
    assert widths[0] < widths[1] < widths[2]
    assert len({each.probability for each in found}) == 1
    moved = answer(judged(0.6, 0.2, 0.9), 4.9, 0.7, 1.0, join)
    assert moved.high - moved.low > widths[0] and moved.probability == found[0].probability
    assert answer(judged(0.6), 4.9, 0.7, 0.5, join).low == found[0].low


def test_far_from_the_border_the_interval_is_narrow(join):
    found = answer(judged(0.999), 8.0, 3.0, 1.0, join)
    assert found.high - found.low < 0.01


def test_the_installed_join_was_made_for_the_installed_network():
    card = load_judge("cpu")[1]
    own = load_join(card.sha256)
    assert own is not None and load_join("another") is None
    assert own(0.99, 6.5, 1.5) > 3.0 and own(0.01, 3.5, -0.2) < -3.0
    assert abs(share_of(own(0.5, 4.78, 0.64)) - 0.5) < 0.15


def test_an_assessment_gives_the_joint_answer_beside_the_networks(join):
    plain, joined = (perfect_assessment(7, variant="usual", join=rule) for rule in (None, join))
    for side, own in joined.sides.items():
        alone = plain.sides[side]
        assert (alone.joined, alone.probability) == (False, alone.network) and own.network == alone.network
        expected = join(own.network, own.measures.outer_width_mm, own.measures.corridors[3.5].margin_mm)
        assert own.joined and own.probability == pytest.approx(share_of(expected))
        assert own.disagreement == alone.disagreement
        assert UNMEASURED not in own.measures.notes + alone.measures.notes


def test_an_assessment_says_that_a_pedicle_could_not_be_measured(join, monkeypatch):
    def unmeasured(*given, **named):
        return replace(measured(*given, **named), outer_width_mm=float("nan"))

    measured = assessment.measure_pedicle
    monkeypatch.setattr(assessment, "measure_pedicle", unmeasured)
    own = perfect_assessment.__wrapped__(7, variant="usual", join=join).sides["left"]
    assert own.probability == own.network and not own.joined and UNMEASURED in own.measures.notes


def test_a_join_for_another_network_is_told_in_a_warning(monkeypatch):
    whole = perfect_assessment(7, variant="usual")
    given = {}
    for name, made in (
        ("unavailable", lambda: ""),
        ("check_image", lambda ct, head: []),
        ("find_axis", lambda *_: SimpleNamespace(poses={"left": None, "right": None})),
        ("load_judge", lambda device: (None, SimpleNamespace(sha256="another", provenance=""))),
        ("judge", lambda *_: None),
        ("attention", lambda *_: None),
        ("put_together", lambda *args: given.update(join=args[-1]) or whole),
    ):
        monkeypatch.setattr(assessment, name, made)
    assert assessment.assess_c2(whole.ct).warnings == (OTHER_NETWORK,)
    assert given == {"join": None}
