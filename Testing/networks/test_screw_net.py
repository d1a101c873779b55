"""The network that finds screws in radiographs."""

import pytest

torch = pytest.importorskip("torch")

from spinescrew.networks.screw_net import CHANNELS, CLASSES, NECK, OFFSET_PX, TIP, ScrewNet, screw_loss  # noqa: E402

SMALL = (4, 4, 8, 8, 8, 4)


@pytest.mark.parametrize("size", [(64, 64), (70, 93)])
def test_an_image_of_any_size_is_answered_at_every_pixel(size):
    assert ScrewNet(SMALL)(torch.zeros(1, 1, *size)).shape == (1, CHANNELS, *size)


def test_it_can_be_built_again_from_its_arguments():
    net = ScrewNet(SMALL)
    again = ScrewNet(**net.arguments)
    again.load_state_dict(net.state_dict())


def truth():
    classes = torch.zeros(1, 32, 32, dtype=torch.long)
    classes[:, 10:20, 14:18] = 1
    heat = torch.zeros(1, 2, 32, 32)
    heat[:, 0, 10, 16] = heat[:, 1, 19, 16] = 1.0
    offsets = torch.zeros(1, 4, 32, 32)
    offsets[:, 1] = 9.0
    offsets[:, 3] = -9.0
    return classes, heat, offsets


def answer(classes, heat, offsets):
    out = torch.zeros(1, CHANNELS, 32, 32)
    out[:, :CLASSES] = 12.0 * torch.nn.functional.one_hot(classes, CLASSES).movedim(-1, 1)
    out[:, NECK : TIP + 1] = 16.0 * heat - 8.0
    out[:, TIP + 1 :] = offsets / OFFSET_PX
    return out


def test_the_right_answer_costs_least():
    right = answer(*truth())
    best = float(screw_loss(right, *truth()))
    assert best < 0.1
    for channel in (0, 1, NECK, TIP, TIP + 2):
        wrong = right.clone()
        wrong[:, channel] = wrong[:, channel].flip(1) - 1.0
        assert float(screw_loss(wrong, *truth())) > best + 0.05


def test_an_end_that_is_not_known_costs_nothing():
    classes, heat, offsets = truth()
    offsets[:, :2] = torch.nan
    loss = screw_loss(answer(*truth()), classes, heat, offsets)
    assert torch.isfinite(loss)


def test_an_image_without_screws_has_a_loss():
    classes, heat, offsets = (torch.zeros_like(each) for each in truth())
    assert torch.isfinite(screw_loss(torch.zeros(1, CHANNELS, 32, 32), classes, heat, offsets))
