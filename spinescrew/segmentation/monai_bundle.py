"""A MONAI bundle on disk (MONAI Bundle Specification), run in a process of its own.

A bundle is a program: its configuration can run any Python. Use bundles from sources you trust only.
"""

from __future__ import annotations

import importlib.util
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_labels, write_volume
from spinescrew.progress import Progress
from spinescrew.segmentation import monai_worker
from spinescrew.segmentation.combine import resample_labels
from spinescrew.segmentation.engine import Segmentation
from spinescrew.segmentation.finish import finish
from spinescrew.segmentation.process import Ended, find_python, library_path, run_program

INFERENCE = ("configs/inference.json", "configs/inference.yaml")
NETWORKS = ("models/model.ts", "models/model.pt")
_METADATA = ("configs/metadata.json", "metadata.json")
_LEVEL = re.compile(r"(?<![a-z0-9])(c[1-7]|t1[0-3]|t[1-9]|l[1-6]|s1)(?![a-z0-9])")
_NO_VERTEBRA = re.compile(r"disc|disk|rib|nerve|cord|canal")


class MonaiBundle:
    """A folder with ``configs/inference.json``, ``metadata.json`` and ``models/model.ts`` or ``model.pt``.

    Parameters
    ----------
    folder:
        The bundle.
    python:
        The interpreter that runs it; the one running, or Slicer's, when left out.
    """

    name = "monai"
    title = "MONAI bundle (a folder given by the user)"

    def __init__(self, folder: Path | None = None, python: str | None = None) -> None:
        self._folder, self._python = folder, python

    def unavailable(self) -> str:
        """Why it cannot run: no folder, pieces missing, or no MONAI."""
        if self._folder is None:
            return "no MONAI bundle was given; give its folder"
        if not self._folder.is_dir():
            return f"{self._folder} is not a folder; give the folder of a MONAI bundle"
        for wanted in (INFERENCE, _METADATA, NETWORKS):
            if _first(self._folder, wanted) is None:
                return f"{self._folder} is no complete MONAI bundle: {' or '.join(wanted)} is missing"
        return "" if self._python else _missing()

    def segment(self, ct: Volume, levels: Sequence[Level] | None, progress: Progress) -> Segmentation:
        """Run the bundle's own preprocessing, inferer and postprocessing; its channel names say which level is which.

        Raises
        ------
        InputError
            If a piece is missing, no channel names a vertebra, or the bundle fails.
        Cancelled
            If a cancel was asked for.
        """
        reason = self.unavailable()
        if reason or self._folder is None:
            raise InputError(reason)
        metadata = read_metadata(self._folder)
        channels = levels_of_channels(metadata, self._folder)
        with tempfile.TemporaryDirectory(prefix="spinescrew-") as private:
            image, result = Path(private) / "image.nii.gz", Path(private) / "labels.nii.gz"
            with progress.step("hand the CT over", 0.0, 0.05):
                write_volume(ct, image)
            with progress.step("segment (MONAI bundle)", 0.05, 0.9) as part:
                ended = self._run(image, result, part)
            if ended.code != 0 or not result.is_file():
                raise InputError(_reason(self._folder, ended))
            found = read_labels(result)
        labels = resample_labels(_named(found, channels), ct)
        provenance = f"MONAI bundle {metadata.get('name', self._folder.name)} {metadata.get('version', '')}".strip()
        return finish(ct, labels, self.name, provenance, wanted=levels, progress=progress.part(0.9, 1.0))

    def _run(self, image: Path, result: Path, progress: Progress) -> Ended:
        command = [self._python or find_python(), "-P", "-m", monai_worker.__name__]
        command += [str(self._folder), str(image), str(result)]
        return run_program(command, progress, monai_worker.fraction_of, library_path())


def _missing() -> str:
    """Why the Python that comes with this program cannot run a bundle; it shares its packages."""
    missing = [name for name in ("torch", "monai") if importlib.util.find_spec(name) is None]
    if missing:
        return f"{' and '.join(missing)} is not installed; install it with: pip install spinescrew[deep]"
    try:
        find_python()
    except InputError as error:
        return str(error)
    return ""


def read_metadata(folder: Path) -> dict[str, Any]:
    """The bundle's metadata; raises :class:`InputError` where it is damaged."""
    path = _first(folder, _METADATA)
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path else None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}); fetch the bundle again") from error
    if not isinstance(found, dict):
        raise InputError(f"{folder} has no usable metadata.json; fetch the bundle again")
    return found


def levels_of_channels(metadata: dict[str, Any], folder: Path) -> dict[int, Level]:
    """Output value -> level, by the names in ``channel_def``; names of other things are left out.

    Raises
    ------
    InputError
        If there is no ``channel_def``, it names no vertebra, or names one twice.
    """
    try:
        names = metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
        numbered = {int(value): str(name) for value, name in names.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{folder}: metadata.json has no network_data_format, outputs, pred, channel_def; it must say which output "
            "is which vertebra"
        ) from error
    found = {value: level for value, name in numbered.items() if (level := _level(name)) is not None}
    if not found:
        listed = ", ".join(list(numbered.values())[:6])
        raise InputError(f"{folder}: no output of this bundle is a vertebra ({listed}); choose another bundle")
    return found


def _level(name: str) -> Level | None:
    """``vertebrae_L1``, ``L1``, ``vertebra L1`` or ``sacrum`` to a level."""
    text = name.lower()
    if _NO_VERTEBRA.search(text):
        return None
    if "sacrum" in text:
        return Level.S1
    match = _LEVEL.search(text)
    return Level[match.group(1).upper()] if match else None


def _named(labels: Volume, channels: dict[int, Level]) -> Volume:
    """Channel numbers to VerSe ids; other channels are background."""
    table = np.zeros(int(labels.array.max()) + 1, np.int16)
    for value, level in channels.items():
        if 0 < value < len(table):
            table[value] = level.value
    return labels.with_array(table[labels.array])


def _reason(folder: Path, ended: Ended) -> str:
    told = [line for line in ended.lines if line.startswith(monai_worker.ERROR)]
    if told:
        return f"{folder}: {told[-1].removeprefix(monai_worker.ERROR)}"
    if ended.code in (-9, 137):
        return f"{folder}: the bundle ran out of memory; close other programs or give a smaller CT"
    return f"{folder}: the bundle failed with code {ended.code} ({ended.last_line})"


def _first(folder: Path, names: Sequence[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
