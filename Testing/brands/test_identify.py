"""From radiographs to an answer, with drawn films, maps as they ought to be and models that count teeth."""

from dataclasses import replace

import numpy as np
import pytest
from brand_fakes import PIXEL_MM, SHAPE, SYSTEMS, maps_of
from brand_teeth import CARD, FILMS, find, models, pair

from spinescrew.brands import attention as attention_module
from spinescrew.brands import identify as identify_module
from spinescrew.brands.attention import attentions
from spinescrew.brands.identify import BrandResult, Vote, _second_system, _votes, answer, identify
from spinescrew.brands.locate import even_contrast, locate
from spinescrew.brands.models import Answer
from spinescrew.brands.names import LOCKED, SIMULATED, UNLOCKED, never_saw, shown_name
from spinescrew.brands.reference import design_picture, reference_picture
from spinescrew.errors import InputError
from spinescrew.implants.families import FAMILIES
from spinescrew.networks.card import PROVENANCE
from spinescrew.radiographs.radiograph import Radiograph


@pytest.mark.parametrize("system", SYSTEMS)
def test_two_views_give_the_system_and_all_models_say_so(system):
    found = identify(pair(system), models(), find=find, device="cpu", attention=False)
    assert found.views == ("ap", "lat")
    assert found.brands[found.best] == system
    assert set(found.answers) == {"ap", "lat", "concat", "merge"}
    assert found.agreement == 1.0
    assert found.known
    assert len(found.votes) == 6
    assert sum(found.probabilities) == pytest.approx(1.0)
    assert "6 of 6 screws and 4 of 4 models" in found.agreement_words
    assert set(found.seconds) >= {"find the screws", "ask the models"}


def test_images_in_the_other_order_are_told_apart_by_their_shafts():
    found = identify(pair("comb")[::-1], models(), find=find, device="cpu", attention=False)
    assert found.views == ("lat", "ap")


@pytest.mark.parametrize("view", ["ap", "lat"])
def test_one_view_is_answered_by_the_models_that_can(view):
    found = identify([FILMS["comb", view].radiograph], models(), find=find, device="cpu", attention=False)
    assert set(found.answers) == {view, f"merge-{view}"}
    assert found.brands[found.best] == "comb"


def test_members_can_be_chosen_and_impossible_ones_are_refused():
    chosen = identify(pair("comb"), models(), members=("ap", "lat"), find=find, device="cpu", attention=False)
    assert chosen.members == ("ap", "lat")
    with pytest.raises(InputError, match="concat cannot answer"):
        identify(pair("comb")[:1], models(), members=("concat",), find=find, device="cpu")


def test_what_fits_no_system_is_said_to_be_unknown():
    strict = models()
    strict.ensemble.fit(0, *(strict.ensemble.values(0)[:2]), 50.0)
    found = identify(pair("comb"), strict, find=find, device="cpu", attention=False)
    assert not found.known
    assert found.headline.startswith("None of the known systems fits; the nearest is")


def test_an_image_without_screws_or_twice_the_same_or_three_are_refused():
    empty = Radiograph(np.random.default_rng(1).random(SHAPE).astype(np.float32), True, np.full(2, 0.6), "detector")
    with pytest.raises(InputError, match="image 1 shows no pedicle screw"):
        identify([empty], models(), find=find, device="cpu")
    film = pair("comb")[0]
    with pytest.raises(InputError, match="both images are the same"):
        identify([film, film], models(), find=find, device="cpu")
    with pytest.raises(InputError, match="3 were given"):
        identify([film, film, film], models(), find=find, device="cpu")


def test_two_images_with_the_same_view_in_their_headers_are_refused():
    first, second = (replace(image, view="AP") for image in pair("comb"))
    with pytest.raises(InputError, match="both images are AP views"):
        identify([first, second], models(), find=find, device="cpu")


def test_an_inverted_picture_is_read_the_other_way_round():
    film = FILMS["comb", "lat"]
    turned = replace(film.radiograph, pixels=film.pixels.max() - film.pixels)
    found = locate(turned, find=find)
    assert not found.radiograph.bright_is_dense
    assert any("metal is dark" in note for note in found.notes)


