"""Folders of pictures, and whatever else lies in them."""

from __future__ import annotations

import io
import json
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from inferometer.core.errors import DatasetError
from inferometer.datasets import open_dataset, open_roles, pictures


def opened(root, options="test=100%", role="test"):
    return open_dataset(f"{root}/?{options}", role)


def by_name(dataset):
    samples = [dataset[number] for number in range(len(dataset))]
    return {sample.name: sample for sample in samples}


def image(pixels, mode=None):
    from PIL import Image

    made = Image.fromarray(pixels)
    return made.convert(mode) if mode else made


def why(dataset):
    return {skipped.name: skipped.why for skipped in dataset.skipped}


class TestClasses:
    def test_each_folder_is_a_class_and_each_picture_its_pixels(self, laid):
        root, expected = laid()
        dataset = opened(root)
        assert (dataset.name, dataset.kind, dataset.task) == (
            "folder:animals",
            "image",
            "classification",
        )
        assert dataset.classes == ("cat", "dog")
        found = by_name(dataset)
        assert found.keys() == expected.keys()
        for name, sample in found.items():
            assert np.array_equal(sample.input, expected[name])
            assert dataset.classes[sample.label] == name.partition("/")[0]

    def test_roles_are_by_content_not_by_name(self, laid, tmp_path):
        root, _ = laid(60)
        other = tmp_path / "other"
        for path in sorted(root.glob("*/*.png")):
            target = other / path.parent.name / "deep" / f"x{hash(path.name) % 997}{path.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        one, two = open_roles(f"{root}/"), open_roles(f"{other}/")
        assert {role: set(found.contents) for role, found in one.items()} == {
            role: set(found.contents) for role, found in two.items()
        }

    def test_a_file_with_the_names_in_the_models_order(self, laid, tmp_path):
        root, _ = laid()
        (tmp_path / "names.txt").write_text("dog\nbird\ncat\n")
        dataset = opened(root, f"test=100%&classes={tmp_path}/names.txt")
        assert dataset.classes == ("dog", "bird", "cat")
        labels = {
            sample.name.partition("/")[0]: sample.label for sample in by_name(dataset).values()
        }
        assert labels == {"dog": 0, "cat": 2}

    def test_splits_of_its_own(self, laid, tmp_path):
        root, _ = laid(60)
        both = tmp_path / "both"
        for name, keeps in (("train", range(40)), ("test", range(30, 60))):
            for path in sorted(root.glob("*/*.png")):
                if int(path.stem) in keeps:
                    target = both / name / path.parent.name / f"{name}{path.name}"
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(path.read_bytes())
        roles = open_roles(f"{both}/")
        assert len(roles["test"]) == 20
        assert sum(len(one) for one in roles.values()) == 60
        assert roles["test"].classes == ("cat", "dog")
        whys = why(roles["test"])
        assert len(whys) == 10
        assert all("which is for" in one for one in whys.values())

    def test_without_labels(self, laid):
        root, expected = laid()
        dataset = opened(root / "cat", "test=100%&task=other")
        assert len(dataset) == len(expected) / 2
        assert (dataset.task, dataset.classes, dataset[0].label) == ("other", (), None)

    def test_the_same_picture_twice_is_one_sample(self, laid):
        root, expected = laid()
        (root / "cat" / "again.jpg").write_bytes((root / "cat" / "001.png").read_bytes())
        (root / "dog" / "other.png").write_bytes((root / "cat" / "001.png").read_bytes())
        dataset = opened(root)
        assert len(dataset) == len(expected)
        assert why(dataset) == {
            "cat/again.jpg": "the same content as cat/001.png",
            "dog/other.png": "the same content as cat/001.png, with another label",
        }


