"""Product pictures, drawn from their addresses."""

from xml.etree import ElementTree

import httpx
import pytest

from sandbox.pictures import draw, motifs

MUG = "/pictures/mug/hjem-stoneware-mug-1.svg"


async def test_a_picture_is_the_same_for_ever(web: httpx.AsyncClient) -> None:
    first, again = await web.get(MUG), await web.get(MUG)

    assert first.status_code == 200
    assert first.headers["content-type"].startswith("image/svg+xml")
    assert "immutable" in first.headers["cache-control"]
    assert first.content == again.content


async def test_products_and_numbers_look_different(web: httpx.AsyncClient) -> None:
    addresses = (MUG, MUG.replace("-1.svg", "-2.svg"), MUG.replace("-1.svg", "-3.svg"), MUG.replace("hjem", "camp"))

    pictures = [(await web.get(address)).text for address in addresses]

    assert len(set(pictures)) == 4


@pytest.mark.parametrize("motif", sorted(motifs()))
def test_every_drawing_is_well_formed(motif: str) -> None:
    for number in (1, 2, 3):
        root = ElementTree.fromstring(draw(motif, "some-product", number))  # noqa: S314  # our own drawing
        assert root.tag == "{http://www.w3.org/2000/svg}svg"


async def test_an_unknown_motif_is_a_parcel(web: httpx.AsyncClient) -> None:
    unknown = await web.get("/pictures/submarine/yellow-1.svg")

    assert unknown.status_code == 200
    assert unknown.text == draw("parcel", "yellow", 1)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "mug",
        "mug-1.png",
        "mug-0.svg",
        "mug-100.svg",
        "MUG-1.svg",
        "%3Cscript%3E-1.svg",
        "..%2Fmug-1.svg",
        "a" * 300,
    ],
)
async def test_a_name_of_another_shape_is_not_found(web: httpx.AsyncClient, name: str) -> None:
    response = await web.get(f"/pictures/mug/{name}")

    assert response.status_code == 404
    assert "<" not in response.text
