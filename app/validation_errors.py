"""What pydantic found wrong with a request, said to clients: where (RFC 6901) and what, without pydantic's insides.

pydantic's locations name its own parts between the client's: the branch of a union, a key that stands for itself.
So a pointer into a body is found by walking the body, and what is not in it is left out.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

Location = tuple[str | int, ...]
Problem = dict[str, str]


class _Found(NamedTuple):
    path: Location
    union: Location | None  # where the value is that may be of several kinds
    branch: str | int | None  # the kind that it was tried as
    problem: Problem

    @property
    def wrong_kind(self) -> bool:
        return self.path == self.union and self.problem["code"].endswith(("_type", "_parsing"))


def problems(errors: Sequence[Any], body: object) -> list[Problem]:
    """One for each pointer and code, each with `pointer`, `code` and `message`.

    Of the branches of a union only the one that the value comes closest to is told. The input is not: it may be a
    password, or not representable in JSON at all.
    """
    told: dict[tuple[str, str], Problem] = {}
    found = [_found(each, body) for each in errors]
    for union, group in groupby(found, key=lambda each: each.union):
        for each in list(group) if union is None else _closest(list(group)):
            told.setdefault((each.problem["pointer"], each.problem["code"]), each.problem)
    return list(told.values())


def _found(error: Mapping[str, Any], body: Any) -> _Found:
    source, *location = error["loc"]
    code, message = _said(error)
    if source != "body":  # a parameter, whose name is no pointer
        return _Found((), None, None, {"pointer": _steps(location), "code": code, "message": message})
    path: list[str | int] = []
    union, branch, value = None, None, body
    for place, step in enumerate(location):
        if _is_in(value, step):
            path.append(step)
            value = value[step]
        elif code == "missing" and place == len(location) - 1:
            path.append(step)
        elif union is None and step != "[key]":
            union, branch = tuple(path), step
    pointer = "".join(f"/{_steps([step])}" for step in path)
    return _Found(tuple(path), union, branch, {"pointer": pointer, "code": code, "message": message})


def _is_in(value: object, step: str | int) -> bool:
    if isinstance(value, Mapping):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)


def _steps(path: Sequence[str | int]) -> str:
    return "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _said(error: Mapping[str, Any]) -> tuple[str, str]:
    code, message = error["type"], error["msg"].removeprefix("Value error, ")
    if code in ("too_long", "too_short") and isinstance(error["input"], str):  # counted behind a validator of ours
        bound, limit = ("most", "max_length") if code == "too_long" else ("least", "min_length")
        characters = error["ctx"][limit]
        return f"string_{code}", f"String should have at {bound} {characters} character{'s' * (characters != 1)}"
    if code in ("model_type", "model_attributes_type", "dict_type"):
        return code, "Input should be a valid object"
    return code, message


def _closest(errors: list[_Found]) -> list[_Found]:
    """The errors of the branch that gets furthest into the value; if all fail at its kind, one that names them all."""
    if all(each.wrong_kind for each in errors):
        first, messages = errors[0], dict.fromkeys(each.problem["message"] for each in errors)
        if len(messages) == 1:
            return [first]
        kinds = [_kind(message) for message in messages]
        message = f"Input should be a valid {', '.join(kinds[:-1])} or {kinds[-1]}"
        return [first._replace(problem={**first.problem, "code": "wrong_type", "message": message})]

    def depth(branch: str | int | None) -> tuple[int, bool]:
        own = [each for each in errors if each.branch == branch]
        return max(len(each.path) for each in own), not all(each.wrong_kind for each in own)

    closest = max(dict.fromkeys(each.branch for each in errors), key=depth)
    return [each for each in errors if each.branch == closest]


def _kind(message: str) -> str:
    return message.partition(",")[0].removeprefix("Input should be a valid ")
