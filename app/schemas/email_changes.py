"""The body that asks for another e-mail address."""

from pydantic import ConfigDict

from app.schemas.base import Email, Input
from app.schemas.passwords import CurrentPassword


class EmailChangeCreate(Input):
    model_config = ConfigDict(
        json_schema_extra={"example": {"new_email": "countess@example.com", "password": "a long enough passphrase"}}
    )

    new_email: Email
    password: CurrentPassword
