"""The command that joins network and geometry, on the rows of an evaluation."""

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from spinescrew.anatomy.frame import SIDES
from spinescrew.cli import app
from spinescrew.errors import InputError
from spinescrew.evaluation.pedicle_score import PedicleScore, read_scores, write_scores

pytest.importorskip("torch")


def rows(count=60):
    random = np.random.default_rng(4)
    for case in range(count):
        for side in SIDES:
            width = float(random.normal(4.8, 0.8))
            seen, own = (width + float(error) for error in random.normal(0, 0.2, 2))
            network = float(1 / (1 + np.exp(-6 * (seen - 4.8))))
            yield PedicleScore(
                case, side, width > 4.8, probability=0.5, own_width_mm=own, corridor_margin_mm=0.5 * (own - 3.5),
                network=network,
            )  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(app, ["train", *map(str, arguments)], env={"COLUMNS": "200"})


def test_rows_of_an_evaluation_become_a_model(tmp_path):
    from spinescrew.feasibility.judge import load_judge
    from spinescrew.networks.weights import load_model

    table = list(rows())
    first = write_scores(tmp_path / "a.csv", [*table[:70], PedicleScore(99, "left", True, refused="metal")])
    second = write_scores(tmp_path / "b.csv", [*table[70:], replace(table[0], case=100, feasible=None)])
    done = run("c2", "--join", first, "--join", second, "--models", tmp_path / "models")
    assert done.exit_code == 0, done.output
    assert "120 C2 pedicles" in done.output
    _, card = load_model(tmp_path / "models" / "axis-join", "cpu")
    assert card.architecture.arguments["network"] == load_judge("cpu")[1].sha256


def test_rows_without_the_networks_own_answer_are_refused(tmp_path):
    table = write_scores(tmp_path / "old.csv", [replace(row, network=float("nan")) for row in rows()])
    lines = [line.rpartition(",")[0] for line in table.read_text().splitlines()]
    table.write_text("\n".join(lines) + "\n")
    assert len(read_scores(table)) == 120
    done = run("c2", "--join", table, "--models", tmp_path)
    assert isinstance(done.exception, InputError) and "network's own probability" in str(done.exception)


def test_other_networks_have_nothing_to_join(tmp_path):
    done = run("landmarks", "--join", tmp_path / "a.csv")
    assert isinstance(done.exception, InputError) and "--join goes with c2" in str(done.exception)