def test_a_picture_without_pixel_size_is_scaled_by_its_screws():
    film = FILMS["comb", "lat"]
    plain = Radiograph(film.pixels, True)
    found = locate(plain, find=find)
    told = locate(film.radiograph, find=find)
    assert found.px_per_mm == pytest.approx(told.px_per_mm, rel=0.25)
    assert any("screws of 6.5 mm" in note for note in found.assumed)
    larger = found.with_screws_of(8.0)
    assert larger.px_per_mm == pytest.approx(found.px_per_mm * 6.5 / 8.0)
    assert "screws of 8.0 mm" in larger.assumed[-1]
    assert not told.assumed
    assert told.with_screws_of(8.0) is told


@pytest.mark.parametrize("thinner", [0.8, 1.24])
def test_pictures_without_pixel_size_are_judged_in_the_size_that_fits_best(thinner, monkeypatch):
    images = [Radiograph(image.pixels, True) for image in pair("comb")]
    seen = []

    def judged(own, crops, members):
        side = crops["lat"].windows[0].side_px
        seen.append(side)
        result = answer(own, crops, members)
        return replace(result, score=-abs(np.log(side / seen[0] * thinner)))

    monkeypatch.setattr(identify_module, "answer", judged)
    found = identify(images, models(), find=find, device="cpu", attention=False)
    assert len(seen) == 5
    assert found.crops["lat"].windows[0].side_px == pytest.approx(seen[0] / thinner)
    assert sum(f"screws of {6.5 * thinner:.1f} mm" in note for note in found.warnings) == 2
    seen.clear()
    identify(pair("comb"), models(), find=find, device="cpu", attention=False)
    assert len(seen) == 1


def test_a_lying_image_is_turned():
    film = FILMS["comb", "lat"]

    def turned_find(radiograph, view, **_):
        rot = lambda m: np.ascontiguousarray(np.rot90(m))  # noqa: E731
        way = lambda p: np.stack([p[:, 1], SHAPE[1] - 1 - p[:, 0]], axis=-1)  # noqa: E731
        lying = replace(film, necks=way(film.necks), tips=way(film.tips))
        one = maps_of(film, found_view)
        field = lambda f: np.stack([rot(f[1]), -rot(f[0])])  # noqa: E731
        return replace(
            one, view=view, shaft=rot(one.shaft), head=rot(one.head), neck=rot(one.neck), tip=rot(one.tip),
            to_tip=field(one.to_tip), to_neck=field(one.to_neck),
        ) if lying else one  # fmt: skip

    found_view = locate(film.radiograph, find=find).maps.view
    image = Radiograph(np.ascontiguousarray(np.rot90(film.pixels)), True, np.full(2, PIXEL_MM), "detector")
    found = locate(image, find=turned_find)
    assert found.lying
    assert any("spine lying" in note for note in found.notes)
    assert found.view == "lat"


def test_metal_without_heads_is_called_a_plate():
    film = FILMS["plain", "lat"]

    def headless(radiograph, view, **_):
        return maps_of(replace(film, heads=np.zeros(SHAPE, bool)), view)

    with pytest.raises(InputError, match="no heads as pedicle screws have"):
        locate(film.radiograph, find=headless)


def test_screws_on_a_faint_film_are_found_at_the_second_look():
    film = FILMS["plain", "lat"]
    slope = np.linspace(0, 40, SHAPE[1], dtype=np.float32)
    faint = replace(film.radiograph, pixels=film.pixels + slope)

    def blind(radiograph, view, **_):
        metal, ground = radiograph.pixels[film.shafts], radiograph.pixels[~film.shafts & ~film.heads]
        seen = np.median(metal) > np.quantile(ground, 0.9)
        own = maps_of(film, view)
        return (
            own if seen else replace(own, **{name: 0 * getattr(own, name) for name in ("shaft", "head", "neck", "tip")})
        )

    found = locate(faint, find=blind)
    assert len(found.necks) == 3
    assert np.array_equal(found.radiograph.pixels, faint.pixels)
    assert any("contrast was evened out" in note for note in found.notes)


def test_an_evened_picture_of_nothing_is_still_nothing():
    flat = Radiograph(np.full(SHAPE, 3.0, np.float32), True, np.full(2, PIXEL_MM), "detector")
    assert np.isfinite(even_contrast(flat, 20.0).pixels).all()


