"""Bodies about passwords that are forgotten or changed."""

from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from app.errors import ValidationFailed
from app.schemas.auth import LONGEST_PASSWORD, SHORTEST_PASSWORD, EmailVerification, NewPassword, Password
from app.schemas.base import Input
from app.schemas.text import Storable

_NEW_PASSWORD: TypeAdapter[str] = TypeAdapter(
    Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD), Storable]
)
CurrentPassword = Annotated[Password, Field(min_length=1, max_length=LONGEST_PASSWORD, description="The one you have")]


class PasswordReset(EmailVerification):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "token": "pZ7Fq2vJ0l4bq6H1Yx3mWc8RkT5sNd9aGvUeLh0oXyE",
                "new_password": "a long enough passphrase",
            }
        }
    )

    new_password: NewPassword


class PasswordResetForm(EmailVerification):
    """The same from the page that the mail's link leads to, where a mistake is answered by the form again.

    A browser counts and encodes in its own ways, so what is a password is looked at after the form.
    """

    new_password: str = Field(default="", max_length=100_000, repr=False)
    repeated: str = Field(default="", max_length=100_000, repr=False)

    def chosen(self) -> str:
        """The new password; `ValidationFailed` says what is wrong with it."""
        if self.new_password != self.repeated:
            raise ValidationFailed.at("/repeated", "not_the_same", "The two are not the same.")
        try:
            return _NEW_PASSWORD.validate_python(self.new_password)
        except ValidationError as error:
            reason = f"It needs {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
            raise ValidationFailed.at("/new_password", "not_a_password", reason) from error


class PasswordChange(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {"password": "a long enough passphrase", "new_password": "another long passphrase"}
        }
    )

    password: CurrentPassword
    new_password: NewPassword
