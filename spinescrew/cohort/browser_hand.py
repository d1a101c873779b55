"""A hand on the page of the planner: a browser, moved from a process of its own.

The hand must keep its pace while the server draws: in the server's own event loop every move would wait for the
picture before it, and the delay that is to be measured would be gone. So the server's process only asks
(:class:`Hand`), and this module, run as a program, moves the mouse (:class:`Mouse`).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from typing import Any

from spinescrew.errors import InputError

ENVIRONMENT = "SPINESCREW_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
VIEWPORT = {"width": 1280, "height": 800}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
HERTZ = 60

_PATIENCE_S = 120
_HOVER_S, _HOLD_S, _QUIET_S = 0.5, 0.3, 0.8
_LOG_BYTES = 2**26

# In the order in which it happens: a move of the mouse, before the page hears of it; a call to the server, with its
# number; a picture, once it is decoded, so that it could be seen. All [kind, ms, area, revision, events].
_WATCH = """
(() => {
  const waiting = new Set();
  const bench = window.bench = { log: [], calls: 0, revisions: {}, watched: false };
  const note = (kind, area, revision, events) => bench.log.push([kind, performance.now(), area, revision, events]);

  window.addEventListener('pointermove', () => note('move', '', 0, 0), true);

  const send = WebSocket.prototype.send;
  const text = new TextDecoder('latin1');
  WebSocket.prototype.send = function (data, ...rest) {
    if (data instanceof Object && text.decode(data).includes('trame.rca.event')) note('call', '', 0, ++bench.calls);
    return send.call(this, data, ...rest);
  };

  bench.watch = () => {
    const session = window.trame?.client?.getConnection()?.getSession();
    if (!session || bench.watched) return bench.watched;
    session.subscribe('trame.rca.topic.stream', async ([{ name, meta, content }]) => {
      const picture = await createImageBitmap(new Blob([content], { type: meta.type }));
      picture.close();
      note('picture', name, meta.revision, meta.events);
      bench.revisions[name] = Math.max(meta.revision, bench.revisions[name] ?? 0);
      waiting.forEach((look) => look());
    });
    return bench.watched = true;
  };

  bench.newer = ([area, revision, ms]) => new Promise((resolve) => {
    const look = () => {
      if (bench.revisions[area] > revision) { waiting.delete(look); resolve(true); }
    };
    waiting.add(look);
    setTimeout(() => { waiting.delete(look); resolve(false); }, ms);
    look();
  });
})();
"""


def find_chromium() -> str:
    """Path of the browser. Raises InputError that says what to install."""
    wanted = os.environ.get(ENVIRONMENT)
    found = next(filter(None, map(shutil.which, (wanted,) if wanted else NAMES)), None)
    if found is None:
        missing = f"'{wanted}' of {ENVIRONMENT} is no program" if wanted else "there is no Chromium"
        raise InputError(f"{missing}; install one (Debian: apt install chromium) or name it in {ENVIRONMENT}")
    return found


class Hand:
    """The mouse, asked from the server's process; for ``async with``.

    Raises InputError where the browser cannot be started, or fails.
    """

    def __init__(self, executable: str) -> None:
        self._executable = executable
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Hand:
        from spinescrew.segmentation.process import library_path

        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            __name__,
            self._executable,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LOG_BYTES,
            env={**os.environ, **library_path()},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 20)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def ask(self, what: str, *arguments: Any) -> Any:
        """What a method of :class:`Mouse` answers."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps([what, *arguments]).encode() + b"\n")
        line = await process.stdout.readline()
        if not line:
            raise InputError("the browser's process ended; is there enough memory for a browser?")
        answer, problem = json.loads(line)
        if problem:
            raise InputError(f"the browser failed: {problem}")
        return answer


class Mouse:
    """A mouse on a page; positions are pixels of the page from its upper left corner."""

    def __init__(self, browser: Any) -> None:
        self.page = browser.new_page(viewport=VIEWPORT)

    def open(self, address: str) -> None:
        """Show a page, and watch it from its first picture on."""
        self.page.add_init_script(_WATCH)
        self.page.goto(address)
        self.page.wait_for_function("bench.watch()", timeout=1000 * _PATIENCE_S)

    def box(self, node: str) -> tuple[float, float, float, float]:
        """Left, upper, width and height of a view."""
        box = self.page.locator(f"#pane-{node}").bounding_box()
        return box["x"], box["y"], box["width"], box["height"]

    def press(self, x: float, y: float) -> None:
        """Hover, and press the button."""
        self.page.mouse.move(x - 3, y)
        self.page.mouse.move(x, y)
        time.sleep(_HOVER_S)
        self.page.mouse.down()
        time.sleep(_HOLD_S)

    def single(self, area: str, points: list[tuple[float, float]]) -> None:
        """Move to each point, and wait until the view ``area`` has shown what came of it and all is quiet."""
        for x, y in points:
            time.sleep(_QUIET_S)
            before = self.page.evaluate("area => bench.revisions[area] ?? 0", area)
            self.page.mouse.move(x, y)
            self.page.evaluate("bench.newer", [area, before, 10000])

    def sweep(self, points: list[tuple[float, float]]) -> None:
        """Move to each point at :data:`HERTZ`, whatever the page shows meanwhile."""
        start = time.monotonic()
        for n, (x, y) in enumerate(points):
            time.sleep(max(0.0, start + n / HERTZ - time.monotonic()))
            self.page.mouse.move(x, y)

    def release(self) -> None:
        """Let go."""
        self.page.mouse.up()
        time.sleep(_HOLD_S)

    def key(self, name: str) -> None:
        """Press a key."""
        self.page.keyboard.press(name)

    def quiet(self) -> int:
        """Wait until nothing is on its way; how many events have gone to the server, then."""
        time.sleep(_QUIET_S)
        return int(self.page.evaluate("bench.calls"))

    def take_log(self) -> list[list[Any]]:
        """What happened since it was asked last."""
        return list(self.page.evaluate("bench.log.splice(0)"))


def main(executable: str) -> None:
    """Do what the lines of standard input ask, until they end."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        mouse: Mouse | None = None
        for line in sys.stdin:
            what, *arguments = json.loads(line)
            answer, problem = None, ""
            try:
                mouse = mouse or Mouse(playwright.chromium.launch(executable_path=executable, args=FLAGS))
                answer = getattr(mouse, what)(*arguments)
            except Error as error:
                problem = str(error).partition("\n")[0]
            sys.stdout.write(json.dumps([answer, problem]) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
