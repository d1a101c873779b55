"""Where a network runs and what it is given."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from spinescrew.errors import InputError
from spinescrew.networks import device
from spinescrew.networks.device import choose_device, mixed_precision, training_precision
from spinescrew.networks.intensity import network_input


@pytest.fixture
def present(monkeypatch):
    """Makes CUDA and MPS seem to be there or not."""

    def set_present(cuda=False, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    set_present()
    return set_present


@pytest.mark.parametrize(
    ("there", "chosen"), [({}, "cpu"), ({"mps": True}, "mps"), ({"cuda": True, "mps": True}, "cuda")], ids=str
)
def test_auto_takes_the_quickest_device_there_is(present, there, chosen):
    present(**there)
    assert choose_device("auto").type == chosen
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused_in_words(present, name):
    with pytest.raises(InputError, match=f"no {name.upper()} device that torch can use; choose 'auto' or 'cpu'"):
        choose_device(name)


def test_a_name_that_is_no_device_is_refused():
    with pytest.raises(InputError, match="'gpu' is not a device; choose one of auto, cpu, cuda, mps"):
        choose_device("gpu")


def test_without_torch_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(device, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"torch, monai, safetensors not installed; install 'spinescrew\[deep\]'"):
        choose_device("auto")


@pytest.mark.parametrize(("native", "half"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_computes_in_the_half_precision_it_has(monkeypatch, native, half):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert mixed_precision(torch.device("cuda")) == half


@pytest.mark.parametrize(
    ("can", "half"), [({}, None), ({"avx512_bf16": True}, torch.bfloat16), ({"amx_bf16": True}, torch.bfloat16)]
)
def test_a_cpu_computes_in_half_precision_only_where_it_can(monkeypatch, can, half):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can, raising=False)
    assert mixed_precision(torch.device("cpu")) == half


def test_a_torch_that_cannot_tell_computes_in_full_precision(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert mixed_precision(torch.device("cpu")) is None


@pytest.mark.parametrize(("shape", "half"), [((48, 64, 64), torch.bfloat16), ((64, 32, 64), None)])
def test_small_boxes_are_trained_in_full_precision_on_a_cpu(monkeypatch, shape, half):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert training_precision(torch.device("cpu"), shape) == half
    assert training_precision(torch.device("mps"), shape) == torch.float16


def test_mps_computes_in_float16():
    assert mixed_precision(torch.device("mps")) == torch.float16


HU = np.array([-1024, -600, -225, 150, 525, 900, 3071], dtype=np.int16)
SCALED = [-1, -1, -0.5, 0, 0.5, 1, 1]


@pytest.mark.parametrize("kind", [np.int16, np.float32, np.float64])
def test_the_window_runs_from_minus_600_to_900_hu(kind):
    given = HU.astype(kind)
    scaled = network_input(given)
    assert scaled.dtype == np.float32 and np.allclose(scaled, SCALED)
    assert np.array_equal(given, HU), "the image itself stays as it was"


@pytest.mark.parametrize("kind", [torch.int16, torch.float32, torch.float16], ids=str)
def test_tensors_are_scaled_as_arrays_are(kind):
    given = torch.from_numpy(HU).to(kind)
    scaled = network_input(given)
    assert scaled.dtype == torch.float32 and torch.allclose(scaled, torch.tensor(SCALED, dtype=torch.float32))
    assert torch.equal(given, torch.from_numpy(HU).to(kind))


def test_what_is_not_a_number_counts_as_air():
    assert network_input(np.array([np.nan, 150.0])).tolist() == [-1, 0]
    assert network_input(torch.tensor([torch.nan, 150.0])).tolist() == [-1, 0]


def test_the_package_is_imported_without_torch():
    code = "import spinescrew.networks, sys; print([m for m in ('torch', 'monai', 'safetensors') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
