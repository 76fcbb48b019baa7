"""The media store of a demo shop: it holds nothing and draws every picture from its name.

`/pictures/{motif}/{product}-{number}.svg`: the motif is the drawing, the product its colours, the number the setting.
The same address always gives the same picture, so it may be cached for ever.
"""

import hashlib
import re
import tomllib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response, status

NAME = re.compile(r"(?P<product>[a-z0-9]+(?:-[a-z0-9]+)*)-(?P<number>[1-9][0-9]?)\.svg")
LONGEST_NAME = 200
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
}
# Number 1 shows the whole thing, 2 comes closer, 3 stands in front of a disc; then again.
SETTINGS = (
    ("", ""),
    ("", "translate(200 200) rotate(-6) scale(1.35) translate(-200 -215)"),
    ('<circle class="disc" cx="200" cy="200" r="165"/>', "translate(200 210) scale(.8) translate(-200 -210)"),
)

router = APIRouter(prefix="/pictures", tags=["Pictures"])


@router.get("/{motif}/{name}", response_class=Response)
async def picture(motif: str, name: str) -> Response:
    """Draw a product. An unknown motif is a parcel; a name of another shape is a 404."""
    parts = NAME.fullmatch(name) if len(name) <= LONGEST_NAME else None
    if parts is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    svg = draw(motif, parts["product"], int(parts["number"]))
    return Response(svg, media_type="image/svg+xml", headers=HEADERS)


def draw(motif: str, product: str, number: int) -> str:
    """The picture as SVG. Nothing of the arguments appears in it: they only choose."""
    backdrop, transform = SETTINGS[(number - 1) % len(SETTINGS)]
    shadow = '<ellipse class="shadow" cx="200" cy="314" rx="130" ry="12"/>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="800" height="800">'
        f'<style>{_colours(product, number)}</style><rect class="ground" width="400" height="400"/>{backdrop}'
        f'<g transform="{transform or "translate(0 0)"}">{shadow}{motifs().get(motif) or motifs()["parcel"]}</g></svg>'
    )


@cache
def motifs() -> dict[str, str]:
    """The drawings by name, as fragments of SVG."""
    return tomllib.loads(Path(__file__).with_name("motifs.toml").read_text(encoding="utf-8"))


def _colours(product: str, number: int) -> str:
    """A palette from the product's name: one hue in four tones, its neighbour as the accent, a pale ground."""
    digest = hashlib.sha256(product.encode()).digest()
    hue, saturation = int.from_bytes(digest[:2]) % 360, 28 + digest[2] % 22
    accent, ground = (hue + 40 + digest[3] % 120) % 360, 93 - 3 * (number % 2)
    return (
        f".ground{{fill:hsl({hue} 28% {ground}%)}}.disc{{fill:hsl({accent} 34% 84%)}}"
        f".shadow{{fill:hsl({hue} 25% 40%/.18)}}"
        f".m{{fill:hsl({hue} {saturation}% 50%)}}.d{{fill:hsl({hue} {saturation}% 37%)}}"
        f".l{{fill:hsl({hue} {saturation}% 70%)}}.a{{fill:hsl({accent} {saturation + 8}% 56%)}}"
        f".g{{fill:hsl({115 + digest[4] % 40} 30% 44%)}}.f{{fill:hsl(40 88% 62%)}}"
        f".p{{fill:hsl({hue} 30% 97%)}}.k{{fill:hsl({hue} 12% 26%)}}"
        f".s,.t{{fill:none;stroke:hsl({hue} {saturation}% 33%);stroke-linecap:round;stroke-linejoin:round}}"
        ".s{stroke-width:14}.t{stroke-width:4}"
    )
