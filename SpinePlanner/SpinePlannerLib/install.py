"""The Python packages that the library needs beside those of Slicer: which are missing, and installing them."""

import importlib.util
from pathlib import Path

import slicer

REQUIREMENTS = Path(__file__).resolve().parent.parent / "Resources" / "requirements.txt"
IMPORT_NAMES = {"pillow": "PIL", "pylibjpeg-libjpeg": "libjpeg", "pylibjpeg-openjpeg": "openjpeg"}


def requirements():
    """Lines of Resources/requirements.txt."""
    lines = [line.strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def missing():
    """The requirements that cannot be imported; looks only, imports nothing."""
    return [line for line in requirements() if importlib.util.find_spec(_importName(line)) is None]


def install():
    """Install what is missing; returns the requirements installed. Raises RuntimeError where that fails."""
    wanted = missing()
    if not wanted:
        return []
    try:
        from slicer import packaging
    except ImportError:
        slicer.util.pip_install(wanted)
    else:
        packaging.pip_ensure(wanted, requester="SpinePlanner")
    importlib.invalidate_caches()
    return wanted


def _importName(requirement):
    name = requirement.split(">=")[0].split("==")[0].strip()
    return IMPORT_NAMES.get(name, name.replace("-", "_"))
