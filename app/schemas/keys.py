"""Public keys, as RFC 7517 writes them."""

from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.schemas.base import Output

_KEY: JsonDict = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
    "use": "sig",
    "alg": "ES256",
}


class JsonWebKey(Output):
    """The public half of a signing key."""

    model_config = ConfigDict(json_schema_extra={"example": _KEY})

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str = Field(description="Its thumbprint (RFC 7638); a token's head names it")
    use: Literal["sig"]
    alg: Literal["ES256"]


class JsonWebKeySet(Output):
    model_config = ConfigDict(json_schema_extra={"example": {"keys": [_KEY]}})

    keys: list[JsonWebKey]
