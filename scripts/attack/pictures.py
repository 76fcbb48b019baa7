"""I17: files that are more, or less, than a picture."""

import io
import struct
import time
import zipfile
import zlib

from PIL import Image

from scripts.attack.attempts import Attempt
from scripts.attack.target import API, Target

HARMLESS = {
    "a chunk that unpacks to 50 MB",
    "a text chunk that unpacks to 50 MB",
}  # pictures, read no further than they go
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
XXE = b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'


async def pictures(target: Target) -> list[Attempt]:
    """Uploads by staff, for accounts of staff are stolen too."""
    attempt = Attempt("I17", "uploads: pixel and zip bombs, polyglots, SVG, wrong magic, cut files, paths as names")
    headers = await target.as_("catalog")
    product = (await target.request("GET", f"{API}/products", params={"limit": 1})).json()["data"][0]["id"]
    path, slowest = f"{API}/products/{product}/media", 0.0
    honest = _picture()
    for name, (file_name, data) in {
        "pixel bomb, 30 000 x 30 000": ("a.png", _png(30_000, 30_000, zlib.compress(bytes(10_000)))),
        "pixel bomb, 2^31 wide": ("a.png", _png(2**31 - 1, 1, b"")),
        "a chunk that unpacks to 50 MB": ("a.png", _png(100, 100, zlib.compress(bytes(50 * 2**20), 9))),
        "a text chunk that unpacks to 50 MB": ("a.png", _with_text_bomb(honest)),
        "zip bomb": ("a.png", _zip_bomb()),
        "zip behind a picture": ("a.png", honest + _zip_bomb()),
        "script behind a picture": ("a.html", honest + b"<script>alert(1)</script>"),
        "SVG": ("a.svg", SVG),
        "SVG with an entity": ("a.svg", XXE),
        "HTML called PNG": ("a.png", b"<html><script>alert(1)</script>"),
        "PHP in a GIF": ("a.gif", b"GIF89a<?php system($_GET[0]); ?>"),
        "PostScript": ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        "cut short": ("a.png", honest[: len(honest) // 2]),
        "empty": ("a.png", b""),
        "magic alone": ("a.png", honest[:8]),
    }.items():
        started = time.perf_counter()
        answer = await target.request(
            "POST", path, headers=headers, files={"file": (file_name, data)}, data={"alt": "x"}
        )
        slowest = max(slowest, time.perf_counter() - started)
        harmless = name in HARMLESS and answer.status_code == 201
        attempt.record(name, answer, held=harmless or answer.status_code in (400, 409, 413, 415, 422, 429))
        if answer.status_code == 201:
            await target.request("DELETE", answer.headers["Location"], headers=headers)
    for file_name in ("../../../../tmp/x.png", "a\x00.png", "a.png/../../x", "x" * 300 + ".png"):
        files = {"file": (file_name, honest)}
        answer = await target.request("POST", path, headers=headers, files=files, data={"alt": "x"})
        stored = answer.status_code == 201 and any(part in answer.text for part in ("..", "\\u0000", "xxxx"))
        attempt.record(f"called {file_name[:24]!r}", answer, held=not stored)
        if answer.status_code == 201:
            await target.request("DELETE", answer.headers["Location"], headers=headers)
    attempt.note(f"slowest {slowest * 1000:.0f} ms")
    return [attempt]


def _picture() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(file, "PNG")
    return file.getvalue()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _png(width: int, height: int, data: bytes) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _with_text_bomb(png: bytes) -> bytes:
    bomb = _chunk(b"zTXt", b"a\x00\x00" + zlib.compress(bytes(50 * 2**20), 9))
    return png[:33] + bomb + png[33:]


def _zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50 * 2**20))
    return file.getvalue()
