"""Where settings come from, a TOML file and the environment, and what is said
when they can't be used: one sentence a problem, with file, key, value, remedy.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from retention.model.errors import SettingsError
from retention.site.value_types import like

PREFIX = "RETENTION_"
NESTING = "__"
ANY = "*"

Location = tuple[str | int, ...]
Model = type[BaseModel]

_LONGEST = 80  # characters of a value that a message repeats
_SHAPES = {
    "missing": "is missing: add it",
    "literal_error": "is not one of the choices: write {expected}",
    "model_type": "is not a table: write its keys under a header in brackets",
    "tuple_type": "is not a list of tables: write each under its own [[{key}]]",
    "dict_type": "is not a table: write its keys under a header in brackets",
    "mapping_type": "is not a table: write its keys under a header in brackets",
    "string_type": "is not a text: write it in quotes",
}


class Problem(NamedTuple):
    """What is wrong with one key; `text` goes on from "key = value ..."."""

    at: Location
    value: Any
    text: str


def read_file(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file; `SettingsError` names line and column."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise SettingsError(
            f"{path} is not there: name the settings with --config FILE, or copy the "
            "example config/retention.toml to that path and edit it."
        ) from None
    except OSError as error:
        raise SettingsError(
            f"{path} can't be read ({error.strerror}): give the user who runs this "
            "leave to read it, or name another file with --config FILE."
        ) from None
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path} is not UTF-8 text (byte {error.start + 1}): save it as UTF-8."
        ) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(_not_toml(path, text, str(error))) from None


def _not_toml(path: Path, text: str, message: str) -> str:
    what, _, where = message.rstrip(")").partition(" (at ")
    what = what[:1].lower() + what[1:]
    remedy = "correct the line (texts and durations are written in quotes)"
    if what == "cannot overwrite a value":
        what, remedy = "a key stands there twice", "keep one of the two"
    if line := re.match(r"line ([0-9]+)", where):
        what += f" in `{text.splitlines()[int(line[1]) - 1].strip()[:_LONGEST]}`"
    return f"{path}, {where or 'end of document'}: {what}: {remedy}."


def add_variables(
    model: Model, values: dict[str, Any], environment: Mapping[str, str]
) -> tuple[dict[Location, str], list[str]]:
    """Put what `RETENTION_` variables say over the file's values; the variable of each
    key, and faults.

    Two underscores separate table and key.  A variable that sets nothing is a
    fault: a misspelt one would otherwise be obeyed in nobody's mind but its writer's.
    """
    names: dict[Location, str] = {}
    faults = []
    for name in sorted(environment):
        if not name.startswith(PREFIX):
            continue
        at = _location(model, name.removeprefix(PREFIX).split(NESTING))
        if at is None:
            faults.append(f"environment: {name} {_no_variable(model, name)}.")
            continue
        names[at] = name
        table: Any = values
        for part in at[:-1]:
            table = table.setdefault(part, {}) if isinstance(table, dict) else None
        if isinstance(table, dict):  # else the file has none there, which is reported
            table[at[-1]] = environment[name]
    return names, faults


def _keys(model: Model) -> Iterator[tuple[str, ...]]:
    """Where each setting stands: its tables and its key; ANY for one of several tables
    (a number among roots, a camera's id)."""
    for key, field in model.model_fields.items():
        inside = (field.annotation, *get_args(field.annotation))
        tables = [
            one
            for one in inside
            if isinstance(one, type) and issubclass(one, BaseModel)
        ]
        several = () if tables[:1] == [field.annotation] else (ANY,)
        yield from (
            ((key, *several, *rest) for rest in _keys(tables[0]))
            if tables
            else [(key,)]
        )


def _location(model: Model, parts: list[str]) -> tuple[str, ...] | None:
    """The key that the parts of a variable's name lead to, or None.  A camera's id
    keeps its own spelling; roots can only be written in the file."""
    for key in _keys(model):
        at = tuple(
            part if known == ANY else part.lower()
            for part, known in zip(parts, key, strict=False)
        )
        if len(parts) == len(key) and _is_in(at, key) and key[0] != "root":
            return at
    return None


def _is_in(at: Location, key: tuple[str, ...]) -> bool:
    """Whether the parts of one are those of the other, as far as both go."""
    return all(known in (ANY, part) for part, known in zip(at, key, strict=False))


def _no_variable(model: Model, name: str) -> str:
    if name.startswith(f"{PREFIX}ROOT"):
        return "can't be set here: write footage roots as [[root]] in the file"
    known = {NESTING.join(key).upper(): key for key in _keys(model) if ANY not in key}
    rest = name.removeprefix(PREFIX)
    last = rest.split(NESTING)[-1].lower()
    same = [full for full, key in known.items() if key[-1] == last]
    close = same[0] if len(same) == 1 else like(rest, known)
    remedy = f"write {PREFIX}{close}, or " if close else ""
    return f"is not a setting: {remedy}unset it"


def explain(model: Model, error: ValidationError) -> list[Problem]:
    """Return pydantic's findings in this program's words."""
    return [
        Problem(found["loc"], found["input"], _words(model, found))
        for found in error.errors(include_url=False)
        # A default that could not be worked out because another key is wrong.
        if found["type"] != "default_factory_not_called"
    ]


def _words(model: Model, found: ErrorDetails) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return f"is not a setting: {_right_place(model, found['loc'])}"
    if kind in _SHAPES:
        text = _SHAPES[kind].format(key=found["loc"][-1], **context)
        return text.replace("'", '"')  # as TOML quotes
    return f"can't be used ({found['msg']}): correct it"


def _right_place(model: Model, at: Location) -> str:
    *tables, key = map(str, at)
    for other in _keys(model):
        if other[-1] == key and ANY not in other and other != at:
            place = f"under [{other[0]}]" if other[1:] else "above the first [table]"
            return f"write it {place}"
    beside = {
        known[len(tables)]
        for known in _keys(model)
        if len(known) > len(tables) and _is_in(tuple(tables), known)
    }
    close = like(key, beside)
    return f'write "{close}", or remove it' if close else "remove it"


def sentence(
    problem: Problem,
    path: Path,
    values: Mapping[str, Any],
    names: Mapping[Location, str],
) -> str:
    """Return a problem as one sentence that names its file or variable."""
    key, shown = _key(problem.at, values), ""
    if not isinstance(problem.value, dict):
        shown = f" = {_shorten(problem.value)}"
    if variable := names.get(problem.at):
        return f"environment: {variable}{shown} {problem.text}."
    return f"{path}: {key}{shown} {problem.text}."


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _key(at: Location, values: Mapping[str, Any]) -> str:
    """Return a key as it stands in the file: `[[root]] "nvr1" path`."""
    match at:
        case ("root", int(number), *rest):
            table, inner = f"[[root]] {_root_name(values, number)}", rest
        case ("camera", str(camera), *rest):
            table, inner = f'[camera."{camera}"]', rest
        case (str(name), *rest) if rest or isinstance(values.get(name), dict):
            table, inner = f"[{name}]", rest
        case _:
            return ".".join(map(str, at))
    return " ".join([table, ".".join(map(str, inner))]).strip()


def _root_name(values: Mapping[str, Any], number: int) -> str:
    table = values["root"][number]
    name = table.get("name") if isinstance(table, dict) else None
    return f'"{name}"' if isinstance(name, str) else f"number {number + 1}"
