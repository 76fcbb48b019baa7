"""Bodies about an authenticator app as a second factor."""

from datetime import datetime

from pydantic import ConfigDict, Field

from app.schemas.auth import Code
from app.schemas.base import Input, Output
from app.schemas.passwords import CurrentPassword

_PASSWORD = "a long enough passphrase"  # noqa: S105 - an example for the documentation
_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - likewise


class SecondFactorCreate(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"password": _PASSWORD}})

    password: CurrentPassword


class SecondFactorConfirmation(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"code": "492039"}})

    code: Code = Field(description="What the app shows now")


class SecondFactorProof(Input):
    """The password and a code: taking the second factor away needs both."""

    model_config = ConfigDict(json_schema_extra={"example": {"password": _PASSWORD, "code": "492039"}})

    password: CurrentPassword
    code: Code = Field(description="What the app shows now, or a recovery code")


class SecondFactorEnrolment(Output):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "secret": _SECRET,
                "otpauth_uri": f"otpauth://totp/Emporium:ada%40example.com?secret={_SECRET}&issuer=Emporium"
                "&algorithm=SHA1&digits=6&period=30",
            }
        },
    )

    secret: str = Field(description="Base32, to be typed into the app")
    otpauth_uri: str = Field(description="The same for a QR code")


class RecoveryCodes(Output):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {"recovery_codes": [f"k3v7qa-x2mwc5-rkt5sn-d4ag{letter}u" for letter in "abcdefghij"]}
        }
    )

    recovery_codes: list[str] = Field(description="Each works once. They are shown now and never again")


class SecondFactorRead(Output):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {"enabled": True, "enabled_at": "2026-01-02T10:00:00Z", "recovery_codes_left": 10}
        },
    )

    enabled: bool = Field(description="Whether signing in takes a code")
    enabled_at: datetime | None
    recovery_codes_left: int
