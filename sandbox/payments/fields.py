"""The kinds of values that parameters have, refused in Stripe's words.

Every form value arrives as a string; an empty one unsets what can be unset.
"""

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from sandbox.payments.cards import CARDS

MAX_AMOUNT = 99_999_999
_CURRENCY_CODES = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd
    cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gnf
    gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr
    lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen
    pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd
    top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
CURRENCIES = frozenset(_CURRENCY_CODES.split())


def _integer(value: object) -> object:
    if not isinstance(value, str) or re.fullmatch(r"-?[0-9]{1,18}", value) is None:
        raise PydanticCustomError("parameter_invalid_integer", "Invalid integer: {value}", {"value": str(value)})
    return int(value)


def _amount(value: int) -> int:
    if value < 1:
        raise PydanticCustomError("parameter_invalid_integer", "This value must be greater than or equal to 1.")
    if value > MAX_AMOUNT:
        raise PydanticCustomError("amount_too_large", "Amount must be no more than {limit}.", {"limit": MAX_AMOUNT})
    return value


def _currency(value: str) -> str:
    if value.lower() not in CURRENCIES:
        raise PydanticCustomError("invalid_currency", "Invalid currency: {value}.", {"value": value})
    return value.lower()


def _payment_method(value: str) -> str:
    if value not in CARDS:
        raise PydanticCustomError("resource_missing", "No such PaymentMethod: '{value}'", {"value": value})
    return value


def _web_address(value: str) -> str:
    try:
        url = urlsplit(value)
    except ValueError:
        url = urlsplit("")
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise PydanticCustomError("url_invalid", "Not a valid URL")
    return value


def _metadata(value: object) -> object:
    """An empty string unsets all of it, as with any of Stripe's hashes."""
    return {} if value == "" else value


def as_list(value: object) -> object:
    return list(value.values()) if isinstance(value, dict) else value


def _nothing_if_empty(value: object) -> object:
    return None if value == "" else value


def _switch(value: object) -> object:
    return value == "true" if value in ("true", "false") else value


Amount = Annotated[int, BeforeValidator(_integer), AfterValidator(_amount)]
Currency = Annotated[str, AfterValidator(_currency)]
PaymentMethod = Annotated[str, AfterValidator(_payment_method)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Text = Annotated[Annotated[str, Field(max_length=1000)] | None, BeforeValidator(_nothing_if_empty)]
Hash = Annotated[dict[str, Any] | None, BeforeValidator(_nothing_if_empty)]
StringList = Annotated[list[str], BeforeValidator(as_list)]
Metadata = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=500)]],
    Field(max_length=50),
    BeforeValidator(_metadata),
]
Switch = Annotated[bool, BeforeValidator(_switch)]
