"""What every test may use: a place to import shared test code from, and real users."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Tests are imported one by one (importlib mode); what they share lies beside them.
sys.path.insert(0, str(Path(__file__).parent))

# What whoever runs the tests has set for an installation of their own is not the tests'.
for _name in ("RETENTION_CONFIG", "RETENTION_SOCKET", "RETENTION_DEBUG"):
    os.environ.pop(_name, None)


LONG = ("crash", "scenarios", "recorders", "test_kill.py", "test_mutations.py")
"""Directories and files of few tests that take minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones begin first: at the end three of four processes would wait for them."""
    items.sort(key=lambda item: not set(LONG) & set(item.path.parts))


@pytest.fixture(scope="session")
def people() -> Iterator[Any]:
    """Users for the whole run: a test that takes a role away gives it back."""
    import needs
    from api.people import everybody

    if os.geteuid() != 0 and not needs.CI:
        pytest.skip("needs to run as root")
    with everybody() as made:
        yield made
