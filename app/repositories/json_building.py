"""JSON made by PostgreSQL, for read models that go to the socket as they are."""

from typing import Any

from sqlalchemy import ColumnElement, case, func, literal_column
from sqlalchemy.orm import InstrumentedAttribute

Value = ColumnElement[Any] | InstrumentedAttribute[Any]


def json_object(**fields: Value) -> ColumnElement[Any]:
    names_and_values = [part for name, value in fields.items() for part in (literal_column(f"'{name}'"), value)]
    return func.json_build_object(*names_and_values)


def json_array(items: Value, *order: Value) -> ColumnElement[Any]:
    """Of all rows; without any, an empty one."""
    return func.coalesce(func.json_agg(items).aggregate_order_by(*order), literal_column("'[]'::json"))


def json_money(amount: Value, currency: Value) -> ColumnElement[Any]:
    """A `Money`, null without an amount."""
    return case((amount.is_not(None), json_object(amount=amount, currency=currency)))


def json_time(value: Value) -> ColumnElement[Any]:
    """RFC 3339 in UTC, with a Z as Pydantic writes it."""
    return func.to_char(func.timezone("UTC", value), literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""))
