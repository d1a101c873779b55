"""What the simulated radiographs were made by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from spinescrew.phantoms import training_case

_LIBRARY = Path(__file__).parents[2]
_TISSUE = ("phantoms/xray/patient.py", "radiographs/materials.py", "radiographs/thickness.py")
_METAL = (
    "implants/design_head.py",
    "implants/design_mesh.py",
    "implants/designs.py",
    "phantoms/xray/construct.py",
    "phantoms/xray/shot.py",
    "radiographs/detector.py",
    "radiographs/exposure.py",
    "radiographs/foreign.py",
    "radiographs/metal.py",
    "radiographs/overlays.py",
    "radiographs/spectrum.py",
)


def patients_hash() -> str:
    """``sha256:...`` of the sources of patients and of the tissue before a view, without implants."""
    return _hash(training_case.generator_hash(), _TISSUE)


def generator_hash() -> str:
    """``sha256:...`` of the sources of patients, constructs, screws and exposures together."""
    return _hash(patients_hash(), _METAL)


def _hash(start: str, names: Iterable[str]) -> str:
    digest = hashlib.sha256(start.encode())
    for name in names:
        digest.update(name.encode())
        digest.update((_LIBRARY / name).read_bytes())
    return f"sha256:{digest.hexdigest()}"
