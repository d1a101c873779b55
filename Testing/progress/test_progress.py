import threading

import pytest

from spinescrew.progress import Cancelled, Job, Progress


def test_parts_map_to_the_whole():
    seen = []
    progress = Progress(lambda fraction, text: seen.append((round(fraction, 3), text)))
    progress.part(0.5, 1.0).part(0.0, 0.5).update(0.5, "deep")
    assert seen == [(0.625, "deep")]


def test_steps_are_timed_even_when_they_fail():
    progress = Progress()
    with pytest.raises(ValueError, match="broken"), progress.step("work"):
        raise ValueError("broken")
    assert progress.timings_s["work"] >= 0


def test_cancel_reaches_every_part():
    progress = Progress()
    part = progress.part(0, 0.5)
    progress.cancel()
    with pytest.raises(Cancelled):
        part.update(0.1)


def test_a_job_returns_its_value():
    assert Job(lambda progress: 42).start().result(timeout=5) == 42


def test_a_job_raises_what_its_work_raised():
    def work(progress):
        raise ValueError("no such level")

    with pytest.raises(ValueError, match="no such level"):
        Job(work).start().result(timeout=5)


def test_a_cancelled_job_says_so():
    started, go = threading.Event(), threading.Event()

    def work(progress):
        started.set()
        go.wait(5)
        progress.update(0.5)

    job = Job(work).start()
    started.wait(5)
    job.cancel()
    go.set()
    with pytest.raises(Cancelled):
        job.result(timeout=5)
    assert job.cancelled
    assert job.done


def test_waiting_too_long_is_a_timeout():
    go = threading.Event()
    job = Job(lambda progress: go.wait(5)).start()
    with pytest.raises(TimeoutError):
        job.result(timeout=0.01)
    go.set()
    job.result(timeout=5)
