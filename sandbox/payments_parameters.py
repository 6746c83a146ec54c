"""Parameters as Stripe takes them, `metadata[a]=b&expand[]=c`: read, and checked against a form."""

from __future__ import annotations

import re
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from sandbox.payments_problems import Problem, invalid

Form = TypeVar("Form", bound=BaseModel)
Parameters = dict[str, Any]


def parameters(encoded: str) -> Parameters:
    """The parameters, nested as their brackets say. Raises `Problem`."""
    root: Parameters = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        first, *inner = re.findall(r"[^\[\]]+|\[\]", name) or [name]
        path = [first, *inner]
        here = root
        for step in path[:-1]:
            here = here.setdefault(_index(here, step), {})
            if not isinstance(here, dict):
                raise invalid(f"Invalid object: {name}", param=name)
        here[_index(here, path[-1])] = value
    return {name: _listed(value) for name, value in root.items()}


def checked(form: type[Form], given: Parameters) -> Form:
    """The form filled in. Raises `Problem` for the first parameter that does not fit."""
    try:
        return form.model_validate(given)
    except ValidationError as wrong:
        error = wrong.errors()[0]
        raise _refusal(_name(error["loc"]), error["type"], error["input"]) from None


def _index(here: Parameters, step: str) -> str:
    return str(len(here)) if step == "[]" else step


def _listed(value: Any) -> Any:
    """What has only numbers for names is a list."""
    if not isinstance(value, dict):
        return value
    if all(name.isdecimal() for name in value):
        return [_listed(value[name]) for name in sorted(value, key=int)]
    return {name: _listed(item) for name, item in value.items()}


def _name(place: tuple[int | str, ...]) -> str:
    first, *inner = map(str, place)
    return first + "".join(f"[{step}]" for step in inner)


def _refusal(name: str, what: str, given: Any) -> Problem:
    if name == "payment_method_types":
        message = "payment_method_types is no longer supported, use allowed_payment_method_types"
        return invalid(message, "payment_method_types_no_longer_supported", name)
    if what == "missing":
        return invalid(f"Missing required param: {name}.", "parameter_missing", name)
    if what == "extra_forbidden":
        return invalid(f"Received unknown parameter: {name}", "parameter_unknown", name)
    if what.startswith(("int", "greater", "less")):
        return invalid(f"Invalid integer: {given}", "parameter_invalid_integer", name)
    return invalid(f"Invalid {name}: {given}", param=name)
