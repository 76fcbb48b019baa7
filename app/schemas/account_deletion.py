"""How somebody deletes their account."""

from pydantic import ConfigDict

from app.schemas.base import Input
from app.schemas.passwords import CurrentPassword


class AccountDeletion(Input):
    """Shows that it is the owner who asks, unless they have just signed in."""

    model_config = ConfigDict(json_schema_extra={"example": {"password": "a long enough passphrase"}})

    password: CurrentPassword
