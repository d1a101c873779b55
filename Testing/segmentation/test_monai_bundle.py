"""Tiny real bundles: a network that thresholds, in the layout of MONAI's specification."""

import json
import sys

import numpy as np
import pytest
from spines import turned

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images import write_volume
from spinescrew.progress import Cancelled, Progress
from spinescrew.segmentation import EngineOptions, get_engine, monai_worker
from spinescrew.segmentation.monai_bundle import MonaiBundle, levels_of_channels

torch = pytest.importorskip("torch")
pytest.importorskip("monai")
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


class Bands(torch.nn.Module):
    """Channels: background, 1000 to 2000 HU, above 2000 HU."""

    def forward(self, image):
        one = ((image >= 1000) & (image < 2000)).float()
        two = (image >= 2000).float()
        return torch.cat([1 - one - two, one, two], dim=1)


NAMES = {"0": "background", "1": "vertebrae_L2", "2": "vertebrae_L3"}

INFERENCE = {
    "imports": ["$import monai"],
    "bundle_root": "/nowhere",
    "output_dir": "$@bundle_root + '/eval'",
    "device": "$torch.device('cuda:0')",
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "EnsureChannelFirstd", "keys": "image"},
            {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
            {"_target_": "Spacingd", "keys": "image", "pixdim": [3.0, 3.0, 3.0], "mode": "bilinear"},
        ],
    },
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [32, 32, 32], "sw_batch_size": 1, "overlap": 0.25},
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [
            {
                "_target_": "Invertd",
                "keys": "pred",
                "transform": "@preprocessing",
                "orig_keys": "image",
                "nearest_interp": False,
                "to_tensor": True,
            },
            {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
            {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir"},
        ],
    },
}


def write_bundle(folder, names=NAMES, inference=INFERENCE, network=Bands):
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    channels = {"network_data_format": {"outputs": {"pred": {"channel_def": names}}}}
    metadata = {"name": "two bands", "version": "0.1.0", **channels}
    (folder / "configs/metadata.json").write_text(json.dumps(metadata))
    (folder / "configs/inference.json").write_text(json.dumps(inference))
    torch.jit.save(torch.jit.script(network()), str(folder / "models/model.ts"))
    return folder


@pytest.fixture(scope="module")
def scan():
    """(CT, labels): two blocks of 48 x 30 x 27 mm, one above the other, on a grid with reversed axes."""
    labels = np.zeros((50, 48, 60), np.int16)
    labels[13:37, 15:30, 36:49] = Level.L2
    labels[13:37, 15:30, 18:31] = Level.L3
    hu = np.select([labels == Level.L2, labels == Level.L3], [1500, 2500], -50).astype(np.int16)
    affine = np.diag([-2.0, -2.0, 2.1, 1.0])
    affine[:3, 3] = (40.0, -60.0, 500.0)
    return Volume(hu, affine), Volume(labels, affine)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("bundle") / "two_bands")


@pytest.fixture(scope="module")
def found(bundle, scan):
    return get_engine("monai", EngineOptions(bundle=bundle)).segment(scan[0], None, Progress())


def test_a_bundle_gives_named_vertebrae_on_the_grid_of_the_ct(found, scan):
    assert found.labels.same_grid(scan[0])
    assert found.levels == (Level.L2, Level.L3)
    for level in found.levels:
        truth, mask = scan[1].array == level, found.labels.array == level
        assert 2 * (truth & mask).sum() / (truth.sum() + mask.sum()) > 0.85


def test_the_bundle_is_named_and_writes_nothing_of_its_own(found, bundle):
    assert found.provenance == "MONAI bundle two bands 0.1.0"
    assert not (bundle / "eval").exists()


def worked(folder, scan, tmp_path, capsys):
    """Exit code and last word of the worker, run in this process."""
    image = write_volume(scan[0], tmp_path / "image.nii.gz")
    code = monai_worker.main(folder, image, tmp_path / "labels.nii.gz")
    return code, capsys.readouterr().out.strip().splitlines()[-1]


def test_weights_without_a_script_need_the_network_of_the_configuration(tmp_path, scan, capsys):
    folder = write_bundle(tmp_path / "weights")
    (folder / "models/model.ts").unlink()
    torch.save({}, folder / "models/model.pt")
    code, told = worked(folder, scan, tmp_path, capsys)
    assert code == 2
    assert told.startswith("error: ")
    assert "has no 'network_def'" in told


