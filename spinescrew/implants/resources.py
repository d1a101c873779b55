"""Where the data files of this project are, however it was installed."""

from __future__ import annotations

from pathlib import Path

from spinescrew.errors import InputError

_PACKAGE = Path(__file__).resolve().parent.parent


def resource_path(*parts: str) -> Path:
    """Path of a shipped data file or folder, such as ``resource_path("ScrewCatalogs", "generic.json")``.

    ``Resources/`` lies inside the package where it was installed by pip, and beside it in a checkout and in an
    installed Slicer extension; the place inside the package is looked at first.

    Raises
    ------
    InputError
        If neither place holds it: the installation is incomplete.
    """
    for folder in (_PACKAGE / "Resources", _PACKAGE.parent / "Resources"):
        found = folder.joinpath(*parts)
        if found.exists():
            return found
    raise InputError(f"Resources/{'/'.join(parts)} is not part of this installation; install SpineScrew again")