class TestRefused:
    def test_without_classes(self, tmp_path):
        folder = tmp_path / "flat"
        folder.mkdir()
        (folder / "a.png").write_bytes(b"")
        with pytest.raises(DatasetError, match="has no folders of classes"):
            opened(folder)

    def test_one_class(self, laid):
        root, _ = laid()
        for path in (root / "dog").iterdir():
            path.unlink()
        (root / "dog").rmdir()
        with pytest.raises(DatasetError, match="one class only, 'cat'"):
            opened(root)

    def test_no_pictures(self, tmp_path):
        (tmp_path / "empty" / "a").mkdir(parents=True)
        (tmp_path / "empty" / "a" / "x.txt").write_text("")
        with pytest.raises(DatasetError, match=r"holds no pictures; a/x.txt is no picture"):
            opened(tmp_path / "empty")

    def test_numbers_that_sort_otherwise_as_text(self, laid):
        root, _ = laid()
        for name, new in (("cat", "2"), ("dog", "10")):
            (root / name).rename(root / new)
        with pytest.raises(DatasetError, match="order as text"):
            opened(root)
        assert opened(root, "test=100%&classes=2,10").classes == ("2", "10")

    def test_a_class_that_is_not_named(self, laid):
        root, _ = laid()
        with pytest.raises(DatasetError, match="'dog' is none of the classes="):
            opened(root, "classes=cat,bird")

    def test_a_role_without_samples(self, laid):
        root, _ = laid(6)
        with pytest.raises(DatasetError, match=r"no samples for training; .*\?training=20%"):
            opened(root, "skip=10%", "training")

    def test_too_many_that_cannot_be_used(self, laid):
        root, expected = laid()
        for number in range(5):
            (root / "cat" / f"broken{number}.png").write_bytes(b"nothing")
        with pytest.raises(DatasetError) as caught:
            opened(root)
        told = str(caught.value)
        assert "5 of 25 samples cannot be used" in told
        assert "cat/broken0.png: no picture" in told
        assert "and 2 more" in told
        assert len(opened(root, "test=100%&skip=20%")) == len(expected)

    def test_a_picture_that_changes_after_it_was_looked_at(self, laid):
        root, _ = laid()
        dataset = opened(root)
        path = root / dataset[0].name
        path.write_bytes(path.read_bytes() + b" ")
        with pytest.raises(DatasetError, match="was changed meanwhile"):
            dataset[0]

    def test_a_file_in_place_of_a_folder(self, tmp_path):
        (tmp_path / "x").write_text("")
        with pytest.raises(DatasetError, match="a file, not a folder"):
            open_dataset(f"folder:{tmp_path}/x")


