"""Frames and timers of Qt, for the scene; and jobs in processes of their own, watched from a timer."""

import qt

FRAME_MS = 16
POLL_MS = 100


class QtHost:
    """:class:`spinescrew.scene.host.Host` on Qt's event loop: work of one frame is done together, once."""

    def __init__(self):
        self._due = []
        self._frame = _timer(FRAME_MS, self._onFrame)
        self._timers = {}

    def soon(self, work):
        """Call ``work`` once at the next frame."""
        if work not in self._due:
            self._due.append(work)
        if not self._frame.active:
            self._frame.start()

    def later(self, name, seconds, work):
        """Call ``work`` in ``seconds``, counted anew each time it is asked for."""
        if name in self._timers:
            self._timers.pop(name).stop()
        self._timers[name] = _timer(round(1000 * seconds), lambda: self._onTime(name, work))
        self._timers[name].start()

    def stop(self):
        """Forget everything that was asked for."""
        self._frame.stop()
        self._due = []
        for timer in self._timers.values():
            timer.stop()
        self._timers = {}

    def _onFrame(self):
        due, self._due = self._due, []
        for work in due:
            work()

    def _onTime(self, name, work):
        self._timers.pop(name, None)
        work()


class Watch:
    """A :class:`spinescrew.cohort.background.BackgroundJob` under way.

    ``onProgress(fraction, text)`` is called while it runs, then once either ``onDone(result)`` or ``onFailed(error)``.
    """

    def __init__(self, job, onProgress, onDone, onFailed):
        self.job, self._onProgress, self._onDone, self._onFailed = job, onProgress, onDone, onFailed
        self._timer = _timer(POLL_MS, self._look, once=False)
        self._timer.start()

    def cancel(self):
        """End the process; nothing is called any more."""
        self._timer.stop()
        self.job.cancel()

    def _look(self):
        state = self.job.poll()
        if not state.finished:
            self._onProgress(state.fraction, state.text)
            return
        self._timer.stop()
        try:
            result = self.job.result()
        except Exception as error:  # whatever ended it is shown to the user
            self._onFailed(error)
        else:
            self._onDone(result)


def _timer(milliseconds, work, once=True):
    timer = qt.QTimer()
    timer.setSingleShot(once)
    timer.setInterval(milliseconds)
    timer.connect("timeout()", work)
    return timer
