"""Stripe's form encoding: `metadata[order_id]=7&expand[]=latest_charge`, nested by brackets."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.payments.errors import InvalidParametersError

MAX_FIELDS = 500
MAX_DEPTH = 6
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def decode(encoded: str) -> dict[str, Any]:
    """Nested dicts of strings. A list is a dict with the keys "0", "1", …, in the order sent.

    Raises InvalidParametersError (400) for malformed, contradictory or endless input.
    """
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise InvalidParametersError(f"Too many parameters: at most {MAX_FIELDS} are accepted.") from error
    params: dict[str, Any] = {}
    for key, value in pairs:
        _insert(params, key, value)
    return params


def _insert(params: dict[str, Any], key: str, value: str) -> None:
    match = _KEY.fullmatch(key)
    if match is None:
        raise InvalidParametersError(f"Invalid parameter name: {key}", param=key)
    path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    if len(path) > MAX_DEPTH:
        raise InvalidParametersError(f"Parameter nested too deeply: {key}", param=key)
    node = params
    for name in path[:-1]:
        node = node.setdefault(name or str(len(node)), {})
        if not isinstance(node, dict):
            raise InvalidParametersError(f"{key} is given both as a value and as a hash.", param=key)
    last = path[-1] or str(len(node))
    if isinstance(node.get(last), dict):
        raise InvalidParametersError(f"{key} is given both as a value and as a hash.", param=key)
    node[last] = value
