"""How parcels travel, and what the state takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.dev.seed.ids import Ids
from app.dev.seed.loader import Loader
from app.models.shipping import ShippingMethod, ShippingTerms, TaxRate
from app.schemas.base import CURRENCY

# VAT in per cent in 2026: the standard rate, and the rate of printed books (our class "reduced").
VAT = {
    "AT": ("20", "10"), "BE": ("21", "6"), "BG": ("20", "9"), "CY": ("19", "3"), "CZ": ("21", "0"),
    "DE": ("19", "7"), "DK": ("25", "25"), "EE": ("24", "9"), "ES": ("21", "4"), "FI": ("25.5", "13.5"),
    "FR": ("20", "5.5"), "GR": ("24", "6"), "HR": ("25", "5"), "HU": ("27", "5"), "IE": ("23", "0"),
    "IT": ("22", "4"), "LT": ("21", "5"), "LU": ("17", "3"), "LV": ("21", "5"), "MT": ("18", "5"),
    "NL": ("21", "9"), "PL": ("23", "5"), "PT": ("23", "6"), "RO": ("21", "11"), "SE": ("25", "6"),
    "SI": ("22", "5"), "SK": ("23", "5"),
}  # fmt: skip
STANDARD, EXPRESS = "standard", "express"


@dataclass(frozen=True)
class Delivery:
    """What prices an order: the methods by code, and by country the rate of each tax class."""

    methods: Mapping[str, ShippingTerms]
    rates: Mapping[str, Mapping[str, Decimal]]


def write_delivery(loader: Loader, ids: Ids, at: datetime) -> Delivery:
    methods = {
        STANDARD: _method(ids(), STANDARD, "Standard, 2 to 4 days", 490, free_from=5000),
        EXPRESS: _method(ids(), EXPRESS, "Express, next working day", 990, free_from=None),
    }
    for position, method in enumerate(methods.values()):
        loader.add(
            ShippingMethod,
            id=method.id,
            code=method.code,
            name=method.name,
            price_amount=method.price_amount,
            free_from_amount=method.free_from_amount,
            currency=method.currency,
            countries=[*method.countries],
            position=position,
            created_at=at,
            updated_at=at,
        )
    rates = {country: _rates(*percents) for country, percents in VAT.items()}
    for country, classes in rates.items():
        for tax_class, rate in classes.items():
            loader.add(TaxRate, id=ids(), country=country, tax_class=tax_class, rate=rate)
    return Delivery(methods, rates)


def _method(method_id: UUID, code: str, name: str, price: int, *, free_from: int | None) -> ShippingTerms:
    return ShippingTerms(
        id=method_id,
        code=code,
        name=name,
        price_amount=price,
        free_from_amount=free_from,
        currency=CURRENCY,
        countries=tuple(sorted(VAT)),
    )


def _rates(standard: str, reduced: str) -> dict[str, Decimal]:
    return {"standard": Decimal(standard) / 100, "reduced": Decimal(reduced) / 100}
