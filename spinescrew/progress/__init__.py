"""Long work: progress, cancelling and step times."""

from spinescrew.progress.job import Job
from spinescrew.progress.progress import Cancelled, Progress

__all__ = ["Cancelled", "Job", "Progress"]
