"""Storing pictures: what is kept, what is refused, and that no half a file is ever seen."""

import os
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from storefront.errors import InvalidInput
from storefront.services import pictures
from storefront.services.pictures import WIDTHS, store_picture, stored_widths

ORIENTATION = 0x0112
GPS = 0x8825
MAKE = 0x010F


def a_picture(width: int = 1600, height: int = 2000, mode: str = "RGB") -> Image.Image:
    """A picture whose left half is red and whose right half is blue."""
    picture = Image.new(mode, (width, height), "red")
    picture.paste(Image.new(mode, (width - width // 2, height), "blue"), (width // 2, 0))
    return picture


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def files(media_dir: Path) -> list[str]:
    return sorted(path.name for path in media_dir.iterdir())


def widest(media_dir: Path, stored: pictures.StoredPicture) -> Image.Image:
    with Image.open(media_dir / f"{stored['key']}-{stored['width']}.webp") as image:
        image.load()
    return image


def a_png_start(width: int, height: int) -> bytes:
    """The start of a PNG that claims this size in a few bytes."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checked = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + checked + struct.pack(">I", 1000) + b"IDAT"


def swapped_profile() -> bytes:
    """A color profile in which red stands for blue and blue for red."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"XXXX", 1).replace(b"bXYZ", b"rXYZ", 1)
    return swapped.replace(b"XXXX", b"bXYZ", 1)


def test_it_writes_every_width_as_webp_in_the_same_shape(tmp_path: Path) -> None:
    stored = store_picture(encoded(a_picture()), tmp_path, " Red and blue ")
    assert (stored["width"], stored["height"], stored["alt"]) == (1280, 1600, "Red and blue")
    assert files(tmp_path) == sorted(f"{stored['key']}-{width}.webp" for width in WIDTHS)
    for width in WIDTHS:
        with Image.open(tmp_path / f"{stored['key']}-{width}.webp") as image:
            assert (image.format, image.size) == ("WEBP", (width, width * 5 // 4))


def test_it_never_scales_up(tmp_path: Path) -> None:
    stored = store_picture(encoded(a_picture(700, 500)), tmp_path, "")
    assert (stored["width"], stored["height"]) == (700, 500)
    assert stored_widths(700) == [320, 640, 700]
    names = {f"{stored['key']}-{width}.webp" for width in stored_widths(700)}
    assert set(files(tmp_path)) == names


@pytest.mark.parametrize(
    ("width", "expected"),
    [(1, [1]), (320, [320]), (321, [320, 321]), (1280, list(WIDTHS)), (5000, list(WIDTHS))],
)
def test_it_names_the_widths_that_exist(width: int, expected: list[int]) -> None:
    assert stored_widths(width) == expected


def test_it_writes_nothing_new_for_the_same_picture(tmp_path: Path) -> None:
    first = store_picture(encoded(a_picture(400, 500), "PNG"), tmp_path, "One")
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    second = store_picture(a_picture(400, 500), tmp_path, "Two")
    assert second["key"] == first["key"]
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_it_gives_different_pictures_different_keys(tmp_path: Path) -> None:
    # The same bytes in two shapes: the pixels alone would not tell them apart.
    wide = store_picture(Image.new("RGB", (200, 100), "green"), tmp_path, "")
    tall = store_picture(Image.new("RGB", (100, 200), "green"), tmp_path, "")
    assert wide["key"] != tall["key"]


def test_it_takes_a_stream(tmp_path: Path) -> None:
    stored = store_picture(BytesIO(encoded(a_picture(400, 500), "WEBP")), tmp_path, "")
    assert stored["width"] == 400


def test_it_strips_where_and_with_what_the_photo_was_taken(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[MAKE] = "Secret camera"
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    photo = encoded(a_picture(400, 500), exif=exif, comment=b"my home", xmp=b"<x:xmpmeta/>")
    assert b"Secret camera" in photo
    stored = store_picture(photo, tmp_path, "")
    image = widest(tmp_path, stored)
    assert not image.getexif() and not {"exif", "xmp", "icc_profile"} & set(image.info)
    for name in files(tmp_path):
        content = (tmp_path / name).read_bytes()
        assert not [word for word in (b"Secret", b"EXIF", b"XMP", b"home") if word in content]


def test_it_turns_the_photo_upright_before_it_forgets_the_orientation(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    stored = store_picture(encoded(a_picture(600, 400), exif=exif), tmp_path, "")
    assert (stored["width"], stored["height"]) == (400, 600)
    image = widest(tmp_path, stored)
    top, bottom = image.getpixel((200, 60)), image.getpixel((200, 540))
    assert top[0] > 200 > 60 > top[2] and bottom[2] > 200 > 60 > bottom[0]


def test_it_scales_a_turned_photo_by_its_upright_width(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 8
    stored = store_picture(encoded(a_picture(3000, 1500), exif=exif), tmp_path, "")
    assert (stored["width"], stored["height"]) == (1280, 2560)


def test_it_applies_the_color_profile_before_it_forgets_it(tmp_path: Path) -> None:
    photo = encoded(a_picture(400, 500), icc_profile=swapped_profile())
    image = widest(tmp_path, store_picture(photo, tmp_path, ""))
    red, _, blue = image.getpixel((50, 50))
    assert blue > 200 > 60 > red and "icc_profile" not in image.info


def test_it_ignores_a_broken_profile(tmp_path: Path) -> None:
    photo = encoded(a_picture(400, 500), icc_profile=b"no profile at all")
    assert store_picture(photo, tmp_path, "")["width"] == 400


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA"])
def test_it_takes_pictures_in_any_color_mode(tmp_path: Path, mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    photo = encoded(a_picture(40, 50).convert(mode), "JPEG" if kind == "TIFF" else kind)
    assert widest(tmp_path, store_picture(photo, tmp_path, "")).size == (40, 50)


def test_it_keeps_transparency(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (40, 50), (255, 0, 0, 0))
    image = widest(tmp_path, store_picture(encoded(clear, "PNG"), tmp_path, ""))
    assert image.mode == "RGBA" and image.getpixel((20, 20))[3] == 0


@pytest.mark.parametrize("size", [(20_000, 20_000), (12_000, 12_000), (8_000, 5_001)])
def test_it_refuses_too_many_pixels_before_decoding_any(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    # There are no pixels behind the header: decoding first would end in another answer.
    with pytest.raises(InvalidInput, match="40 megapixels"):
        store_picture(a_png_start(*size), tmp_path, "")
    assert not files(tmp_path)


def test_it_refuses_a_ribbon(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="long and thin"):
        store_picture(encoded(Image.new("RGB", (10, 2000)), "PNG"), tmp_path, "")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_it_refuses_a_truncated_file(tmp_path: Path, kind: str, share: float) -> None:
    whole = encoded(Image.effect_noise((300, 300), 90).convert("RGB"), kind)
    with pytest.raises(InvalidInput):
        store_picture(whole[: int(len(whole) * share)], tmp_path, "")
    assert not files(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just words",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a/*\x01\x00\x01\x00*/=1;alert(1)//",
        encoded(Image.new("RGB", (4, 4)), "GIF"),
        encoded(Image.new("RGB", (4, 4)), "TIFF"),
        encoded(Image.new("RGB", (4, 4)), "PDF"),
        b"PK\x03\x04" + encoded(Image.new("RGB", (4, 4)), "PNG"),
    ],
)
def test_it_refuses_what_is_no_picture_of_a_known_kind(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidInput, match="could not be read"):
        store_picture(content, tmp_path, "")
    assert not files(tmp_path)


def test_it_keeps_nothing_of_a_file_that_is_a_picture_and_a_script(tmp_path: Path) -> None:
    script = b"<script>alert(1)</script><?php system('id'); ?>"
    store_picture(encoded(a_picture(400, 500), comment=script) + script, tmp_path, "")
    for name in files(tmp_path):
        content = (tmp_path / name).read_bytes()
        assert content.startswith(b"RIFF") and b"script" not in content and b"php" not in content


def test_it_reads_damaged_files_or_refuses_them_in_words(tmp_path: Path) -> None:
    whole = encoded(a_picture(60, 50), "PNG")
    for place in range(len(whole)):
        damaged = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        try:
            store_picture(damaged, tmp_path, "")
        except InvalidInput as refused:
            assert refused.message


def test_it_leaves_nothing_behind_when_the_disk_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store_picture(a_picture(400, 500), tmp_path, "")
    assert not files(tmp_path)


def test_it_shows_a_file_only_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace
    seen: list[str] = []

    def watched(source: str, target: Path) -> None:
        assert not target.exists()
        with Image.open(source) as image:
            image.load()
            seen.append(f"{image.format} {image.width}")
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    store_picture(a_picture(700, 500), tmp_path, "")
    assert seen == ["WEBP 320", "WEBP 640", "WEBP 700"]


def test_it_makes_the_folder_and_lets_a_web_server_read_the_files(tmp_path: Path) -> None:
    media_dir = tmp_path / "instance" / "media"
    store_picture(a_picture(40, 50), media_dir, "")
    assert [path.stat().st_mode & 0o777 for path in media_dir.iterdir()] == [0o644]
