"""What every test may use, where it may write, and how much of the campaigns is run."""

import gc
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from retention.model.values import MINUTE
from tests.support import campaign, logs, needs

# Tests are imported one by one (importlib mode); what they share is in tests/support.

# What whoever runs the tests has set for an installation of their own is not the tests'.
for _name in ("RETENTION_CONFIG", "RETENTION_SOCKET", "RETENTION_DEBUG"):
    os.environ.pop(_name, None)

MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30
# A kill loses nothing that was written, durable or not: tests need not wait for a disk.
# TMPDIR=/var/tmp runs them on one; those that remove and open footage always are.
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
    tempfile.tempdir = os.environ.setdefault("TMPDIR", str(MEMORY))

# What is tried must be right, on a busy machine too.
settings.register_profile(
    "tests", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

if sys.dont_write_bytecode:
    # Hundreds of processes would each compile the program and the tests anew; what is
    # compiled lies outside of the tree, as whoever set this wants it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    _compiled = Path(tempfile.gettempdir(), f"retention-compiled-{os.geteuid()}")
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(_compiled)

LONG = (
    "test_booted_memories.py", "test_forged.py", "test_many_at_once.py",
    "test_alterations.py", "systemd", "simulation", "test_pages.py", "recorders",
    "test_bad_input.py", "demo", "test_down.py", "test_protocol.py", "scenarios",
    "crash", "test_kill.py", "test_mutations.py",
)  # fmt: skip
"""Directories and files that take minutes, the longest first; what waits and what
reckons in turn."""

PATIENCE = 3600
"""Seconds that a test may take in a whole campaign; else pyproject says how many."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("campaigns")
    group.addoption(
        "--campaign",
        action="store_true",
        help="run campaigns whole, not a part of each",
    )
    group.addoption(
        "--seed", type=int, help="what chance draws from; by default anew in each run"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.option.seed is None:
        given = getattr(config, "workerinput", {}).get("seed")
        drawn = random.SystemRandom().randrange(10**6)
        config.option.seed = drawn if given is None else given
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(config.option.seed)
    campaign.SEED, campaign.WHOLE = config.option.seed, config.option.campaign


def pytest_configure_node(node: Any) -> None:
    """A worker process draws as all do."""
    node.workerinput["seed"] = node.config.option.seed


def _draws(config: pytest.Config) -> str:
    whole = (
        "whole"
        if config.option.campaign
        else "a tenth of each or less, all with --campaign"
    )
    return f"campaigns: {whole}; these draws again with --seed={config.option.seed}"


def pytest_report_header(config: pytest.Config) -> str:
    return _draws(config)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if terminalreporter.stats.keys() & {"failed", "error"}:
        terminalreporter.line(_draws(config))


def _rank(item: pytest.Item) -> int:
    """The place of a test among the long ones, or behind them."""
    parts = item.path.parts
    return next((n for n, one in enumerate(LONG) if one in parts), len(LONG))


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """The long ones begin first: at the end three of four processes would wait for them."""
    items.sort(key=_rank)
    if config.option.campaign:
        for item in items:
            item.add_marker(pytest.mark.timeout(PATIENCE))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: a tenth of the time went into looking whether it does."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """What `status` says at the end of a test, while its faults stand still."""
    from tests.support import honesty

    try:
        yield
        honesty.be_honest()
    finally:
        honesty.forget()


@pytest.fixture(scope="session", autouse=True)
def time_to_read() -> Iterator[None]:
    """Readings in the tests' own process may take long: the machine is busy with tests."""
    from retention.catalogue import db

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "LONGEST_READ", 2 * MINUTE)
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """A test that opens a catalogue of its own need not compile each statement anew."""
    import sqlalchemy as sa

    from retention.catalogue import db

    first = sa.create_engine("sqlite://", query_cache_size=10_000)
    first.connect().close()  # it looks once what this SQLite can do
    make = db._engine

    def engine(*given: Any, **more: Any) -> sa.Engine:
        made = make(*given, **more)
        made.dialect = made.pool._dialect = first.dialect
        made._compiled_cache = first._compiled_cache
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "_engine", engine)
        yield
    first.dispose()


@pytest.fixture(scope="session")
def people() -> Iterator[Any]:
    """Users for the whole run: a test that takes a role away gives it back."""
    from tests.support.people import everybody

    if os.geteuid() != 0 and not needs.CI:
        pytest.skip("needs to run as root")
    with everybody() as made:
        yield made


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Any]:
    """A catalogue with an opened log."""
    opened = logs.a_catalogue(tmp_path)
    yield opened
    opened.close()
