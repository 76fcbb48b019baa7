"""Whether a variant's choices are among those that its product offers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.errors import ValidationFailed

Options = Sequence[Mapping[str, Any]]  # as on the product: [{"name": "Size", "values": ["S", "M"]}]


def fits(chosen: Mapping[str, str], options: Options) -> bool:
    return not any(_misfits(chosen, options))


def must_fit(chosen: Mapping[str, str], options: Options) -> None:
    """Refuse choices that do not name one offered value for each option, and nothing else."""
    misfits = list(_misfits(chosen, options))
    if misfits:
        raise ValidationFailed(errors=misfits)


def _misfits(chosen: Mapping[str, str], options: Options) -> Iterator[dict[str, str]]:
    offered = {option["name"]: option["values"] for option in options}
    for name, value in chosen.items():
        if name not in offered:
            yield _problem(name, "unknown_option", f"the product's options are {_listed(offered)}")
        elif value not in offered[name]:
            yield _problem(name, "unknown_value", f"must be one of {_listed(offered[name])}")
    for name in offered:
        if name not in chosen:
            yield _problem(name, "missing", f"must be one of {_listed(offered[name])}")


def _problem(name: str, code: str, message: str) -> dict[str, str]:
    step = name.replace("~", "~0").replace("/", "~1")  # RFC 6901 §3
    return {"pointer": f"/option_values/{step}", "code": code, "message": message}


def _listed(values: Any) -> str:
    return ", ".join(values) or "none"
