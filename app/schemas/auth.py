"""Bodies of registration, sign-in and e-mail confirmation."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from app.schemas.base import Email, Input, Output
from app.schemas.text import Name, Storable

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256  # a bound on the work of hashing, far beyond any passphrase

# Taken exactly as sent: neither trimmed nor cut, and without rules on its composition (NIST SP 800-63B §3.1.1).
Password = Annotated[str, Field(repr=False), Storable]
NewPassword = Annotated[Password, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]

# Whatever is not one of our secrets is just an unknown one: refused by its meaning, not by its form.
Opaque = Annotated[str, StringConstraints(min_length=1, max_length=4096), Storable]

# As people type them, with spaces and hyphens.
Code = Annotated[str, StringConstraints(min_length=1, max_length=64), Storable]

_SECRET = "pZ7Fq2vJ0l4bq6H1Yx3mWc8RkT5sNd9aGvUeLh0oXyE"  # noqa: S105 - an example for the documentation


class UserCreate(Input):
    """A new account."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "email": "ada@example.com",
                "password": "a long enough passphrase",
                "full_name": "Ada Lovelace",
            }
        }
    )

    email: Email
    password: NewPassword
    full_name: Name


class PasswordGrant(Input):
    """The form of OAuth2's password flow (RFC 6749 §4.3.2), whose unknown parameters are to be ignored (§3.2)."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "example": {"grant_type": "password", "username": "customer@example.com", "password": "emporium-demo"}
        },
    )

    grant_type: Literal["password"] = "password"
    username: Annotated[
        str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=254), Storable
    ] = Field(description="The e-mail address")
    password: Annotated[Password, Field(min_length=1, max_length=LONGEST_PASSWORD)]
    scope: str = Field(
        default="",
        max_length=500,
        description="What you ask for, separated by spaces; all that your role allows if empty",
    )
    # RFC 6749 §3.2: a parameter without a value is one that was left out.
    otp: Annotated[str, Field(max_length=64), Storable] | None = Field(
        default=None, description="With a second factor: the app's code, or a recovery code"
    )


class TokenRead(Output):
    """RFC 6749 §5.1."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl",
                "token_type": "bearer",
                "expires_in": 900,
                "refresh_token": _SECRET,
                "scope": "customer",
            }
        }
    )

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds that the access token is good for")
    refresh_token: str = Field(description="Good for one use: every refresh answers with the next one")
    scope: str = Field(description="What the tokens are good for; a role stands for all that it allows")


class TokenRefresh(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"refresh_token": _SECRET}})

    refresh_token: Opaque


class EmailVerification(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"token": _SECRET}})

    token: Opaque = Field(description="From the link in the mail")


class EmailAddress(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"email": "ada@example.com"}})

    email: Email


class Notice(Output):
    """A sentence for a person. It says the same whether the account exists or not."""

    model_config = ConfigDict(json_schema_extra={"example": {"message": "Look into your mailbox."}})

    message: str
