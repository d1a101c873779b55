"""Training of the models that name systems, in tiny settings on drawn films."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[1] / "brands"))

from brand_fakes import SYSTEMS, FakeSource, drawn  # noqa: E402
from PIL import Image  # noqa: E402

from spinescrew.brands.crop import MAGNIFICATION  # noqa: E402
from spinescrew.brands.locate import Located  # noqa: E402
from spinescrew.brands.models import BrandModels  # noqa: E402
from spinescrew.errors import InputError  # noqa: E402
from spinescrew.networks import brand_net, brand_start, load_model, weights  # noqa: E402
from spinescrew.phantoms.xray.brand_scene import make_scenes  # noqa: E402
from spinescrew.training import brand_command  # noqa: E402
from spinescrew.training.brand_calibrate import calibrate_brands  # noqa: E402
from spinescrew.training.brand_cases import NONE, BrandPhantoms, Entry, read_patient, split, write_patient  # noqa: E402
from spinescrew.training.brand_command import BrandData, possible_kinds, train_brands  # noqa: E402
from spinescrew.training.brand_folder import LIST, FolderBrandSource, Together, view_and_patient  # noqa: E402
from spinescrew.training.brand_start import BrandStartTask  # noqa: E402
from spinescrew.training.brand_task import BrandTask, bent, other_tones  # noqa: E402
from spinescrew.training.checkpoint import FILE  # noqa: E402
from spinescrew.training.options import TrainingOptions  # noqa: E402
from spinescrew.training.trainer import Trainer  # noqa: E402


class Small(torch.nn.Module):
    """The interface of a BrandNet over a handful of weights."""

    def __init__(self, brands, kind="merge", other=True):
        super().__init__()
        self.arguments = {"brands": list(brands), "kind": kind, "other": other}
        self.brands, self.kind, self.other = tuple(brands), kind, other
        self.outputs = (*brands, "another system") if other else tuple(brands)
        self.body = torch.nn.Sequential(
            torch.nn.AvgPool2d(4), torch.nn.Conv2d(3, 8, 5, 2), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1)
        )
        self.last = torch.nn.Linear(8, len(self.outputs))
        self.register_buffer("temperature", torch.ones(1))

    def forward(self, crops):
        return self.last(self.body(crops)[:, :, 0, 0])

    def calibrate(self, temperature):
        self.temperature.fill_(temperature)

    def take_over(self, other):
        self.body.load_state_dict(other.body.state_dict())


class SmallStart(torch.nn.Module):
    """A small network that is judged twice."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, crops):
        return self.net(crops), self.net(crops)


@pytest.fixture
def small(monkeypatch):
    """Small networks in the place of the large ones, here and in files."""
    monkeypatch.setattr(brand_net, "BrandNet", Small)
    monkeypatch.setattr(brand_start, "BrandStart", SmallStart)
    monkeypatch.setattr(brand_net, "imagenet_file", lambda: None)
    monkeypatch.setitem(weights.ARCHITECTURES, "Small", __name__)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


def test_a_batch_depends_on_its_number_alone_and_shows_every_system():
    task = BrandTask(FakeSource(), "merge", SYSTEMS, batch_size=4)
    first, again, other = task.batch(3), task.batch(3), task.batch(4)
    assert torch.equal(first["image"], again["image"])
    assert not torch.equal(first["image"], other["image"])
    assert {task.sample(np.random.default_rng(n))[1] for n in range(16)} == {0, 1, 2}
    assert first["image"].shape == (4, 3, 256, 256)


def test_designs_of_no_system_are_shown_more_often_than_any_system():
    task = BrandTask(FakeSource(), "lat", SYSTEMS)
    counts = np.bincount([task.sample(np.random.default_rng(n))[1] for n in range(80)], minlength=3)
    assert counts[-1] == pytest.approx(40, abs=14)
    assert np.abs(counts[:-1] - 20).max() <= 12


def test_a_new_system_is_shown_as_often():
    task = BrandTask(FakeSource(), "lat", SYSTEMS, new=SYSTEMS[1:])
    counts = np.bincount([task.sample(np.random.default_rng(n))[1] for n in range(80)], minlength=3)
    assert np.abs(counts - (16, 32, 32)).max() <= 13


@pytest.mark.parametrize("seed", range(4))
def test_a_bent_crop_keeps_its_middle(seed):
    crop = np.zeros((65, 65), np.float32)
    crop[20:45, 20:45] = 1.0
    found = bent(crop, np.random.default_rng(seed))
    at = np.array([(found * index).sum() / found.sum() for index in np.indices(found.shape)])
    assert np.abs(at - 32).max() < 0.2
    assert np.abs(found - crop).max() > 0.1


