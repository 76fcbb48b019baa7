"""Columns that are plain to the code and ciphertext to the database.

The keys reach a column with the connection: whoever makes an engine hands them to it (`give_keys`), and SQLAlchemy
passes an engine's dialect to the types of its statements. So there is no key in a module, and two shops in one process
have their own. Statements that go past SQLAlchemy (`app/core/reader.py`) see ciphertext and call `seal_address` and
its like themselves.
"""

import json
from collections.abc import Mapping
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import JSON, ColumnElement, Dialect, Text, func
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.core.encryption import KeyRing, Undecipherable

_KEYS: WeakKeyDictionary[Dialect, KeyRing] = WeakKeyDictionary()


def give_keys(engine: AsyncEngine, keys: KeyRing) -> None:
    """Let the engine's encrypted columns be read and written. To be called before its first statement."""
    _KEYS[engine.dialect] = keys


def keys_of(dialect: Dialect) -> KeyRing:
    keys = _KEYS.get(dialect)
    if keys is None:
        raise RuntimeError("this engine has no keys: call give_keys() where it is made")
    return keys


class Encrypted:
    """What a rotation of keys asks of an encrypted column. `place` is its table and column."""

    place: str
    stored_as: TypeEngine[Any]

    def ciphertext_in(self, column: ColumnElement[Any]) -> ColumnElement[str | None]:
        """SQL for the ciphertext in a row; NULL when the row holds clear text."""
        raise NotImplementedError

    def renewed(self, stored: str, keys: KeyRing) -> str:
        """What the column holds, as text, encrypted with the first key."""
        raise NotImplementedError


class EncryptedText(Encrypted, TypeDecorator[str]):
    """`phone: Mapped[str | None] = mapped_column(EncryptedText("users.phone"))`.

    The argument is the place that the ciphertext is bound to. Nothing can be searched, sorted or made unique by such a
    column, since the same text is encrypted differently each time.
    """

    impl = Text
    stored_as = Text()
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keys_of(dialect).encrypt(value, self.place)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keys_of(dialect).decrypt(value, self.place)

    def ciphertext_in(self, column: ColumnElement[Any]) -> ColumnElement[str | None]:
        return cast_to(column, Text)

    def renewed(self, stored: str, keys: KeyRing) -> str:
        return keys.encrypt(keys.decrypt(stored, self.place), self.place)


class EncryptedAddress(Encrypted, TypeDecorator[dict[str, Any]]):
    """An address in an order or a cart: one JSON object, of which only the country can be read, for it decides the tax.

    Those written before migration 0010 are clear text until `shop keys rotate` has been there.
    """

    impl = stored_as = JSONB(none_as_null=True)
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__(none_as_null=True)
        self.place = place

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        return self.impl_instance.coerce_compared_value(op, value)  # `column["country"]` is JSONB's

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else seal_address(value, keys_of(dialect), self.place)

    def process_result_value(self, value: Any, dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else open_address(value, keys_of(dialect), self.place)

    def ciphertext_in(self, column: ColumnElement[Any]) -> ColumnElement[str | None]:
        return func.jsonb_extract_path_text(column, _SEALED, type_=Text)

    def renewed(self, stored: str, keys: KeyRing) -> str:
        return json.dumps(seal_address(open_address(json.loads(stored), keys, self.place), keys, self.place))


class EncryptedBody(Encrypted, TypeDecorator[dict[str, Any]]):
    """The stored answers of `idempotency_keys`, which tell of addresses, too: JSON that is one string of ciphertext.

    Read and written past SQLAlchemy only. Those of before migration 0010 are clear text, and gone within a day.
    """

    impl = stored_as = JSON(none_as_null=True)
    cache_ok = True
    place = "idempotency_keys.body"

    def ciphertext_in(self, column: ColumnElement[Any]) -> ColumnElement[str | None]:
        return func.btrim(cast_to(column, Text), '"', type_=Text)

    def renewed(self, stored: str, keys: KeyRing) -> str:
        return seal_body(open_body(stored, keys), keys)


def seal_body(body: str, keys: KeyRing) -> str:
    """The JSON of an answer as the JSON that is stored."""
    return json.dumps(keys.encrypt(body, EncryptedBody.place))


def open_body(stored: str, keys: KeyRing) -> str:
    """The JSON of the answer, to the byte as it was sealed."""
    return keys.decrypt(json.loads(stored), EncryptedBody.place) if stored.startswith('"') else stored


_SEALED, _COUNTRY = "sealed", "country"


def seal_address(address: Mapping[str, Any], keys: KeyRing, place: str) -> dict[str, Any]:
    """The address as it is stored: `{"country": "DE", "sealed": "v1.…"}`."""
    return {_COUNTRY: address[_COUNTRY], _SEALED: keys.encrypt(json.dumps(dict(address)), place)}


def open_address(stored: Mapping[str, Any], keys: KeyRing, place: str) -> dict[str, Any]:
    """The whole address.

    Raises:
        Undecipherable: its country is not the one that was sealed with it, or see `KeyRing.decrypt`.
    """
    if _SEALED not in stored:
        return dict(stored)
    address = cast("dict[str, Any]", json.loads(keys.decrypt(stored[_SEALED], place)))
    if address[_COUNTRY] != stored[_COUNTRY]:
        raise Undecipherable(f"another country than in {place}")
    return address