def png_that_says(width, height):
    """A PNG whose header names a size that its data do not have."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


class TestWhateverLiesThere:
    """A folder of good pictures, and one more file."""

    @pytest.fixture
    def among(self, laid):
        root, expected = laid(20)

        def put(name, content):
            path = root / "cat" / name
            if isinstance(content, bytes):
                path.write_bytes(content)
            dataset = opened(root)
            found = by_name(dataset)
            assert expected.keys() <= found.keys()
            return found.get(f"cat/{name}"), why(dataset).get(f"cat/{name}")

        put.root = root
        return put

    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("empty.png", b"", "an empty file"),
            ("text.png", b"hello", "no picture"),
            ("notes.txt", b"hello", "no picture, by its name"),
            ("huge.png", png_that_says(60_000, 60_000), "more than 64,000,000 pixels"),
            ("large.png", png_that_says(12_000, 9_000), "12000x9000 pixels, more than"),
            ("long.png", png_that_says(20_000, 2), "longer than 200 times"),
            ("short.png", png_that_says(200, 200), "broken"),
            ("eps.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_cannot_be_used_is_named(self, among, name, content, told):
        found, reason = among(name, content)
        assert found is None
        assert told in reason

    def test_a_picture_that_is_cut_off(self, among, pictures):
        file = io.BytesIO()
        image(pictures(1, height=80, width=80, seed=7)[0]).save(file, "JPEG")
        found, reason = among("cut.jpg", file.getvalue()[:900])
        assert found is None
        assert "broken" in reason

    def test_hidden_files_are_left_out(self, among):
        assert among(".DS_Store", b"x") == (None, None)

    @pytest.mark.parametrize(
        ("name", "make", "options"),
        [
            ("grey.png", "L", {}),
            ("one-bit.png", "1", {}),
            ("palette.png", "P", {}),
            ("alpha.png", "RGBA", {}),
            ("cmyk.jpg", "CMYK", {"quality": 95}),
            ("cmyk.tif", "CMYK", {}),
            ("palette.gif", "P", {}),
        ],
    )
    def test_other_modes_become_colours(self, among, pictures, name, make, options):
        picture = image(pictures(1, seed=5)[0], make)
        picture.save(among.root / "cat" / name, **options)
        found, reason = among(name, None)
        assert reason is None
        expected = np.asarray(picture.convert("RGB"), int)
        assert found.input.shape == expected.shape
        assert np.abs(found.input - expected).mean() < (25 if name == "cmyk.jpg" else 1)

    def test_of_16_bits_the_upper_8_are_kept(self, among):
        levels = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30) * 100
        image(levels).save(among.root / "cat" / "deep.png")
        found, _ = among("deep.png", None)
        assert np.array_equal(found.input[..., 0], levels >> 8)
        assert np.array_equal(found.input[..., 2], levels >> 8)

    def test_floating_values_are_refused(self, among):
        image(np.ones((4, 4), np.float32)).save(among.root / "cat" / "float.tif")
        assert "floating values" in among("float.tif", None)[1]

    def test_pictures_are_turned_upright(self, among, pictures):
        pixels = pictures(1, seed=6)[0]
        picture = image(pixels)
        exif = picture.getexif()
        exif[0x0112] = 6  # to be turned by a quarter, clockwise
        picture.save(among.root / "cat" / "turned.png", exif=exif)
        assert np.array_equal(among("turned.png", None)[0].input, np.rot90(pixels, -1))

    def test_of_an_animation_the_first_frame_is_taken(self, among, pictures):
        frames = [image(one).quantize(64) for one in pictures(3, seed=8)]
        path = among.root / "cat" / "moving.gif"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        found, _ = among("moving.gif", None)
        assert np.array_equal(found.input, np.asarray(frames[0].convert("RGB")))

    def test_links_out_of_the_folder_are_not_followed(self, among, tmp_path, pictures):
        image(pictures(1, seed=9)[0]).save(tmp_path / "outside.png")
        (among.root / "cat" / "out.png").symlink_to(tmp_path / "outside.png")
        (among.root / "cat" / "lost.png").symlink_to(tmp_path / "nothing.png")
        (among.root / "cat" / "z.png").symlink_to(among.root / "cat" / "001.png")
        (among.root / "cat" / "round").symlink_to(among.root)
        assert why(opened(among.root)) == {
            "cat/out.png": "a link that leads out of the folder",
            "cat/lost.png": "a link that leads nowhere",
            "cat/z.png": "the same content as cat/001.png",
            "cat/round": "a link to a folder",
        }

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
    def test_a_pipe_is_not_waited_for(self, among):
        os.mkfifo(among.root / "cat" / "pipe.png")
        assert among("pipe.png", None)[1] == "not an ordinary file"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_a_file_that_may_not_be_read_is_not_remembered_as_such(self, among):
        path = among.root / "cat" / "001.png"
        path.chmod(0)
        assert "cat/001.png" in why(opened(among.root))
        path.chmod(0o600)
        assert "cat/001.png" not in why(opened(among.root))


class TestMasks:
    @pytest.fixture
    def pairs(self, tmp_path, pictures):
        root = tmp_path / "cells"

        def lay(masks, names=None):
            for number, (pixels, mask) in enumerate(zip(pictures(len(masks)), masks, strict=True)):
                for folder, one in (("images", image(pixels)), ("masks", mask)):
                    (root / folder).mkdir(parents=True, exist_ok=True)
                    one.save(root / folder / f"{number:02}.png")
            return root

        return lay

    def test_masks_are_classes_of_pixels(self, pairs):
        random = np.random.default_rng(1)
        masks = random.integers(0, 4, (12, 9, 12), dtype=np.uint8)
        masks[0, 0, 0] = 255
        dataset = opened(pairs([image(mask) for mask in masks]))
        assert (dataset.task, dataset.classes) == ("segmentation", ("0", "1", "2", "3"))
        assert np.array_equal(dataset[0].label, masks[0])

    def test_black_and_white_masks_are_two_classes(self, pairs):
        masks = np.random.default_rng(1).integers(0, 2, (12, 9, 12), dtype=np.uint8)
        dataset = opened(pairs([image(mask * 255) for mask in masks]))
        assert dataset.classes == ("0", "1")
        assert np.array_equal(dataset[3].label, masks[3])

    def test_indices_of_a_palette_are_classes(self, pairs):
        mask = np.random.default_rng(1).integers(0, 3, (9, 12), dtype=np.uint8)
        painted = image(mask)
        painted.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        dataset = opened(pairs([painted] * 12))
        assert np.array_equal(dataset[0].label, mask)

    def test_what_does_not_fit_is_named(self, pairs, pictures):
        root = pairs([image(np.ones((9, 12), np.uint8))] * 30)
        image(np.ones((3, 3), np.uint8)).save(root / "masks" / "00.png")
        (root / "masks" / "01.png").unlink()
        image(pictures(1)[0]).save(root / "masks" / "02.png")
        dataset = opened(root)
        assert len(dataset) == 27
        assert why(dataset) == {
            "images/00.png": "its mask is 3x3, the picture 9x12",
            "images/01.png": "it has no mask",
            "images/02.png": "its mask: a mask has one number for each pixel, this has RGB",
        }

    def test_a_class_beyond_those_that_are_named(self, pairs):
        root = pairs([image(np.full((9, 12), 7, np.uint8))] * 12)
        with pytest.raises(DatasetError, match=r"holds the class 7, and there are 3, 0 to 2"):
            opened(root, "classes=3")

    def test_another_mask_is_another_digest(self, pairs):
        root = pairs([image(np.full((9, 12), 1, np.uint8))] * 12)
        before = opened(root)
        image(np.full((9, 12), 2, np.uint8)).save(root / "masks" / "05.png")
        after = opened(root)
        assert before.contents == after.contents
        assert before.digest != after.digest


class TestRemembered:
    def test_files_are_decoded_once(self, laid, monkeypatch):
        root, _ = laid()
        before = opened(root)
        monkeypatch.setattr(pictures, "pixels_of", None)
        monkeypatch.setattr("inferometer.datasets.files.pixels_of", None)
        told = []
        after = open_dataset(f"{root}/?test=100%", on_progress=lambda *how: told.append(how))
        assert (after.digest, after.contents) == (before.digest, before.contents)
        assert told == [(number + 1, 20) for number in range(20)]

    def test_a_changed_file_is_looked_at_anew(self, laid, pictures):
        root, _ = laid()
        before = opened(root)
        image(pictures(1, seed=11)[0]).save(root / "cat" / "001.png")
        after = opened(root)
        assert len(set(before.contents) - set(after.contents)) == 1

    @pytest.mark.parametrize(
        "damage",
        [
            lambda content: b"",
            lambda content: content[:-9],
            lambda content: b"\xff\xfe",
            lambda content: b"[1, 2]",
            lambda content: content.replace(b'"rows":{', b'"rows":[],"more":{'),
            lambda content: content.replace(b'"1 pillow', b'"0 pillow'),
            lambda content: json.dumps(
                {**json.loads(content), "rows": dict.fromkeys(json.loads(content)["rows"], 5)}
            ).encode(),
        ],
    )
    def test_a_damaged_memory_is_made_anew(self, laid, cache, damage):
        root, _ = laid()
        before = opened(root)
        [file] = (cache / "datasets").glob("*.json")
        whole = file.read_bytes()
        file.write_bytes(damage(whole))
        assert opened(root).contents == before.contents
        assert json.loads(file.read_bytes()) == json.loads(whole)

    def test_a_memory_that_cannot_be_written_is_done_without(self, laid, cache):
        cache.parent.mkdir(exist_ok=True)
        cache.write_text("a file, where a folder should be")
        root, expected = laid()
        assert len(opened(root)) == len(expected)

    def test_what_an_interruption_leaves_is_used(self, laid, monkeypatch):
        root, _ = laid()

        def interrupt(done, total):
            if done == 8:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            open_dataset(f"{root}/", on_progress=interrupt)
        from inferometer.datasets.files import pixels_of

        decoded = []
        monkeypatch.setattr(
            "inferometer.datasets.files.pixels_of",
            lambda content: decoded.append(1) or pixels_of(content),
        )
        open_dataset(f"{root}/")
        assert len(decoded) == 12

    def test_memory_stays_flat(self, tmp_path, pictures):
        for number, pixels in enumerate(pictures(60, height=300, width=300)):
            folder = tmp_path / "many" / str(number % 2)
            folder.mkdir(parents=True, exist_ok=True)
            image(pixels).save(folder / f"{number}.bmp")
        size = 300 * 300 * 3
        tracemalloc.start()
        dataset = opened(tmp_path / "many")
        for number in range(len(dataset)):
            dataset[number]
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(dataset) == 60
        assert most < 15 * size