def test_tones_change_and_stay_finite():
    crop = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    drawn = [other_tones(crop, np.random.default_rng(seed)) for seed in range(12)]
    assert all(np.isfinite(each).all() and each.dtype == np.float32 for each in drawn)
    steep = [float(np.abs(np.diff(each)).mean()) for each in drawn]
    assert max(steep) > 2 * min(steep)


def test_the_joined_model_sees_both_views_beside_one_another():
    assert BrandTask(FakeSource(), "concat", SYSTEMS, batch_size=1).batch(0)["image"].shape == (1, 3, 256, 512)


def test_a_system_without_the_views_a_model_needs_is_named():
    source = FakeSource()
    source.entries = [
        Entry(e.number, e.brand, e.crosslink, ("ap",) if e.brand == "comb" else e.views) for e in source.entries
    ]
    with pytest.raises(InputError, match="no patient with comb has Lat"):
        BrandTask(source, "lat", SYSTEMS).batch(0)


def test_dropped_features_depend_on_the_step_alone():
    task = BrandTask(FakeSource(), "merge", SYSTEMS, batch_size=2)
    net = torch.nn.Sequential(torch.nn.AvgPool2d(64), torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(48, 3))
    batch = task.batch(1)
    one = task.loss(net, batch).item()
    torch.rand(5)
    assert task.loss(net, batch).item() == one


def test_the_first_lesson_shows_strips_of_the_same_crops():
    crops = BrandTask(FakeSource(), "lat", SYSTEMS, batch_size=2)
    task = BrandStartTask(crops)
    strips, whole = task.batch(3), crops.batch(3)
    assert strips["image"].shape == (2, 3, *task.shape)
    assert torch.equal(strips["image"], whole["image"][:, :, 96:160])
    assert torch.equal(strips["target"], whole["target"])


def test_the_first_lesson_is_judged_at_every_depth_and_the_network_itself_learns():
    torch.manual_seed(0)
    model = brand_start.BrandStart(brand_net.BrandNet(SYSTEMS))
    strips = torch.rand(2, 3, 64, 256)
    given = model.eval()(strips)
    assert [tuple(each.shape) for each in given] == [(2, 3)] * 5
    assert torch.allclose(given[0], model.net(strips), atol=1e-6)
    task = BrandStartTask(BrandTask(FakeSource(), "lat", SYSTEMS, batch_size=2))
    task.loss(model.train(), task.batch(0)).backward()
    for part in (model.net.body._conv_stem.weight, model.net.body._fc.weight, model.judges["1"][0].weight):
        assert float(part.grad.abs().sum()) > 0


def test_the_quick_network_answers_as_monai_s_own_does():
    from monai.networks.nets import EfficientNetBN

    torch.manual_seed(0)
    plain = EfficientNetBN("efficientnet-b0", pretrained=False, spatial_dims=2, in_channels=3, num_classes=3).train()
    net = brand_net.BrandNet(SYSTEMS).train()
    net.body.load_state_dict(plain.state_dict())
    for body in (plain, net.body):
        body._dropout.p = 0.0
        for module in body.modules():
            if hasattr(module, "drop_connect_rate"):
                module.drop_connect_rate = 0.0
    crops = torch.rand(2, 3, 64, 96)
    assert torch.allclose(net(crops), plain(crops), atol=1e-3)


def test_patients_are_split_by_system_and_crosslink():
    entries = [Entry(n, "AB"[n % 2], n % 4 < 2) for n in range(40)]
    first, second = split(entries, 0.25)
    assert len(first) + len(second) == 40
    assert not {e.number for e in first} & {e.number for e in second}
    for brand in "AB":
        for linked in (True, False):
            group = [e for e in second if (e.brand, e.crosslink) == (brand, linked)]
            assert len(group) in (2, 3)


def test_a_patient_comes_back_from_his_file(tmp_path):
    patient = FakeSource()[0]
    write_patient(tmp_path / "a" / "0.npz", patient)
    again = read_patient(tmp_path / "a" / "0.npz")
    assert again.brand == patient.brand
    assert np.array_equal(again.images["lat"].pixels, patient.images["lat"].pixels)
    assert np.array_equal(again.images["ap"].tips, patient.images["ap"].tips)


