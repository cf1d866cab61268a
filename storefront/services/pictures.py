"""Pictures of the goods: whatever is uploaded or drawn becomes plain WebP files of fixed widths.

Nothing of the original file survives but its pixels: no metadata, no trailing bytes, no profile.
"""

import hashlib
import os
import struct
import tempfile
import warnings
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypedDict

from PIL import Image, ImageCms, ImageOps

from storefront.errors import InvalidInput
from storefront.i18n import gettext as _
from storefront.services.media import WIDTHS, file_name, stored_widths

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 40_000_000
# WebP ends at 16383 pixels a side, and no page has a place for a ribbon.
MAX_RATIO = 8
QUALITY = 82

TOO_MANY_PIXELS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
UNREADABLE = (EOFError, OSError, SyntaxError, ValueError, struct.error)

# Our own cap is stricter; this covers code that opens a picture without coming here.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class StoredPicture(TypedDict):
    """What a page needs to show a stored picture; the size is that of the widest file."""

    key: str
    width: int
    height: int
    alt: str


def store_picture(
    source: Image.Image | bytes | BinaryIO, media_dir: Path, alt: str
) -> StoredPicture:
    """Write the picture as `<key>-<width>.webp` in every width of `stored_widths`.

    The key comes from the pixels, so that storing the same picture twice writes nothing new.
    Raises `InvalidInput` when the source is no JPEG, PNG or WebP picture, is damaged or too big.
    """
    picture = source if isinstance(source, Image.Image) else decode(source)
    picture = at_width(plain(picture), min(picture.width, WIDTHS[-1]))
    key = content_key(picture)
    for width in stored_widths(picture.width):
        write_once(media_dir / file_name(key, width), picture, width)
    return {"key": key, "width": picture.width, "height": picture.height, "alt": alt.strip()}


def decode(source: bytes | BinaryIO) -> Image.Image:
    """Return the upright picture in the bytes or stream, in sRGB; the size is judged first.

    Raises `InvalidInput` for anything that cannot be read whole.
    """
    stream = BytesIO(source) if isinstance(source, bytes) else source
    try:
        with Image.open(stream, formats=FORMATS) as image:
            refuse_size(image)
            image.draft(None, (WIDTHS[-1], WIDTHS[-1]))
            image.load()
            return to_srgb(ImageOps.exif_transpose(image))
    except TOO_MANY_PIXELS as error:
        raise too_large() from error
    except UNREADABLE as error:
        raise InvalidInput(
            _("This file could not be read as a picture. Please choose a JPEG, PNG or WebP file.")
        ) from error


def refuse_size(image: Image.Image) -> None:
    """Raise `InvalidInput` when a picture, known by its header only, is too big or too thin."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise too_large()
    if max(width, height) > MAX_RATIO * min(width, height):
        raise InvalidInput(_("This picture is too long and thin to be shown."))


def too_large() -> InvalidInput:
    """Return the refusal of a picture with too many pixels."""
    return InvalidInput(_("This picture is too large. Please choose one below 40 megapixels."))


def to_srgb(image: Image.Image) -> Image.Image:
    """Return the picture in sRGB; a profile that cannot be used is left out of account."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(
            image, own, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError):
        return image
    return converted or image


def plain(image: Image.Image) -> Image.Image:
    """Return the pixels alone, with transparency where there is any and no other information."""
    pixels = image.convert("RGBA" if image.has_transparency_data else "RGB")
    pixels.info = {}
    return pixels


def at_width(image: Image.Image, width: int) -> Image.Image:
    """Return the picture scaled down to this width, or as it is when it has it already."""
    if image.width == width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def content_key(image: Image.Image) -> str:
    """Return 32 hex digits that only the same pixels in the same size share."""
    digest = hashlib.sha256(f"{image.mode} {image.size}".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()[:32]


def write_once(path: Path, picture: Image.Image, width: int) -> None:
    """Write the picture in this width, whole or not at all; an existing file is left alone."""
    if path.exists():
        return
    encoded = BytesIO()
    at_width(picture, width).save(encoded, "WEBP", quality=QUALITY, method=4)
    write_atomically(path, encoded.getvalue())


def write_atomically(path: Path, content: bytes) -> None:
    """Put the content at this path in one step, on the disk before it can be seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".picture-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp keeps the file to its owner, but a web server in front may serve it.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
