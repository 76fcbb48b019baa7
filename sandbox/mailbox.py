"""The mails that the shop has sent: a small bounded store, its API and its page."""

from collections import deque
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response, status
from pydantic import BaseModel, Field

from sandbox.pages import page

MAX_MESSAGES = 500
MAX_CHARACTERS = 32 * 1024 * 1024


class Message(BaseModel):
    id: str
    to: str
    """The envelope's recipients (Bcc included), separated by ", "."""
    sender: str = Field(serialization_alias="from")
    subject: str
    text: str | None
    html: str | None
    received_at: datetime

    @property
    def recipients(self) -> set[str]:
        return {address.lower() for address in self.to.split(", ")}

    @property
    def size(self) -> int:
        return sum(len(part or "") for part in (self.to, self.sender, self.subject, self.text, self.html))


class MessageList(BaseModel):
    data: list[Message]


class Mailbox:
    """The latest mails, newest first; the oldest make room by number and by size."""

    def __init__(self, max_messages: int = MAX_MESSAGES, max_characters: int = MAX_CHARACTERS) -> None:
        self._messages: deque[Message] = deque()
        self._max_messages = max_messages
        self._max_characters = max_characters
        self._characters = 0

    def put(self, message: Message) -> None:
        self._messages.appendleft(message)
        self._characters += message.size
        while len(self._messages) > self._max_messages or self._characters > self._max_characters:
            self._characters -= self._messages.pop().size

    def messages(self, to: str | None, limit: int) -> list[Message]:
        """The newest `limit` mails, or only those to one address (any case)."""
        chosen = [m for m in self._messages if to is None or to.strip().lower() in m.recipients]
        return chosen[:limit]

    def clear(self) -> None:
        self._messages.clear()
        self._characters = 0


async def mailbox_of(request: Request) -> Mailbox:
    mailbox: Mailbox = request.app.state.mailbox
    return mailbox


ShopMailbox = Annotated[Mailbox, Depends(mailbox_of)]
router = APIRouter(prefix="/mailbox", tags=["Mailbox"])


@router.get("", include_in_schema=False)
async def show() -> Response:
    return page("mailbox.html")


@router.get("/messages")
async def messages(
    mailbox: ShopMailbox,
    to: Annotated[str | None, Query(description="only mails to this address")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_MESSAGES)] = MAX_MESSAGES,
) -> MessageList:
    """The mails received, newest first."""
    return MessageList(data=mailbox.messages(to, limit))


@router.delete("/messages", status_code=status.HTTP_204_NO_CONTENT)
async def clear(mailbox: ShopMailbox) -> None:
    """Empty the mailbox."""
    mailbox.clear()
