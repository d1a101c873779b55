"""Where the package's files are: the library in spinescrew/, its data in the top-level Resources/."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

HERE = Path(__file__).parent
FOLDERS = sorted(
    path.relative_to(HERE / "Resources").as_posix().replace("/", ".")
    for path in (HERE / "Resources").rglob("*")
    if path.is_dir()
)
DATA = ["Resources", *(f"Resources.{name}" for name in FOLDERS)]
LIBRARY = find_namespace_packages(include=["spinescrew", "spinescrew.*"])

setup(
    packages=[*LIBRARY, *(f"spinescrew.{name}" for name in DATA)],
    package_dir={f"spinescrew.{name}": name.replace(".", "/") for name in DATA},
)
