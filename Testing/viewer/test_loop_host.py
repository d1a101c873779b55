"""Frames and timers of the server's event loop."""

import asyncio

from spinescrew.viewer.host import FRAME_S, LoopHost


def on_a_loop(work):
    return asyncio.run(work())


def test_work_of_one_frame_is_done_once_and_soon():
    async def play():
        done, host = [], LoopHost()

        def work():
            done.append("work")

        for _ in range(5):
            host.soon(work)
        await asyncio.sleep(5 * FRAME_S)
        host.soon(work)
        await asyncio.sleep(5 * FRAME_S)
        return done

    assert on_a_loop(play) == ["work", "work"]


def test_what_is_asked_for_again_waits_anew():
    async def play():
        done, host = [], LoopHost()
        host.later("risk", 0.3, lambda: done.append("first"))
        await asyncio.sleep(0.03)
        host.later("risk", 0.3, lambda: done.append("second"))
        await asyncio.sleep(0.4)
        return done

    assert on_a_loop(play) == ["second"]


def test_nothing_is_left_after_the_stop():
    async def play():
        done, host = [], LoopHost()
        host.soon(lambda: done.append("frame"))
        host.later("risk", 0.02, lambda: done.append("timer"))
        host.stop()
        await asyncio.sleep(0.1)
        return done

    assert on_a_loop(play) == []
