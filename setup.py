"""Where the package's files are: the library in spinescrew/, its data in the top-level Resources/."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

HERE = Path(__file__).parent
DATA = ["Resources", *(f"Resources.{folder.name}" for folder in sorted((HERE / "Resources").iterdir()) if folder.is_dir())]

setup(
    packages=[*find_namespace_packages(include=["spinescrew", "spinescrew.*"]), *(f"spinescrew.{name}" for name in DATA)],
    package_dir={f"spinescrew.{name}": name.replace(".", "/") for name in DATA},
)
