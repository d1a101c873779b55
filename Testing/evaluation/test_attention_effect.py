import numpy as np
import pytest
from axis_samples import axis_image
from scipy.ndimage import label

torch = pytest.importorskip("torch")

from spinescrew.evaluation.attention_effect import attention_effect, hidden, random_piece  # noqa: E402
from spinescrew.feasibility.attention import attention  # noqa: E402
from spinescrew.feasibility.scheme import PEDICLE_SHAPE  # noqa: E402
from spinescrew.networks.pedicle_net import PedicleNet  # noqa: E402


@pytest.fixture
def net():
    torch.manual_seed(1)
    return PedicleNet(PEDICLE_SHAPE, width=2).eval()


def test_a_piece_of_bone_is_in_one_piece_in_bone_and_as_large_as_asked():
    bone = np.zeros((20, 20, 20), bool)
    bone[2:18, 4:16, 5:15] = True
    piece = random_piece(bone, 300, np.random.default_rng(0))
    assert piece.sum() == 300
    assert not (piece & ~bone).any()
    assert label(piece)[1] == 1


def test_of_too_little_bone_all_is_taken():
    bone = np.zeros((5, 5, 5), bool)
    bone[1, 1, 1:4] = True
    assert np.array_equal(random_piece(bone, 50, np.random.default_rng(0)), bone)
    assert not random_piece(np.zeros_like(bone), 50, np.random.default_rng(0)).any()


def test_what_is_hidden_is_the_mean_and_the_rest_stays():
    image = np.arange(8.0, dtype=np.float32).reshape(1, 2, 2, 2)
    where = np.zeros((2, 2, 2), bool)
    where[0, 0, 0] = True
    out = hidden(image, where)
    assert out[0, 0, 0, 0] == 3.5
    assert np.array_equal(out[0][~where], image[0][~where])


def test_attention_lies_on_the_box_between_0_and_1(net):
    image = axis_image(7, variant="usual")
    pose = image.poses["right"]
    found = attention(net, image.ct, pose, "cpu")
    assert found.shape == PEDICLE_SHAPE
    assert np.allclose(found.affine, pose.box().affine)
    assert found.array.min() >= 0.0
    assert found.array.max() in (0.0, pytest.approx(1.0))


def test_hiding_nothing_that_counts_changes_nothing(net):
    """A network that looks nowhere: its answer is its bias."""
    with torch.no_grad():
        net.judge[-1].weight.zero_()
    image = axis_image(7, variant="usual")
    pose = image.poses["left"]
    depth = np.ones(PEDICLE_SHAPE, np.float32)
    effect = attention_effect(net, image.ct, pose, depth, np.random.default_rng(0), pieces=1)
    assert effect.attended == 0.0
    assert effect.elsewhere == 0.0
