"""The command ``spinescrew``: plan, grade, segment, train, evaluate, bench, phantom, demo."""

from spinescrew.cli import bench, case, learning
from spinescrew.cli.app import app, main

__all__ = ["app", "bench", "case", "learning", "main"]
