"""Files on offer: few, by random addresses, and gone when they should be."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from spinescrew.errors import InputError
from spinescrew.viewer.downloads import Downloads, Offer


@pytest.fixture
def downloads():
    made = Downloads(keep=2)
    yield made
    made.close()


def written(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text(name)
    return path


def test_every_offer_has_an_address_of_its_own(downloads, tmp_path):
    file = written(tmp_path, "plan.json")
    first, second = downloads.offer(file, "plan.json"), downloads.offer(file, "plan.json")
    assert first != second
    assert first.startswith("/download/")
    assert first.endswith("/plan.json")
    assert len(first.split("/")[2]) >= 43


def test_the_address_is_one_of_a_url(downloads, tmp_path):
    assert downloads.offer(written(tmp_path, "a"), "Plan für L4 #1?.html").endswith(
        "/Plan%20f%C3%BCr%20L4%20%231%3F.html"
    )


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a"b\r\nSet-Cookie: x', "a_b__Set-Cookie: x"),
        ("..", "download"),
        ("", "download"),
        ("plan.mrb", "plan.mrb"),
    ],
)
def test_a_name_is_a_name_and_nothing_else(downloads, tmp_path, name, plain):
    downloads.offer(written(tmp_path, "a"), name)
    assert [offer.name for offer in downloads._offers.values()] == [plain]


def test_a_name_beyond_ascii_is_given_twice():
    said = Offer(Path("x"), "Wirbelsäule.html").disposition
    assert said == "attachment; filename=\"Wirbels_ule.html\"; filename*=UTF-8''Wirbels%C3%A4ule.html"
    said.encode("ascii")


def test_a_file_that_is_not_there_cannot_be_offered(downloads, tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(InputError, match="no such file"):
            downloads.offer(path, "x")


def test_the_folder_is_private(downloads):
    assert stat.S_IMODE(downloads.folder.stat().st_mode) == 0o700
    assert downloads.folder == downloads.folder


def test_the_oldest_is_forgotten_and_its_file_removed(downloads):
    files = [written(downloads.folder, name) for name in "abc"]
    for file in files:
        downloads.offer(file, file.name)
    assert [offer.name for offer in downloads._offers.values()] == ["b", "c"]
    assert [file.exists() for file in files] == [False, True, True]


def test_a_file_elsewhere_stays(downloads, tmp_path):
    files = [written(tmp_path, name) for name in "abc"]
    for file in files:
        downloads.offer(file, file.name)
    assert all(file.exists() for file in files)


def test_a_file_offered_twice_stays_while_one_offer_stands(downloads):
    file = written(downloads.folder, "plan")
    for _ in range(4):
        downloads.offer(file, "plan")
    assert file.exists()


def test_closing_takes_everything_back(downloads, tmp_path):
    kept = written(tmp_path, "mine")
    folder = downloads.folder
    downloads.offer(written(folder, "plan"), "plan")
    downloads.offer(kept, "mine")
    downloads.close()
    downloads.close()
    assert not folder.exists()
    assert kept.exists()
    assert not downloads._offers
