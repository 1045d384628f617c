"""The shape of the program: who may import whom, the one deleter, the one clock."""

import ast
from pathlib import Path

import pytest

import retention

PACKAGE = Path(retention.__file__).parent

# From the ground up: a module imports only what stands on its own floor or below.
# `context` and `guards` are values and records that every floor above them shares.
FLOORS = (
    ("errors", "model"),
    ("policy", "merkle", "localtime", "layouts", "wording"),
    ("settings", "settings_source", "settings_values", "clock", "whereabouts"),
    ("audit", "catalogue", "footage"),
    ("context", "guards", "instance", "log_key", "reserve", "caller", "unit"),
    ("access", "members", "rules", "coverage"),
    (
        "publication",
        "ledger",
        "deletion",
        "ingest",
        "cameras",
        "hold_answer",
        "holds",
        "roots",
        "replacements",
        "periods",
        "approvals",
    ),
    ("reports", "init", "spool_directory", "check", "check_footage", "check_access"),
    ("verbs", "spool"),
    ("client", "api"),
    ("offline", "daemon"),
    ("cli", "demo", "demo_archive", "demo_stage", "__main__"),
)

PURE = ("model", "errors", "policy", "merkle", "localtime", "layouts", "wording")
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
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}


def room(module: str) -> str:
    """The first part below the package: `retention.audit.log` lives in `audit`."""
    return [*module.split("."), ""][1]


def floor(module: str) -> int:
    return next(n for n, rooms in enumerate(FLOORS) if room(module) in rooms)


def is_type_checking(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def imports(module: str) -> set[str]:
    """The modules of ours that a module needs to run, wherever it imports them."""
    found: set[str] = set()
    skipped = {
        child
        for node in ast.walk(TREES[module])
        if is_type_checking(node)
        for child in ast.walk(node)
    }
    for node in ast.walk(TREES[module]):
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
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = getattr(owner, "id", getattr(owner, "attr", ""))
            yield name, node.func.attr, node.lineno


def functions():
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield module, node


def own_lines(node: ast.FunctionDef) -> int:
    lines = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node):
        lines -= node.body[0].end_lineno - node.body[0].lineno + 1
    return lines


@pytest.mark.parametrize("module", [m for m in MODULES if m != "retention"])
def test_imports_go_down_only(module):
    above = {
        other
        for other in imports(module) - {"retention"}
        if floor(other) > floor(module)
    }
    assert not above, f"{module} imports from above: {above}"


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


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) in PURE])
def test_pure_rooms_touch_nothing_outside(module):
    used = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0]
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not used & OUTSIDE


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
    "retention.reserve",
    "retention.api.server",  # the socket that a process before this one left
    "retention.spool",  # a request that was carried out
    "retention.publication.partials",  # its own partial files, once the full one is there
}


def test_one_module_reads_the_clock():
    found = {
        f"{module}:{line}"
        for module in MODULES
        for owner, name, line in calls(module)
        if (owner, name) in CLOCK and module != "retention.clock"
    }
    assert not found


def test_sql_lives_with_the_catalogue_and_the_log():
    found = {
        f"{module}:{line}"
        for module in MODULES
        for _, name, line in calls(module)
        if name in ("exec_driver_sql", "scalar_one", "executemany")
        and room(module) not in ("catalogue", "audit")
    }
    assert not found


def test_only_the_schedule_knows_the_scheduler():
    users = {
        module
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("apsched")
    }
    assert users == {"retention.daemon.schedule"}


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_owns_and_fits_on_a_few_screens(module):
    assert ast.get_docstring(TREES[module])
    assert len(MODULES[module].read_text().splitlines()) <= 400


def test_every_function_fits_on_a_screen():
    long = {
        f"{module}.{node.name}: {own_lines(node)}"
        for module, node in functions()
        if own_lines(node) > 60
    }
    assert not long
