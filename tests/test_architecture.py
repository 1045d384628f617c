"""The shape of the program: who may import whom, the one deleter, the one clock."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import retention

PACKAGE = Path(retention.__file__).parent

# @rooms
MAY_IMPORT: dict[str, str] = {
    "model": "",
    "site": "model",
    "tlog": "model",
    "catalogue": "model site tlog",
    "control": "model site tlog catalogue",
    "footage": "model site tlog catalogue control",
    "deletion": "model site tlog catalogue control footage",
    "holds": "model tlog catalogue control",
    "publication": "model site tlog catalogue control",
    "register": "model catalogue control holds",
    "reports": "model site tlog catalogue control footage holds publication",
    "service": "model site catalogue control footage deletion holds publication reports",
    "cli": "model site tlog catalogue control footage publication register reports service",
    "__main__": "cli",
}
# @end

PICTURED = re.compile(r"^ +(\d)  (\w+) (?:\(([\w, ]+)\))?", re.MULTILINE)
"""A line of the picture in the package's docstring: floor, room, folders inside."""

PURE = ("model",)
"""No file, no socket, no database, no clock."""

OUTSIDE = {"os", "socket", "sqlite3", "sqlalchemy", "time", "subprocess", "threading"}

DELETES = {"unlink", "remove", "rmdir", "rmtree", "removedirs", "truncate"}

CLOCK = {
    ("time", "time"), ("time", "time_ns"), ("time", "monotonic"),
    ("time", "monotonic_ns"), ("time", "clock_gettime"), ("datetime", "now"),
    ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
}  # fmt: skip


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def trees() -> dict[str, ast.Module]:
    """Read by whoever runs these tests: each process of a run imports all of them."""
    return {name: ast.parse(path.read_text()) for name, path in MODULES.items()}


def room(module: str) -> str:
    """The first part below the package: `retention.catalogue.log` lives in `audit`."""
    return [*module.split("."), ""][1]


def is_type_checking(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


@cache
def imports(module: str) -> set[str]:
    """The modules of ours that a module needs to run, wherever it imports them."""
    found: set[str] = set()
    skipped = {
        child
        for node in ast.walk(trees()[module])
        if is_type_checking(node)
        for child in ast.walk(node)
    }
    for node in ast.walk(trees()[module]):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == "retention"}


def calls(module: str):
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = getattr(owner, "id", getattr(owner, "attr", ""))
            yield name, node.func.attr, node.lineno


def functions():
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield module, node


def own_lines(node: ast.FunctionDef) -> int:
    lines = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node):
        lines -= node.body[0].end_lineno - node.body[0].lineno + 1
    return lines


@cache
def arrows() -> dict[str, set[str]]:
    """By room the rooms that it imports from; the door of the package is none."""
    found: dict[str, set[str]] = {room(module): set() for module in MODULES}
    for module in MODULES:
        found[room(module)] |= {room(other) for other in imports(module)}
    return {name: rooms - {name, ""} for name, rooms in found.items() if name}


@pytest.mark.parametrize("name", sorted({room(module) for module in MODULES} - {""}))
def test_a_room_imports_only_what_its_row_says(name):
    assert name in MAY_IMPORT, f"no row for the room {name}"
    extra = arrows()[name] - set(MAY_IMPORT[name].split())
    assert not extra, f"{name} imports {extra}, which its row does not have"


def test_the_rows_have_no_room_and_no_arrow_that_is_not_there():
    found = {name: " ".join(sorted(rooms)) for name, rooms in arrows().items()}
    assert {k: " ".join(sorted(v.split())) for k, v in MAY_IMPORT.items()} == found


def test_the_picture_of_the_rooms_is_true():
    drawn = PICTURED.findall(retention.__doc__)
    floor = {room: int(number) for number, room, _ in drawn} | {"__main__": 9}
    assert floor.keys() == MAY_IMPORT.keys()
    assert max(floor.values()) == 9
    for room, below in MAY_IMPORT.items():
        assert all(floor[other] < floor[room] for other in below.split()), room
    for _, room, parts in drawn:
        folders = {path.parent.name for path in (PACKAGE / room).glob("*/__init__.py")}
        assert folders == set(parts.split(", ")) - {""}, room
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "__main__"}


def test_the_readme_draws_the_same_rooms():
    readme = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^\| (\d) \| `retention/(\w+)/`", readme, re.MULTILINE)
    assert drawn == [found[:2] for found in PICTURED.findall(retention.__doc__)]


def test_no_two_modules_import_each_other_in_a_circle():
    graph = {module: imports(module) & set(MODULES) for module in MODULES}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"a circle: {' -> '.join((*path, module))}"
        if module not in done:
            for other in graph[module] - {"retention"}:
                visit(other, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_pure_rooms_touch_nothing_outside():
    used = {
        f"{module}: {name}"
        for module, tree in trees().items()
        if room(module) in PURE
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (name := outermost(node, alias)) in OUTSIDE
    }
    assert not used


def outermost(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    """The package of what is imported."""
    name = str(node.module) if isinstance(node, ast.ImportFrom) else alias.name
    return name.split(".")[0]


def test_one_module_can_delete_files():
    found = {
        module
        for module in MODULES
        for owner, name, _ in calls(module)
        if name in DELETES and (name != "remove" or owner == "os")
    }
    # The reserve is a file of our own that makes room, not a recording.
    assert found - ALLOWED_TO_DELETE == set()


ALLOWED_TO_DELETE = {
    "retention.footage.delete",
    "retention.site.reserve",
    "retention.service.api.server",  # the socket that a process before this one left
    "retention.service.spool",  # a request that was carried out
    "retention.publication.files",  # partial files, once the full one is there
}


def test_one_module_reads_the_clock():
    found = {
        f"{module}:{line}"
        for module in MODULES
        for owner, name, line in calls(module)
        if (owner, name) in CLOCK and module != "retention.site.clock"
    }
    assert not found


def test_sql_lives_with_the_catalogue_and_the_log():
    found = {
        f"{module}:{line}"
        for module in MODULES
        for _, name, line in calls(module)
        if name in ("exec_driver_sql", "scalar_one", "executemany")
        and room(module) not in ("catalogue",)
    }
    assert not found


def test_only_the_schedule_knows_the_scheduler():
    users = {
        module
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("apsched")
    }
    assert users == {"retention.service.schedule"}


def test_every_module_says_what_it_owns():
    assert [name for name, tree in trees().items() if not ast.get_docstring(tree)] == []


def test_every_module_has_room_for_one_story():
    lines = {name: len(at.read_text().splitlines()) for name, at in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > 600} == {}


WIRING = {
    "retention.service.daemon", "retention.service.housekeeping",
    "retention.cli.local.init",
}  # fmt: skip
"""Builds the parts and hands them to each other: it must know them all."""


def test_a_module_needs_no_more_than_fourteen_of_ours():
    """Counted as it is imported: `from retention.catalogue import due, holds` is one."""
    needed = {
        module: {
            node.module
            for node in ast.walk(trees()[module])
            if isinstance(node, ast.ImportFrom)
            and str(node.module).split(".")[0] == "retention"
        }
        for module in MODULES.keys() - WIRING
    }
    assert {name: sorted(of) for name, of in needed.items() if len(of) > 14} == {}


def test_every_function_fits_on_a_screen():
    long = {
        f"{module}.{node.name}: {own_lines(node)}"
        for module, node in functions()
        if own_lines(node) > 60
    }
    assert not long
