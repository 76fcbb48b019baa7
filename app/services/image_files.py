"""What a picture's file says of itself, read from its bytes before any decoder is let near them.

Names and Content-Type headers are the sender's claims and are not asked. A file that goes on behind the end of its
picture is refused: to another program the rest may be an archive, a page or a script (a polyglot).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.errors import ImageUnreadable, NotOnlyAnImage, UnsupportedMediaType

MOST_PARTS = 10_000  # segments or chunks; decoders keep a note of each, and no camera writes as many


class Format(StrEnum):
    """What is taken, by the names that Pillow has for them: what cameras write and designers export.

    GIF and AVIF are not. The one is for moving pictures, and the other's decoder is a whole video codec.
    """

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"


@dataclass(frozen=True, slots=True)
class ImageFile:
    """Width and height are in pixels as stored, before the orientation of a camera is applied.

    `content` is for a decoder: the file, without the parts that could only do harm.
    """

    format: Format
    width: int
    height: int
    content: bytes
    animated: bool = False


def read_file(data: bytes) -> ImageFile:
    """What the file claims to hold; nothing is decoded.

    Raises:
        UnsupportedMediaType: it is none of the formats.
        ImageUnreadable: it is damaged, or ends too early.
        NotOnlyAnImage: it goes on behind its end.
    """
    try:
        if data.startswith(_PNG_SIGNATURE):
            return _png(data)
        if data.startswith(_JPEG_START):
            return _jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except struct.error:  # it ends in the middle of a number
        raise ImageUnreadable from None
    raise UnsupportedMediaType("Send a picture: JPEG, PNG or WebP.")


# PNG, third edition: https://www.w3.org/TR/png-3/

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What makes the picture, and once the camera's orientation and the colours' profile. Texts and the like stay out:
# compressed, they grow a thousandfold when they are read.
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_KEPT_ONCE = {b"eXIf", b"iCCP"}


def _png(data: bytes) -> ImageFile:
    parts, once, animated = [_PNG_SIGNATURE], set(_KEPT_ONCE), False
    for name, chunk in _png_chunks(data):
        if name in _KEPT or name in once:
            parts.append(chunk)
            once.discard(name)
        animated |= name == b"acTL"
    width, height = struct.unpack_from(">II", parts[1], 8)  # of IHDR
    return ImageFile(Format.PNG, width, height, b"".join(parts), animated)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk with its name, from IHDR to IEND."""
    position = len(_PNG_SIGNATURE)
    for number in range(MOST_PARTS):
        length, name = struct.unpack_from(">I4s", data, position)
        if (number == 0) is not (name == b"IHDR"):
            break
        yield name, data[position : position + length + 12]
        position += length + 12
        if name == b"IEND":
            _must_end_at(position, data)
            return
    raise ImageUnreadable


# JPEG: ITU-T T.81, annex B

_JPEG_START = b"\xff\xd8\xff"
_SEGMENT = re.compile(rb"\xff+([\x01-\xfe])(..)", re.DOTALL)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_END_OF_IMAGE = b"\xff\xd9"
# The end also of further images behind the first (CIPA DC-007: phones store depth and brightness so), and what
# Samsung's cameras write behind that.
_JPEG_ENDS = (_END_OF_IMAGE, b"SEFT")


def _jpeg(data: bytes) -> ImageFile:
    position = 2
    for _ in range(MOST_PARTS):
        segment = _SEGMENT.match(data, position)
        if segment is None:
            break
        position = segment.start(2)
        if segment[1][0] in _FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 3)
            if not data.rstrip(b"\0").endswith(_JPEG_ENDS):
                raise NotOnlyAnImage if _END_OF_IMAGE in data[position:] else ImageUnreadable
            return ImageFile(Format.JPEG, width, height, data)
        position += int.from_bytes(segment[2])
    raise ImageUnreadable


# WebP: RFC 9649

_ANIMATION = 0x02
_SIZE = 0x3FFF


def _webp(data: bytes) -> ImageFile:
    length, kind = struct.unpack_from("<I4x4s", data, 4)
    _must_end_at(8 + length + length % 2, data)
    animated = False
    if kind == b"VP8X":
        flags, low_width, high_width, low_height, high_height = struct.unpack_from("<B3xHBHB", data, 20)
        width, height = (high_width << 16 | low_width) + 1, (high_height << 16 | low_height) + 1
        animated = bool(flags & _ANIMATION)
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & _SIZE) + 1, (bits >> 14 & _SIZE) + 1
    elif kind == b"VP8 ":
        width, height = (size & _SIZE for size in struct.unpack_from("<HH", data, 26))
    else:
        raise ImageUnreadable
    return ImageFile(Format.WEBP, width, height, data, animated)


def _must_end_at(end: int, data: bytes) -> None:
    if end > len(data):
        raise ImageUnreadable
    if end < len(data):
        raise NotOnlyAnImage
