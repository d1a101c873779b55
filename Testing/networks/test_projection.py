"""Line integrals: known answers, gradients against finite differences, chunks, an oblique grid."""

import pytest
import torch

from spinescrew.errors import GeometryError
from spinescrew.networks.projection import (
    brought_back,
    integrals_and_slopes,
    line_integrals,
    rigid,
    with_gradient,
)

SOURCE = torch.tensor([3.0, 500.0, -4.0])
MIDDLE = torch.tensor([1.0, -2.0, 3.0])


def grid(size=24, spacing=1.5, turned=False):
    """An affine whose volume has its middle at (1, -2, 3); turned: oblique, anisotropic and left-handed."""
    steps = torch.diag(torch.tensor([spacing, spacing, spacing]))
    if turned:
        turn = rigid(torch.tensor([0.4, -0.7, 0.2]), torch.zeros(3), torch.zeros(3))[:3, :3]
        steps = turn @ torch.diag(torch.tensor([-spacing, spacing, 1.3 * spacing]))
    affine = torch.eye(4)
    affine[:3, :3] = steps
    affine[:3, 3] = MIDDLE - steps @ torch.full((3,), (size - 1) / 2)
    return affine


def places(size, affine):
    """RAS points of all voxels, (size, size, size, 3)."""
    axis = torch.arange(float(size))
    index = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
    return index @ affine[:3, :3].T + affine[:3, 3]


def blob(size, affine, sigma=6.0):
    """A Gaussian ball around the middle."""
    off = places(size, affine) - MIDDLE
    return torch.exp(-(off**2).sum(dim=-1) / (2 * sigma**2))


def detector(count=9, reach=20.0):
    axis = torch.linspace(-reach, reach, count)
    x, z = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, torch.full_like(x, -400.0), z], dim=-1).reshape(-1, 3)


def distance_to(point, targets):
    way = torch.nn.functional.normalize(targets - SOURCE, dim=1)
    arm = point - SOURCE
    return torch.linalg.vector_norm(arm - (way @ arm)[:, None] * way, dim=1)


def ball_integrals(centre, targets, sigma=6.0):
    """Of :func:`blob` around ``centre``."""
    return torch.exp(-(distance_to(centre, targets) ** 2) / (2 * sigma**2)) * (2 * torch.pi) ** 0.5 * sigma


@pytest.mark.parametrize("turned", [False, True])
def test_a_ball_has_the_integrals_of_a_ball(turned):
    affine = grid(48, 1.5, turned)
    targets = detector()
    found = line_integrals(blob(48, affine), affine, SOURCE, targets)
    assert (found - ball_integrals(MIDDLE, targets)).abs().max() < 0.2


def test_a_solid_sphere_has_its_chords():
    affine = grid(40, 1.0)
    off = torch.linalg.vector_norm(places(40, affine) - MIDDLE, dim=-1)
    sphere = (14.5 - off).clamp(0, 1)
    targets = detector(reach=35.0)
    miss = distance_to(MIDDLE, targets)
    chord = 2 * (14.0**2 - miss**2).clamp_min(0).sqrt()
    found = line_integrals(sphere, affine, SOURCE, targets)
    inner = miss < 12
    assert inner.any()
    assert (found - chord)[inner].abs().max() < 0.25
    assert found[miss > 17].abs().max() == 0


def test_a_box_is_seen_from_edge_to_edge_of_its_voxels():
    affine = grid(10, 2.0)
    along = torch.tensor([[1.0, -400.0, 3.0], [8.0, -400.0, 3.0], [60.0, -400.0, 3.0]])
    source = along + torch.tensor([0.0, 800.0, 0.0])
    assert line_integrals(torch.full((10, 10, 10), 0.5), affine, source, along).tolist() == pytest.approx([10, 10, 0])


def test_nothing_is_seen_beyond_the_target():
    affine = grid(10, 2.0)
    source = torch.tensor([1.0, 100.0, 3.0])
    assert line_integrals(torch.ones(10, 10, 10), affine, source, MIDDLE[None]).item() == pytest.approx(10.0, rel=1e-4)


def test_gradients_of_pose_and_volume_agree_with_finite_differences():
    affine = grid(12, 3.0, turned=True).double()
    volume = blob(12, affine.float()).double().requires_grad_()
    pose = torch.tensor([0.05, -0.1, 0.07, 1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    targets, source, centre = detector(3).double(), SOURCE.double(), torch.zeros(3, dtype=torch.float64)

    def image(pose, volume):
        move = rigid(pose[:3], pose[3:], centre)
        return line_integrals(volume, affine, brought_back(move, source), brought_back(move, targets), samples=20)

    assert torch.autograd.gradcheck(image, (pose, volume), eps=1e-6, atol=1e-4)


def test_chunks_change_neither_values_nor_gradients():
    affine = grid(16, 2.0)
    results = []
    for most in (2**21, 300):
        volume = blob(16, affine).requires_grad_()
        found = line_integrals(volume, affine, SOURCE, detector(), most_points=most)
        (found**2).sum().backward()
        results.append((found.detach(), volume.grad))
    torch.testing.assert_close(*[values for values, _ in results])
    torch.testing.assert_close(*[slopes for _, slopes in results])


@pytest.mark.parametrize("turned", [False, True])
def test_slopes_are_what_a_small_motion_does(turned):
    affine = grid(40, 1.5, turned)
    targets, centre = detector(), torch.tensor([2.0, 1.0, -3.0])
    volume = blob(40, affine)
    values, slopes = integrals_and_slopes(with_gradient(volume, affine), affine, SOURCE, targets, centre)
    torch.testing.assert_close(values, line_integrals(volume, affine, SOURCE, targets))
    for n in range(6):
        step = torch.zeros(6)
        step[n] = 0.02
        there, back = (rigid(sign * step[:3], sign * step[3:], centre) @ torch.tensor([*MIDDLE, 1]) for sign in (1, -1))
        expected = (ball_integrals(there[:3], targets) - ball_integrals(back[:3], targets)) / 0.04
        assert (slopes[:, n] - expected).abs().max() < 0.06 * expected.abs().max() + 0.02


def test_chunks_do_not_change_slopes():
    affine = grid(16, 2.0)
    field = with_gradient(blob(16, affine), affine)
    whole = integrals_and_slopes(field, affine, SOURCE, detector(), torch.zeros(3))
    parts = integrals_and_slopes(field, affine, SOURCE, detector(), torch.zeros(3), most_points=300)
    torch.testing.assert_close(whole, parts)


def test_a_rigid_motion_turns_about_its_centre():
    centre = torch.tensor([4.0, 5.0, 6.0])
    move = rigid(torch.tensor([0.0, 0.0, torch.pi / 2]), torch.tensor([1.0, 0.0, 0.0]), centre)
    there = move[:3, :3] @ torch.tensor([5.0, 5.0, 6.0]) + move[:3, 3]
    torch.testing.assert_close(there, torch.tensor([5.0, 6.0, 6.0]))
    torch.testing.assert_close(brought_back(move, there), torch.tensor([5.0, 5.0, 6.0]))


def test_shapes_that_do_not_fit_are_told():
    with pytest.raises(GeometryError, match="three dimensions"):
        line_integrals(torch.ones(4, 4), torch.eye(4), SOURCE, detector())
    with pytest.raises(GeometryError, match=r"\(n, 3\)"):
        line_integrals(torch.ones(4, 4, 4), torch.eye(4), SOURCE, SOURCE)
