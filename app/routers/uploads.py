"""Forms with one file, read after the sender is known to be allowed to send it.

FastAPI reads a declared form before it asks any dependency, and so would take in megabytes from anybody. The form
stays in memory, where its size is bounded by the body limit: nothing has to be cleaned up on a disk.
"""

from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app.errors import MalformedBody, UnsupportedMediaType, ValidationFailed
from app.schemas.base import Input

Fields = TypeVar("Fields", bound=Input)

MOST_FIELDS = 10
LARGEST_FIELD = 8192  # bytes


class _WholeForm(MultiPartParser):
    """Keeps the file in memory, and does not take the beginning of a form for a form."""

    spool_max_size = 2**63
    _ended = False

    def on_end(self) -> None:
        self._ended = True

    async def parse(self) -> FormData:
        form = await super().parse()
        if not self._ended:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("It ends too early.")
        return form


async def read_upload(request: Request, fields: type[Fields], file_field: str = "file") -> tuple[bytes, Fields]:
    """The file's bytes and the other fields; what the sender says of the file's name and type is dropped.

    Raises:
        UnsupportedMediaType, MalformedBody, ValidationFailed
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise UnsupportedMediaType('Send a form: "Content-Type: multipart/form-data".')
    parser = _WholeForm(
        request.headers, request.stream(), max_files=1, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise MalformedBody(f"The body is not a form that we can read: {error.message}") from None
    except (ClientDisconnect, ValueError):  # the latter for a charset that is none
        raise MalformedBody("The body is not a complete form.") from None
    try:
        file = form.get(file_field)
        if not isinstance(file, UploadFile):
            raise ValidationFailed.at(f"/{file_field}", "missing", "a file is needed here")
        others = [(name, value) for name, value in form.multi_items() if value is not file]
        return await file.read(), _checked(fields, others)
    finally:
        await form.close()


def _checked(fields: type[Fields], items: list[tuple[str, Any]]) -> Fields:
    repeated = {name for name, _ in items if sum(name == other for other, _ in items) > 1}
    if repeated:
        raise ValidationFailed.at(f"/{min(repeated)}", "repeated", "must be there once")
    form = dict(items)
    try:
        return fields.model_validate(form)
    except ValidationError as error:
        wrong = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(wrong, body=form) from None


def upload_body(fields: type[Input], file_description: str, file_field: str = "file") -> dict[str, Any]:
    """The `openapi_extra` of an operation that calls `read_upload`; the fields have an example."""
    schema = fields.model_json_schema()
    file = {"type": "string", "format": "binary", "description": file_description}
    form = {
        "type": "object",
        "required": [file_field, *schema.get("required", [])],
        "properties": {file_field: file, **schema["properties"]},
        "additionalProperties": False,
    }
    example = {file_field: "front.jpg", **schema["example"]}
    content = {"multipart/form-data": {"schema": form, "example": example}}
    return {"requestBody": {"required": True, "content": content}}
