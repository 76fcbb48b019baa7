"""Pictures as the shop keeps them: WebP, upright, in sRGB, of a bounded size, and nothing but the picture.

What is uploaded is decoded and encoded anew, so that nothing else which a file may hold gets any further: no place
where a photograph was taken, no comment, no script. These functions are slow; they belong in a thread or a worker.
"""

from dataclasses import dataclass
from io import BytesIO

from PIL import ExifTags, Image, ImageCms
from PIL.Image import Resampling, Transpose

from app.errors import AnimatedImage, ImageTooLarge, ImageUnreadable
from app.services.image_files import Format, ImageFile, read_file

MAX_PIXELS = 25_000_000  # as Shopify's; one that large takes 170 to 390 MB while it is worked on, as its format is
MAX_SIDE = 2560
WIDTHS = (320, 640, 1280)
_QUALITY = 82

# EXIF 2.32, tag 0x0112: what brings the picture upright.
_UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A WebP file, its width and height in pixels."""

    data: bytes
    width: int
    height: int


def master_of(data: bytes) -> Picture:
    """The picture in an uploaded file, as the shop keeps it.

    Raises:
        UnsupportedMediaType, NotOnlyAnImage, AnimatedImage, ImageTooLarge, ImageUnreadable
    """
    file = read_file(data)
    if file.animated:
        raise AnimatedImage
    if file.width * file.height > MAX_PIXELS:
        raise ImageTooLarge(width=file.width, height=file.height, max_pixels=MAX_PIXELS)
    try:
        return _encoded(_decoded(file))
    except Exception as error:
        # Pillow's readers raise whatever they stumble over, and all of it means the same.
        raise ImageUnreadable from error


def rendition(master: bytes, width: int) -> Picture:
    """The picture at a smaller width."""
    with Image.open(BytesIO(master), formats=(Format.WEBP,)) as picture:
        height = max(1, round(picture.height * width / picture.width))
        return _encoded(picture.resize((width, height), Resampling.LANCZOS, reducing_gap=2))


def _decoded(file: ImageFile) -> Image.Image:
    with Image.open(BytesIO(file.content), formats=(file.format,)) as opened:
        if opened.size != (file.width, file.height):
            raise ValueError("two sizes in one file")
        orientation = opened.getexif().get(ExifTags.Base.Orientation)
        profile = opened.info.get("icc_profile")
        opened.draft(None, (MAX_SIDE, MAX_SIDE))  # a JPEG need not be decoded at its full size
        opened.load()
        picture = _in_known_colours(opened)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Resampling.LANCZOS, reducing_gap=2)
    picture = _in_srgb(picture, profile)
    return picture.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else picture


def _in_known_colours(picture: Image.Image) -> Image.Image:
    """Eight bits a channel; CMYK is left to its profile. A picture that is so already is not copied."""
    if picture.mode.startswith("I"):
        picture = picture.convert("I").point(lambda value: value / 257).convert("L")  # Pillow would clip sixteen bits
    opaque = picture.mode if picture.mode in {"CMYK", "L"} else "RGB"
    mode = "RGBA" if picture.has_transparency_data else opaque
    return picture if picture.mode == mode else picture.convert(mode)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as they were meant: the profile goes, and browsers take what has none for sRGB."""
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
        except (ImageCms.PyCMSError, OSError):
            converted = None  # a profile that is damaged, or another picture's
        if converted is not None:
            return converted
    return picture.convert(mode)


def _encoded(picture: Image.Image) -> Picture:
    file = BytesIO()
    picture.save(file, Format.WEBP, quality=_QUALITY, exif=b"", icc_profile=b"", xmp=b"")
    return Picture(file.getvalue(), picture.width, picture.height)
