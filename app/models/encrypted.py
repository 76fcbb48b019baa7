"""Columns that are text to the code and ciphertext to the database.

The keys reach a column with the connection: whoever makes an engine hands them to it (`give_keys`), and SQLAlchemy
passes an engine's dialect to the types of its statements. So there is no key in a module, and two shops in one process
have their own. Statements that go past SQLAlchemy (`app/core/reader.py`) see ciphertext and decrypt it themselves.
"""

from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator

from app.core.encryption import KeyRing

_KEYS: WeakKeyDictionary[Dialect, KeyRing] = WeakKeyDictionary()


def give_keys(engine: AsyncEngine, keys: KeyRing) -> None:
    """Let the engine's encrypted columns be read and written. To be called before its first statement."""
    _KEYS[engine.dialect] = keys


def keys_of(dialect: Dialect) -> KeyRing:
    keys = _KEYS.get(dialect)
    if keys is None:
        raise RuntimeError("this engine has no keys: call give_keys() where it is made")
    return keys


class EncryptedText(TypeDecorator[str]):
    """`phone: Mapped[str | None] = mapped_column(EncryptedText("users.phone"))`.

    The argument is the place that the ciphertext is bound to: table and column. Nothing can be searched, sorted or
    made unique by such a column, since the same text is encrypted differently each time.
    """

    impl = Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keys_of(dialect).encrypt(value, self.place)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keys_of(dialect).decrypt(value, self.place)