def test_weights_are_loaded_into_the_network_of_the_configuration(tmp_path, scan):
    convolution = {"_target_": "torch.nn.Conv3d", "in_channels": 1, "out_channels": 2, "kernel_size": 1}
    kept = {key: INFERENCE[key] for key in ("preprocessing", "inferer")}
    inference = {**kept, "device": "cpu", "network_def": convolution}
    folder = write_bundle(tmp_path / "weights", {"0": "background", "1": "L3"}, inference)
    (folder / "models/model.ts").unlink()
    weights = {"weight": torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1, 1), "bias": torch.tensor([1800.0, 0.0])}
    torch.save(weights, folder / "models/model.pt")
    found = MonaiBundle(folder).segment(scan[0], None, Progress())
    assert found.levels == (Level.L3,)
    truth, mask = scan[1].array == Level.L3, found.labels.array == Level.L3
    assert 2 * (truth & mask).sum() / (truth.sum() + mask.sum()) > 0.85


@pytest.mark.parametrize("piece", ["configs/inference.json", "configs/metadata.json", "models/model.ts"])
def test_a_missing_piece_is_named(tmp_path, scan, piece):
    folder = write_bundle(tmp_path / "broken")
    (folder / piece).unlink()
    engine = MonaiBundle(folder)
    assert piece in engine.unavailable()
    with pytest.raises(InputError, match="no complete MONAI bundle"):
        engine.segment(scan[0], None, Progress())


def test_a_folder_that_is_none_is_named(tmp_path):
    assert "is not a folder" in MonaiBundle(tmp_path / "nowhere").unavailable()


def test_metadata_that_are_no_json_are_refused(tmp_path, scan):
    folder = write_bundle(tmp_path / "broken")
    (folder / "configs/metadata.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        MonaiBundle(folder).segment(scan[0], None, Progress())


def test_a_configuration_without_an_inferer_is_refused(tmp_path, scan, capsys):
    folder = write_bundle(tmp_path / "broken", inference={"preprocessing": INFERENCE["preprocessing"]})
    code, told = worked(folder, scan, tmp_path, capsys)
    assert code == 2
    assert "has no 'inferer'" in told


def test_a_bundle_that_fails_says_why(tmp_path, scan):
    inferer = {"_target_": "SlidingWindowInferer", "roi_size": [32, 32, 32], "overlap": 7}
    folder = write_bundle(tmp_path / "broken", inference={**INFERENCE, "inferer": inferer})
    with pytest.raises(InputError, match="the bundle failed: .*overlap"):
        MonaiBundle(folder).segment(scan[0], None, Progress())


def test_a_bundle_of_other_organs_is_refused(tmp_path, scan):
    folder = write_bundle(tmp_path / "organs", {"0": "background", "1": "spleen", "2": "rib_left_1"})
    with pytest.raises(InputError, match="no output of this bundle is a vertebra"):
        MonaiBundle(folder).segment(scan[0], None, Progress())


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for Slicer's Python")
def test_inside_slicer_it_runs_in_slicers_python(bundle, scan, found, tmp_path, monkeypatch):
    program, python = tmp_path / "bin" / "SlicerApp-real", tmp_path / "bin" / "PythonSlicer"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\ntouch "{tmp_path}/asked"\nexec "{sys.executable}" "$@"\n')
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert "PythonSlicer" in MonaiBundle(bundle).unavailable(), "it is no program yet"
    python.chmod(0o755)
    assert MonaiBundle(bundle).unavailable() == ""
    again = MonaiBundle(bundle).segment(scan[0], None, Progress())
    assert (tmp_path / "asked").exists()
    assert np.array_equal(again.labels.array, found.labels.array)


def test_a_cancel_stops_a_bundle(bundle, scan):
    progress = Progress(lambda fraction, text: progress.cancel() if fraction > 0.06 else None)
    with pytest.raises(Cancelled):
        MonaiBundle(bundle).segment(turned(scan[0], "right"), None, progress)


def channels(**names):
    return {"network_data_format": {"outputs": {"pred": {"channel_def": names}}}}


@pytest.mark.parametrize(
    ("name", "level"),
    [("vertebrae_L1", Level.L1), ("T12", Level.T12), ("vertebra C7", Level.C7), ("sacrum", Level.S1), ("L6", Level.L6)],
)
def test_channel_names_are_understood(tmp_path, name, level):
    assert levels_of_channels(channels(**{"0": "background", "3": name}), tmp_path) == {3: level}


def test_names_that_only_look_like_levels_are_left_out(tmp_path):
    found = levels_of_channels(channels(**{"1": "L1", "2": "disc L1-L2", "3": "rib_right_t1", "4": "colon1"}), tmp_path)
    assert found == {1: Level.L1}


def test_metadata_without_channel_names_are_refused(tmp_path):
    with pytest.raises(InputError, match="channel_def"):
        levels_of_channels({}, tmp_path)
