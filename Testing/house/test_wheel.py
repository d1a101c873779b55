import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_wheel_carries_the_data(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    for wanted in (
        "spinescrew/Resources/ScrewCatalogs/generic.json",
        "spinescrew/exchange/plan.schema.json",
        "spinescrew/reports/templates/report.html.j2",
        "spinescrew/planning/planner.py",
    ):
        assert wanted in names