def test_simulated_patients_are_made_once_and_of_other_spines_afterwards(tmp_path):
    calls = []

    def scenes(seed):
        calls.append(seed)
        return make_scenes(seed, spacing_mm=12.0)

    source = BrandPhantoms(tmp_path, 2, 900_000, families=("family A", "family B"), scenes=scenes)
    assert {e.brand for e in BrandPhantoms(tmp_path, 8, 0).entries} == {*(f"family {c}" for c in "ABCDEFG"), NONE}
    unseen = source.after(4)
    assert unseen.entries[0].number == 20
    source._make = lambda spine: write_patient(source._path(0), FakeSource()[0])
    assert source[0].brand == "comb"
    assert "seeds 900000-900000" in source.describe()


def test_all_models_are_trained_calibrated_and_joined(tmp_path, small, monkeypatch):
    source, unseen = FakeSource(6), FakeSource(6)
    data = BrandData(source, source.entries, unseen, unseen.entries, SYSTEMS, True)
    monkeypatch.setattr(brand_command, "brand_data", lambda *_: data)
    options = TrainingOptions(cycle=20, device="cpu", learning_rate=1e-2, weight_decay=0.0)
    cards = train_brands(tmp_path / "runs", tmp_path / "models", options, batch_size=2)
    assert [card.name for card in cards] == ["brand-ap", "brand-lat", "brand-concat", "brand-merge", "brand-ensemble"]
    assert [card.steps for card in cards] == [2, 3, 3, 3, 0]
    assert cards[0].generator_hash == "sha256:fake"
    assert "begun with the weights (brand-start-ap, 4 steps)" in cards[0].trained_on
    assert "begun with the weights (brand-merge, 3 steps)" in cards[2].trained_on
    for view, steps in (("lat", 5), ("ap", 4)):
        started = torch.load(tmp_path / "runs" / f"brand-start-{view}" / FILE, weights_only=True)
        assert started["step"] == steps
    ensemble, card = load_model(tmp_path / "models" / "brand-ensemble", "cpu")
    assert ("ap", "lat") in ensemble.subsets
    assert ("ap", "merge-ap") in ensemble.subsets
    assert len(ensemble.subsets) == 19
    assert card.figures["patients of the calibration"]["patients"] == 6


