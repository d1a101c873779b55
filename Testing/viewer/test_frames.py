"""Events of a hand on their way to a view, and its pictures on their way back."""

import asyncio

import numpy as np
import pytest

from spinescrew.viewer.frames import RESTING_S, HandledArea, Stamp, StampedScheduler


class Window:
    """A view that only remembers what it was told."""

    def __init__(self, stamp):
        self.stamp, self.events, self.drawn = stamp, [], 0

    @property
    def img_cols_rows(self):
        self.drawn += 1
        return np.zeros((8, 10, 3), np.uint8), 10, 8

    def process_resize_event(self, width, height):
        pass

    def process_interaction_event(self, event):
        self.events.append((event["type"], event.get("x")))


def play(scenario, settle=lambda stamp: stamp.edited()):
    """(window, pictures' stamps, what the scenario returned) of ``await scenario(area, scheduler)``."""

    async def run():
        stamp, pictures = Stamp(), []
        window = Window(stamp)
        scheduler = StampedScheduler(window, stamp, rca_encoder="jpeg")
        area = HandledArea(window, "view", stamp, lambda: None, lambda: settle(stamp), scheduler=scheduler)
        scheduler.set_push_callback(lambda content, meta: pictures.append(meta))
        found = await scenario(area, scheduler)
        await area.close()
        return window, pictures, found

    return asyncio.run(run())


def move(x):
    return {"type": "MouseMove", "x": x, "y": 1, "w": 10, "h": 8}


def test_of_moves_that_come_together_only_the_last_is_followed_and_all_count_as_seen():
    async def scenario(area, _scheduler):
        for x in range(5):
            area.on_interaction("page", move(x))
        await asyncio.sleep(0.01)

    window, _, _ = play(scenario)
    assert window.events == [("MouseMove", 4)]
    assert window.stamp.events == 5


def test_a_button_comes_after_the_move_before_it_and_wakes_what_lies_under_it():
    async def scenario(area, _scheduler):
        area.on_interaction("page", move(3))
        area.on_interaction("page", {**move(4), "type": "LeftButtonPress"})
        area.on_interaction("page", {"type": "LongTap"})

    window, _, _ = play(scenario)
    assert [kind for kind, _ in window.events] == ["MouseMove", "MouseMove", "LeftButtonPress"]


@pytest.mark.parametrize("edited", [True, False])
def test_a_picture_says_which_edits_it_contains(edited):
    async def scenario(area, scheduler):
        scheduler.set_active(True)
        area.on_interaction("page", move(1))
        await asyncio.sleep(0.01)
        area.schedule_render()
        await asyncio.sleep(0.1)

    _, pictures, _ = play(scenario, settle=lambda stamp: stamp.edited() if edited else None)
    assert (pictures[0]["revision"], pictures[0]["events"]) == (int(edited), int(edited))


def test_a_view_without_the_hand_is_drawn_after_it_rests_or_after_a_few_turns():
    async def scenario(area, scheduler):
        loop = asyncio.get_running_loop()
        scheduler.rca.drawn = 0  # asked once already, whether it can draw
        scheduler.schedule_render()
        begun = last = loop.time()
        longest = 0.0
        while scheduler.rca.drawn == 0:
            area.on_interaction("page", move(1))
            await asyncio.sleep(0.005)
            longest, last = max(longest, loop.time() - last), loop.time()
        return last - begun, longest

    window, _, (waited, longest_pause) = play(scenario)
    assert window.drawn == 1
    if longest_pause < RESTING_S / 2:  # or this machine made the hand rest
        assert waited > 2 * RESTING_S
