"""TotalSegmentator (Wasserthal et al., Radiology: AI 2023), the user's own installation, in a process of its own.

It works on this computer only, but on its first run it fetches its weights, and it reports its use (no image, no name)
to its makers unless that is switched off in its own settings.
"""

from __future__ import annotations

import re
import shutil
import sysconfig
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from spinescrew.anatomy.levels import Level, cranial_to_caudal, position
from spinescrew.anatomy.numbering import READINGS, to_verse
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_labels, write_volume
from spinescrew.progress import Progress
from spinescrew.segmentation.combine import resample_labels
from spinescrew.segmentation.engine import Segmentation
from spinescrew.segmentation.finish import finish
from spinescrew.segmentation.process import Ended, find_python, run_program

NUMBERING = "totalsegmentator-v2"
_COMMAND = "TotalSegmentator"
_MISSING = "TotalSegmentator is not installed; install it with: pip install TotalSegmentator"

_NO_NETWORK = ("ConnectionError", "Max retries exceeded", "URLError", "urlopen error", "NameResolution", "ProxyError")
_NO_MEMORY = ("out of memory", "OutOfMemoryError", "MemoryError", "can't allocate memory", "Unable to allocate")
_KILLED = (-9, 137)

_PERCENT = re.compile(r"\b(\d{1,3})%\|")
_PART = re.compile(r"part (\d+) of (\d+)")
_STAGES = (("Resampling", 0.1), ("Predicting", 0.2), ("Saving segmentations", 0.95))
_PREDICTING = (0.2, 0.9)


class TotalSegmentatorEngine:
    """The installed package, version 2 or later.

    Parameters
    ----------
    fast:
        Its 3 mm model: quicker and needs less memory, too coarse for pedicle walls.
    device:
        ``"gpu"``, ``"cpu"`` or ``"mps"`` as it takes them; its own choice when left out.
    command:
        Its console command; looked for among the commands of this Python and in the PATH when left out.
    """

    name = "totalsegmentator"
    title = "TotalSegmentator (installed by the user)"

    def __init__(self, fast: bool = False, device: str | None = None, command: str | None = None) -> None:
        self._fast, self._device, self._command = fast, device, command

    def unavailable(self) -> str:
        """Why it cannot run: the package is not installed."""
        try:
            return "" if self._found() else _MISSING
        except InputError as error:
            return str(error)

    def segment(self, ct: Volume, levels: Sequence[Level] | None, progress: Progress) -> Segmentation:
        """Run it on the CT, written as plain NIfTI without the patient's identity to a folder that is removed.

        ``levels`` come with their neighbours. T13 and L6 it does not know.

        Raises
        ------
        InputError
            If it is not installed, cannot fetch its weights, runs out of memory or fails otherwise.
        Cancelled
            If a cancel was asked for.
        """
        command = self._found()
        if not command:
            raise InputError(_MISSING)
        with tempfile.TemporaryDirectory(prefix="spinescrew-") as folder:
            image, result = Path(folder) / "image.nii.gz", Path(folder) / "labels.nii.gz"
            with progress.step("hand the CT over", 0.0, 0.05):
                write_volume(ct, image)
            arguments = ["-i", str(image), "-o", str(result), "--ml", "--roi_subset", *_classes(levels)]
            arguments += ["--fast"] * self._fast + (["--device", self._device] if self._device else [])
            with progress.step("segment (TotalSegmentator)", 0.05, 0.9) as part:
                ended = run_program([*command, *arguments], part, Listener())
            if ended.code != 0 or not result.is_file():
                raise InputError(_reason(ended))
            labels = to_verse(read_labels(result), NUMBERING)
        provenance = f"TotalSegmentator {_version()}, task total{' --fast (3 mm)' if self._fast else ' (1.5 mm)'}"
        labels = resample_labels(labels, ct)
        return finish(ct, labels, self.name, provenance, wanted=levels, progress=progress.part(0.9, 1.0))

    def _found(self) -> list[str]:
        """The command, first where pip puts it: inside Slicer that works through Slicer's own Python only."""
        own = shutil.which(_COMMAND, path=sysconfig.get_path("scripts")) if self._command is None else None
        if own is not None:
            return [find_python(), own]
        found = shutil.which(self._command or _COMMAND)
        return [found] if found else []


class Listener:
    """Hears from its output how far it is: names of stages, parts (one network each), and a bar within each part.

    Called with a line; returns the fraction in [0, 1], never less than before, or ``None`` where the line says nothing.
    """

    def __init__(self) -> None:
        self._part, self._parts, self._furthest = 1, 1, 0.0

    def __call__(self, line: str) -> float | None:
        fraction = self._fraction(line)
        if fraction is None:
            return None
        self._furthest = max(self._furthest, fraction)
        return self._furthest

    def _fraction(self, line: str) -> float | None:
        part = _PART.search(line)
        if part:
            self._part, self._parts = int(part.group(1)), max(int(part.group(2)), 1)
        bar = _PERCENT.search(line)
        if bar:
            low, high = _PREDICTING
            return low + (high - low) * (self._part - 1 + min(int(bar.group(1)), 100) / 100.0) / self._parts
        return next((fraction for stage, fraction in _STAGES if stage in line), None)


def _classes(levels: Sequence[Level] | None) -> list[str]:
    """Its names of the levels and their neighbours, which facet grades need."""
    known = [level for level in cranial_to_caudal() if level in READINGS[NUMBERING].values()]
    if levels:
        ranks = sorted(position(level) for level in levels)
        above = [level for level in known if position(level) < ranks[0]][-1:]
        below = [level for level in known if position(level) > ranks[-1]][:1]
        known = above + [level for level in known if ranks[0] <= position(level) <= ranks[-1]] + below
    names = [f"vertebrae_{level.name}" for level in known]
    return names + ["sacrum"] * (Level.S1 in known)


def _reason(ended: Ended) -> str:
    """Why it failed, in one line."""
    log = "\n".join(ended.lines)
    if any(sign in log for sign in _NO_NETWORK):
        return (
            "TotalSegmentator could not fetch its weights: there is no network, or it is blocked; run "
            "totalseg_download_weights where there is one, copy ~/.totalsegmentator here, and try again"
        )
    if ended.code in _KILLED or any(sign in log for sign in _NO_MEMORY):
        return "TotalSegmentator ran out of memory; close other programs, use its fast model, or give a smaller CT"
    if ended.code == 0:
        return f"TotalSegmentator wrote no labels (its last line: {ended.last_line}); run it by hand to see why"
    return f"TotalSegmentator failed with code {ended.code} ({ended.last_line}); run it by hand to see why"


def _version() -> str:
    try:
        return version(_COMMAND)
    except PackageNotFoundError:
        return "(version unknown)"
