"""The assortment, read from `texts/catalogue/`: one file a department, one table a product."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, count, islice, product, zip_longest
from pathlib import Path
from typing import Any

from app.core.slugs import slugify
from app.models.products import ProductStatus, option_key

TEXTS = Path(__file__).with_name("texts")

_ADJECTIVES = (
    "Amber", "Arctic", "Autumn", "Blue", "Bright", "Calm", "Clear", "Cobalt", "Copper", "Coral", "Dawn", "Deep",
    "Dusty", "Early", "Evening", "Faded", "Golden", "Grey", "High", "Hollow", "Indigo", "Ivory", "Late", "Little",
    "Long", "Lunar", "Misty", "Morning", "Northern", "Ochre", "Old", "Pale", "Quiet", "Rustic", "Silver", "Slow",
    "Southern", "Still", "Velvet", "Winter",
)  # fmt: skip
_NOUNS = (
    "Bay", "Birch", "Bridge", "Brook", "Cape", "Coast", "Cove", "Dune", "Elm", "Fen", "Field", "Ford",
    "Garden", "Glen", "Grove", "Harbour", "Heath", "Hill", "Isle", "Lagoon", "Lake", "Lane", "Market", "Meadow",
    "Mill", "Moor", "Orchard", "Pass", "Pier", "Pine", "Quay", "Reef", "Ridge", "River", "Shore", "Square",
    "Strand", "Tide", "Valley", "Willow",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """A combination of option values, with the sum of their surcharges and what it adds to the SKU."""

    values: dict[str, str]
    key: str
    surcharge: int
    suffix: str


@dataclass(frozen=True, slots=True)
class Product:
    """What a text says. Amounts are EUR cents with tax; an option's values carry their surcharge."""

    name: str
    category: str
    motif: str
    """The drawing of its pictures, in `motifs.toml`."""
    price: int
    weight_g: int
    summary: str
    description: str
    attributes: dict[str, Any]
    compare_at: int | None = None
    tax_class: str = "standard"
    stock: str = "normal"
    """`normal`, `low` (about to run out) or `out`."""
    status: str = ProductStatus.ACTIVE
    options: dict[str, dict[str, int]] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Department:
    """A category at the root of the tree, its children by slug, and what they hold."""

    slug: str
    name: str
    code: str
    children: dict[str, str]
    products: tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """A product to be sold: a text, or a later edition of it at its own price."""

    number: int
    department: Department
    text: Product
    name: str
    price_factor: float = 1.0

    @property
    def slug(self) -> str:
        return slugify(self.name.replace("'", ""), fallback=self.sku)

    @property
    def sku(self) -> str:
        return f"{self.department.code}-{self.number}"

    def amount(self, amount: int) -> int:
        """An amount of the text at this edition's price, to ten cents."""
        return amount if self.price_factor == 1 else round(amount * self.price_factor / 10) * 10


def departments() -> tuple[Department, ...]:
    return tuple(_department(path) for path in sorted((TEXTS / "catalogue").glob("*.toml")))


def assortment(departments: tuple[Department, ...], size: int | None) -> Iterator[Article]:
    """The hand-written products, a department at a time in turns, then as many editions of them as are asked for."""
    shelves = [[(department, text) for text in department.products] for department in departments]
    texts = [entry for entry in chain.from_iterable(zip_longest(*shelves)) if entry]
    return islice(_articles(texts), len(texts) if size is None else size)


def _articles(texts: list[tuple[Department, Product]]) -> Iterator[Article]:
    numbers = count(1001)
    for department, text in texts:
        yield Article(next(numbers), department, text, text.name)
    for edition in count():
        for department, text in texts:
            number = next(numbers)
            yield Article(number, department, text, f"{text.name}, {_edition(edition)}", 0.8 + number * 7 % 50 / 100)


def _edition(number: int) -> str:
    series, place = divmod(number, len(_ADJECTIVES) * len(_NOUNS))
    noun, adjective = divmod(place, len(_ADJECTIVES))
    name = f"{_ADJECTIVES[adjective]} {_NOUNS[noun]}"
    return f"{name} {series + 1}" if series else name


def _department(path: Path) -> Department:
    text = tomllib.loads(path.read_text(encoding="utf-8"))
    products = tuple(_product(entry) for entry in text.pop("products"))
    return Department(products=products, **text)


def _product(entry: dict[str, Any]) -> Product:
    # A plain list of values is one without surcharges.
    options = {
        name: dict.fromkeys(values, 0) if isinstance(values, list) else values
        for name, values in entry.pop("options", {}).items()
    }
    description = " ".join(entry.pop("description").split())
    return Product(options=options, choices=tuple(_choices(options)), description=description, **entry)


def _choices(options: dict[str, dict[str, int]]) -> Iterator[Choice]:
    for combination in product(*(values.items() for values in options.values())):
        chosen = {name: value for name, (value, _) in zip(options, combination, strict=True)}
        surcharge = sum(surcharge for _, surcharge in combination)
        yield Choice(chosen, option_key(chosen), surcharge, "".join(f"-{_abbreviated(v)}" for v in chosen.values()))


def _abbreviated(value: str) -> str:
    """`Hand, 50 cm` → `HAND50`."""
    return slugify(value, fallback="X").replace("-", "").upper()[:6]
