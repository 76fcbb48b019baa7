"""Failures on demand: the next N payments, mails or webhooks go wrong in a chosen way."""

from enum import StrEnum
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request, status
from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_WAITING = 1_000


class Target(StrEnum):
    PAYMENTS = "payments"
    SMTP = "smtp"
    WEBHOOKS = "webhooks"


class Mode(StrEnum):
    TIMEOUT = "timeout"
    ERROR = "error"
    DECLINE = "decline"
    DROP = "drop"
    DUPLICATE = "duplicate"
    DELAY = "delay"


POSSIBLE: dict[Target, dict[Mode, str]] = {
    Target.PAYMENTS: {
        Mode.TIMEOUT: "the request takes effect, but its answer never comes",
        Mode.ERROR: "500, and nothing happened",
        Mode.DECLINE: "the next confirmation is declined, whatever the card",
        Mode.DROP: "the request is lost: no effect and no answer",
        Mode.DELAY: "the answer takes `delay_ms` longer",
    },
    Target.SMTP: {
        Mode.TIMEOUT: "the mail arrives, but the server never says so",
        Mode.ERROR: "451, try again later",
        Mode.DROP: "the mail is accepted and lost",
        Mode.DELAY: "accepting the mail takes `delay_ms` longer",
    },
    Target.WEBHOOKS: {
        Mode.DROP: "the event is never delivered",
        Mode.DUPLICATE: "the event is delivered twice",
        Mode.DELAY: "the event, and those after it, come `delay_ms` later",
    },
}


class Fault(BaseModel):
    """Failures still to come. Payments: every POST under `/v1` counts, reads do not."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"target": "payments", "mode": "timeout", "count": 3}}
    )

    target: Target
    mode: Mode
    count: Annotated[int, Field(ge=1, le=10_000)] = 1
    delay_ms: Annotated[int, Field(ge=0, le=600_000)] = 0

    @model_validator(mode="after")
    def makes_sense(self) -> Self:
        possible = POSSIBLE[self.target]
        if self.mode not in possible:
            raise ValueError(f"{self.target} cannot {self.mode}; it can: {', '.join(possible)}")
        if self.mode is Mode.DELAY and self.delay_ms == 0:
            raise ValueError("a delay needs delay_ms of at least 1")
        return self


class FaultList(BaseModel):
    data: list[Fault]


class Faults:
    """The failures that are waiting, first in, first out for each target."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def inject(self, fault: Fault) -> None:
        self._waiting.append(fault.model_copy())
        del self._waiting[:-MAX_WAITING]

    def waiting(self) -> list[Fault]:
        return [fault.model_copy() for fault in self._waiting]

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, target: Target, *modes: Mode) -> Fault | None:
        """Use up one failure of `target`: the oldest in one of `modes`, or in any mode when none is named."""
        for fault in self._waiting:
            if fault.target is target and (not modes or fault.mode in modes):
                fault.count -= 1
                if fault.count == 0:
                    self._waiting.remove(fault)
                return fault
        return None


async def faults_of(request: Request) -> Faults:
    faults: Faults = request.app.state.faults
    return faults


InjectedFaults = Annotated[Faults, Depends(faults_of)]
router = APIRouter(prefix="/faults", tags=["Faults"])


@router.post("", status_code=status.HTTP_201_CREATED)
async def inject(fault: Fault, faults: InjectedFaults) -> Fault:
    """Make the next `count` operations of the target fail. An impossible combination is a 422."""
    faults.inject(fault)
    return fault


@router.get("")
async def waiting(faults: InjectedFaults) -> FaultList:
    """The failures still to come, oldest first, with what is left of their `count`."""
    return FaultList(data=faults.waiting())


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
async def clear(faults: InjectedFaults) -> None:
    """Everything works again. Webhooks already on their way keep the fate they were given."""
    faults.clear()
