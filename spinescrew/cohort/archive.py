"""A folder of results as one file."""

from __future__ import annotations

import shutil
from pathlib import Path

from spinescrew.geometry.atomic import atomic_path


def pack(folder: Path, archive: Path) -> None:
    """Write a zip of ``folder``, whole or not at all."""
    with atomic_path(archive) as temporary:
        packed = Path(shutil.make_archive(str(temporary.with_suffix("")), "zip", folder.parent, folder.name))
        packed.replace(temporary)
