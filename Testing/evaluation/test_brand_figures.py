"""Tables of how well systems are named, on answers that are known."""

import numpy as np
import pytest

from spinescrew.errors import InputError
from spinescrew.evaluation.brand_baseline import baseline_accuracy
from spinescrew.evaluation.brand_plots import write_brand_figure
from spinescrew.evaluation.brand_readers import against_brand_readers, read_brand_readers
from spinescrew.evaluation.brand_score import UNKNOWN, BrandScore, read_brand_scores, write_brand_scores
from spinescrew.evaluation.brands import BrandFigures, cohen_kappa, macro_auc

BRANDS = ("A", "B", "C")
OUTPUTS = (*BRANDS, "another system")


def score(case, brand, named, part="held out", sure=0.7, fits=True, model="ap", **more):
    """A patient whose models name a system with some probability."""
    shares = np.full(4, (1 - sure) / 3)
    shares[BRANDS.index(named)] = sure
    both = np.full(4, 0.05)
    both[BRANDS.index(brand) if brand in BRANDS else 0] = 0.85
    told = {model: tuple(shares), "lat": tuple(shares), f"{model}+lat": tuple(both)}
    return BrandScore(case, part, brand, shares=told, fits=dict.fromkeys(told, fits), **more)


@pytest.fixture
def figures():
    rows = [score(n, "ABC"[n % 3], "ABC"[n % 3] if n >= 6 else "A", crosslink=n % 2 == 0) for n in range(30)]
    rows.append(BrandScore(30, "held out", "B", refused="image 1 shows no pedicle screw"))
    rows += [score(100 + n, "unknown 1", "B", part=UNKNOWN, sure=0.4, fits=n == 0) for n in range(5)]
    return BrandFigures(tuple(rows), OUTPUTS, BRANDS)


def test_rates_of_the_forced_choice(figures):
    found = figures.of("held out").rates("ap")
    assert found.count == 31
    assert found.accuracy.value == pytest.approx(26 / 31)
    assert found.micro.f1 == found.accuracy.value
    assert found.by_brand["A"].precision == pytest.approx(10 / 14)
    assert found.by_brand["A"].sensitivity == 1.0
    assert found.by_brand["B"].sensitivity == pytest.approx(8 / 11)
    assert found.by_brand["B"].f1 == pytest.approx(2 * 8 / (2 * 8 + 3))
    assert found.confusion.sum() == 31
    assert found.confusion[1, 3] == 1
    assert found.macro.sensitivity == pytest.approx(np.mean([1.0, 8 / 11, 8 / 10]))
    assert found.kappa.low < found.kappa.value < found.kappa.high


def test_kappa_and_auc_of_known_answers():
    truth = np.array([0, 0, 1, 1, 2, 2])
    assert cohen_kappa(truth, truth) == 1.0
    assert cohen_kappa(truth, np.zeros(6, int)) == 0.0
    assert cohen_kappa(truth, np.array([0, 0, 1, 1, 2, 1])) == pytest.approx(0.75)
    assert macro_auc(truth, np.eye(3)[truth]) == 1.0
    assert macro_auc(truth, np.full((6, 3), 0.3)) == 0.5


def test_an_ensemble_is_compared_with_its_best_member(figures):
    best, test = figures.of("held out").against_best_member("ap+lat")
    assert best in ("ap", "lat")
    assert test.difference.value == pytest.approx(4 / 31)
    assert test.only_first == 4
    assert test.only_second == 0
    assert figures.against_best_member("ap") is None


def test_unknown_systems_and_false_refusals(figures):
    assert figures.unknown_refused("ap").value == pytest.approx(4 / 5)
    assert figures.false_refusals("ap").value == 0.0
    assert figures.unknown_auc("ap") == 1.0


def test_parts_and_models_are_told_in_order(figures):
    assert figures.parts == ("held out", UNKNOWN)
    assert figures.models == ("ap", "lat", "ap+lat")
    assert len(figures.refused) == 1
    assert figures.where(lambda each: each.crosslink).rates("ap").count == 15


def test_scores_are_written_and_read(figures, tmp_path):
    path = write_brand_scores(tmp_path / "a.csv", figures.scores, OUTPUTS)
    scores, outputs = read_brand_scores(path)
    assert outputs == OUTPUTS
    again = BrandFigures(scores, outputs, BRANDS)
    assert again.rates("ap").accuracy == figures.rates("ap").accuracy
    assert scores[30].refused == "image 1 shows no pedicle screw"
    assert scores[31].part == UNKNOWN
    assert scores[0].crosslink
    (tmp_path / "b.csv").write_text("case,part\n1,x\n")
    with pytest.raises(InputError, match="lacks the columns"):
        read_brand_scores(tmp_path / "b.csv")


def test_readers_stand_beside_the_models(figures, tmp_path):
    rows = ["case,reader,brand,seconds"]
    rows += [f"{n},surgeon,{'ABC'[n % 3]},30" for n in range(12)]
    rows += [f"{n},resident,A," for n in range(12)]
    rows += ["999,resident,A,"]
    (tmp_path / "r.csv").write_text("\n".join(rows))
    found = against_brand_readers(figures.of("held out"), read_brand_readers(tmp_path / "r.csv"), "ap")
    surgeon, resident = found.readers
    assert surgeon.accuracy.value == 1.0
    assert surgeon.seconds == 360
    assert surgeon.model.value == pytest.approx(8 / 12)
    assert resident.accuracy.value == pytest.approx(1 / 3)
    assert np.isnan(resident.seconds)
    assert found.unmatched == 1
    (tmp_path / "r.csv").write_text("case,reader,brand\n1,x,A\n1,x,B\n")
    with pytest.raises(InputError, match="line 3: x judged case 1 before"):
        read_brand_readers(tmp_path / "r.csv")


def test_the_picture_is_drawn(figures, tmp_path):
    path = write_brand_figure(tmp_path / "a.png", figures.of("held out"))
    assert path.stat().st_size > 20_000
    with pytest.raises(InputError, match="nothing to draw"):
        write_brand_figure(tmp_path / "b.png", BrandFigures((), OUTPUTS, BRANDS))


def test_measured_features_alone_do_not_tell_the_families_apart():
    assert baseline_accuracy(patients=60) <= 0.85
