"""Prices: properties that hold for any cart (domain rule 2)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import uuid7
from app.models.shipping import ShippingTerms
from app.services.pricing import Item, included_tax, price

RATES = {"standard": Decimal("0.19"), "reduced": Decimal("0.07")}

items = st.lists(
    st.builds(
        Item,
        variant_id=st.builds(uuid7),
        quantity=st.integers(1, 999),
        unit_price=st.integers(0, 10**9),
        tax_class=st.sampled_from(["standard", "reduced", "exempt"]),
    ),
    max_size=20,
)


def standard(*, price_amount: int = 490, free_from_amount: int | None = None) -> ShippingTerms:
    return ShippingTerms(uuid7(), "standard", "Standard", price_amount, free_from_amount, "EUR", countries=())


methods = st.none() | st.builds(
    standard,
    price_amount=st.integers(0, 10**6),
    free_from_amount=st.none() | st.integers(1, 10**9),
)


@given(items, methods)
def test_lines_and_totals_add_up(items: list[Item], method: ShippingTerms | None) -> None:
    quote = price(items, RATES, method)

    assert quote.subtotal == sum(item.unit_price * item.quantity for item in items)
    assert quote.total == sum(line.total for line in quote.lines) + quote.shipping - quote.discount
    assert sum(line.tax for line in quote.lines) + included_tax(quote.shipping, RATES["standard"]) == quote.tax
    assert all(0 <= line.tax <= line.total for line in quote.lines)


@given(items)
def test_an_item_is_quoted_the_same_alone_and_in_company(items: list[Item]) -> None:
    together = price(items, RATES, None)

    assert together.lines == tuple(price([item], RATES, None).lines[0] for item in items)


@pytest.mark.parametrize(
    ("gross", "rate", "tax"),
    [(11900, "0.19", 1900), (1999, "0.19", 319), (1, "0.19", 0), (1070, "0.07", 70), (3, "0.20", 0), (1000, "0", 0)],
)
def test_the_tax_that_a_price_contains(gross: int, rate: str, tax: int) -> None:
    assert included_tax(gross, Decimal(rate)) == tax


def test_shipping_is_free_from_a_subtotal_on() -> None:
    method = standard(free_from_amount=5000)

    assert price([Item(uuid7(), 1, 4999, "standard")], RATES, method).shipping == 490
    assert price([Item(uuid7(), 1, 5000, "standard")], RATES, method).shipping == 0


def test_an_empty_cart_costs_nothing() -> None:
    quote = price([], RATES, standard(free_from_amount=None))

    assert (quote.total, quote.shipping, quote.tax) == (0, 0, 0)