def test_installed_models_are_extended_gently_and_see_the_new_system_more_often(tmp_path, small, monkeypatch):
    source = FakeSource(6)
    options = TrainingOptions(cycle=20, device="cpu", learning_rate=1e-2, weight_decay=0.0)
    known = BrandData(source, source.entries, source, source.entries, SYSTEMS[:1], True)
    monkeypatch.setattr(brand_command, "brand_data", lambda *_: known)
    train_brands(tmp_path / "runs", tmp_path / "models", options, batch_size=2)
    monkeypatch.setenv("SPINESCREW_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(brand_command, "brand_data", lambda *_: replace(known, brands=SYSTEMS))
    ran, run = [], brand_command._run
    monkeypatch.setattr(brand_command, "_run", lambda trainer, *rest: ran.append(trainer) or run(trainer, *rest))
    cards = train_brands(tmp_path / "runs", tmp_path / "more", options, batch_size=2, extend=True)
    assert {trainer.task.new for trainer in ran} == {SYSTEMS[1:]}
    assert {trainer.options.learning_rate for trainer in ran} == {5e-3}
    assert all("begun with the weights" in card.trained_on for card in cards[:4])
    assert load_model(tmp_path / "more" / "brand-lat", "cpu")[0].brands == SYSTEMS


def test_a_calibration_refuses_about_the_share_it_may():
    class Sharp(Small):
        """Tells the systems apart by how large a part of the crop is metal."""

        def forward(self, crops):
            bright = (crops[:, 1] > 0).float().mean(dim=(1, 2))
            return torch.stack([-40 * bright, 40 * (bright - 0.4), torch.zeros_like(bright)], dim=1)

    nets = {"ap": Sharp(SYSTEMS, "ap"), "lat": Sharp(SYSTEMS, "lat")}
    source = FakeSource(12)
    ensemble, figures = calibrate_brands(nets, source, source.entries)
    assert figures["patients"] == 12
    assert float(ensemble.least[0]) > -20
    assert BrandModels(nets, {}).kinds_for(("ap",)) == ("ap",)


@pytest.fixture
def folder(tmp_path):
    """Two systems with two patients each, one image of one of them without a view in its name."""
    root = tmp_path / "films"
    for system in ("Alpha", "Beta", "other"):
        for n in range(2):
            for view in ("ap", "lat"):
                film = drawn("comb" if system == "Alpha" else "plain", view, np.random.default_rng(n))
                path = root / system / f"{n:03}_{view.upper()}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.clip(150 * film.pixels, 0, 255).astype(np.uint8)).save(path)
    return root


def found(radiograph, name):
    """Screws as they were drawn."""
    view = "lat" if "LAT" in name else "ap"
    film = drawn("plain", view, np.random.default_rng(0))
    return Located(radiograph, film.necks, film.tips, np.ones(3), MAGNIFICATION / 0.6, view, None)


def test_a_folder_for_each_system_is_read_by_patient(folder, tmp_path):
    source = FolderBrandSource(folder, tmp_path / "cache", find=found)
    assert source.brands == ("Alpha", "Beta")
    assert len(source) == 6
    assert {e.brand for e in source.entries} == {"Alpha", "Beta", NONE}
    assert all(e.views == ("ap", "lat") for e in source.entries)
    assert source.names[0] == "Alpha/000"
    never = FolderBrandSource(folder, tmp_path / "cache", find=lambda *_: pytest.fail("found again"))
    assert len(never) == 6


def test_a_list_may_stand_in_the_place_of_folders(folder, tmp_path):
    rows = ["brand,patient,image,view,crosslink"]
    rows += [f"Gamma,p{n},Alpha/{n:03}_LAT.png,lat,{'yes' if n else 'no'}" for n in range(2)]
    (folder / LIST).write_text("\n".join(rows))
    source = FolderBrandSource(folder, tmp_path / "cache", find=found)
    assert [(e.brand, e.crosslink, e.views) for e in source.entries] == [
        ("Gamma", False, ("lat",)),
        ("Gamma", True, ("lat",)),
    ]
    assert possible_kinds(source.entries) == ("lat", "merge")


def test_images_without_screws_are_left_out_and_told(folder, tmp_path):
    def none(radiograph, name):
        raise InputError(f"{name} shows no pedicle screw")

    with pytest.raises(InputError, match="can be used: 000_AP.png shows no pedicle screw"):
        FolderBrandSource(folder, tmp_path / "cache", find=none)


@pytest.mark.parametrize(
    ("stem", "told"),
    [("007_AP", ("ap", "007")), ("lateral-12", ("lat", "12")), ("x 3 PA", ("ap", "x_3")), ("scan5", ("", "scan5"))],
)
def test_names_of_files_tell_view_and_patient(stem, told):
    assert view_and_patient(stem) == told


def test_a_patient_has_one_system(folder, tmp_path):
    (folder / LIST).write_text("brand,patient,image\nA,p,Alpha/000_AP.png\nB,p,Alpha/000_LAT.png\n")
    with pytest.raises(InputError, match="'p' has two systems"):
        FolderBrandSource(folder, tmp_path / "cache", find=found)


def test_two_sources_are_one_and_say_so(folder, tmp_path):
    own = FolderBrandSource(folder, tmp_path / "cache", find=found, first=1000)
    both = Together(FakeSource(), own)
    assert len(both.entries) == 18
    assert both[1000].brand == "Alpha"
    assert both[0].brand == "comb"
    assert both.provenance.startswith("Trained on simulated images and on images that the user gave")


def test_one_cycle_rises_falls_and_ends(tmp_path):
    options = TrainingOptions(cycle=10, learning_rate=1.0, device="cpu")
    rates = [options.rate(step) for step in range(10)]
    assert max(rates) == pytest.approx(1.0, abs=0.05)
    assert rates.index(max(rates)) in (2, 3)
    assert rates[-1] < 0.05
    assert rates[0] < 0.2

    class Tiny:
        name, purpose, shape = "tiny", "nothing", (8, 8)

        def build(self):
            return torch.nn.Linear(2, 1)

        def batch(self, step):
            return {"x": torch.full((1, 2), float(step % 3))}

        def loss(self, model, batch):
            return model(batch["x"]).square().mean()

    whole = Trainer(Tiny(), tmp_path / "a", options).run()
    Trainer(Tiny(), tmp_path / "b", TrainingOptions(cycle=10, learning_rate=1.0, device="cpu", steps=4)).run()
    resumed = Trainer(Tiny(), tmp_path / "b", options).run(resume=True)
    assert whole.step == resumed.step == 10
    assert all(torch.equal(whole.model[key], resumed.model[key]) for key in whole.model)