def test_several_screws_of_another_system_are_told():
    found = identify(pair("comb"), models(), find=find, device="cpu", attention=False)
    votes = tuple(Vote("lat", n, "plain" if n < 2 else "comb", 0.95) for n in range(4))
    assert "there may be two systems" in _second_system(replace(found, votes=votes))[0]
    assert not _second_system(replace(found, votes=votes[1:]))
    assert not _second_system(replace(found, votes=[replace(vote, probability=0.6) for vote in votes]))


def test_a_screw_that_fits_no_system_votes_for_none():
    strange = np.array([0.2, 0.1, 0.7])
    crops = {"lat": Answer("lat", strange, np.stack([strange, strange[[2, 1, 0]]]), ((("lat", 0),), (("lat", 1),)))}
    votes = _votes(crops, ("comb", "plain"))
    assert [vote.brand for vote in votes] == ["", "comb"]
    found = identify(pair("comb"), models(), find=find, device="cpu", attention=False)
    found = replace(found, votes=votes)
    assert found.agreement == 0.5
    assert found.agreement_words.endswith("1 of the screws fit none")
    assert not _second_system(replace(found, votes=[replace(votes[0], probability=0.99)] * 3))


def test_attention_lies_where_the_metal_is():
    found = identify(pair("comb"), models(), find=find, device="cpu")
    assert {(each.kind, each.view) for each in found.attention} == {
        ("ap", "ap"), ("lat", "lat"), ("merge", "ap"), ("merge", "lat"), ("concat", "ap"), ("concat", "lat"),
    }  # fmt: skip
    for each in found.attention:
        film = FILMS["comb", each.view]
        whole = each.on_image()
        assert whole.shape == SHAPE
        assert 0.0 <= whole.min() <= whole.max() <= 1.0
        inside = each.share_inside(film.heads | film.shafts, 8.0)
        assert inside > (film.heads | film.shafts).mean()
        assert each.share_inside(np.ones(SHAPE, bool)) == pytest.approx(1.0)


def test_asking_for_attention_leaves_the_models_as_they_were():
    own = models(kinds=("ap",), ensemble=False)
    crops = identify([FILMS["comb", "ap"].radiograph], own, find=find, device="cpu", attention=False).crops
    attentions(own, crops, {"ap": SHAPE}, 0)
    net = own.nets["ap"]
    assert not net.see._forward_hooks
    assert net.one.grad is None
    assert attention_module.MOST_LOOKS >= 1


def test_without_an_ensemble_the_models_are_averaged():
    own = models(ensemble=False)
    crops = identify(pair("plain"), own, find=find, device="cpu", attention=False).crops
    found = answer(own, crops)
    mean = np.mean([each.probabilities for each in found.answers.values()], axis=0)
    assert np.allclose(found.probabilities, mean)
    assert isinstance(found, BrandResult)


def test_a_makers_name_is_no_finding_of_simulated_models():
    brands = ("family A", "Maker X", "Maker Y")
    assert shown_name("family A", brands, True) == "family A"
    assert shown_name("Maker Y", brands, True) == "system 2 of your folder"
    assert shown_name("Maker Y", brands, True, unlocked=True) == "Maker Y"
    assert shown_name("Maker Y", brands, False) == "Maker Y"
    real = models(("Maker X", "Maker Y"), card=replace(CARD, generator_hash=""))
    assert not real.simulated
    found = answer(real, identify(pair("comb"), real, find=find, device="cpu", attention=False).crops)
    assert found.ranked[0][0] == "Maker X"
    assert found.names_words == ""
    mixed = replace(found, simulated=True, brands=("Maker X", "family A"))
    assert mixed.ranked[0][0] == "system 1 of your folder"
    assert mixed.names_words == LOCKED
    assert replace(mixed, unlocked=True).names_words == UNLOCKED
    assert replace(mixed, brands=("family A", "family B")).names_words == SIMULATED
    assert never_saw(PROVENANCE)


def test_each_family_has_a_picture_of_its_own():
    pictures = {name: reference_picture(name) for name in list(FAMILIES)[:2]}
    assert all(p is not None and 0 <= p.min() < 0.05 and p.max() > 0.8 for p in pictures.values())
    one, other = (design_picture(FAMILIES[name].design) for name in list(FAMILIES)[:2])
    assert one.shape != other.shape or not np.allclose(one, other)
    assert reference_picture("Maker X") is None
