"""A command about holds starts at once: nothing heavy is loaded to ask a running service."""

import subprocess
import sys

import pytest

from tests.support.served import served

HEAVY = (
    "sqlalchemy", "pydantic", "pydantic_settings", "structlog", "rich", "cryptography",
    "apscheduler",
)  # fmt: skip

FUTURE = ("--from", "+1h", "--to", "+2h", "--margin", "0")
COURT = ("--kind", "court", "--reference", "K 4", "--reason", "trial")


@pytest.mark.parametrize(
    "words",
    [("list",), ("show", "1"), ("place", "1101", *FUTURE, *COURT)],
    ids=lambda words: words[0],
)
def test_a_hold_command_loads_nothing_heavy(site, words):
    site.ok("camera", "add", "1101", "--location", "Market Place")
    site.run("hold", "place", "1101", *FUTURE, *COURT)
    arguments = ["--config", str(site.config), "hold", *words]
    program = (
        "import sys\nfrom retention.cli import run\n"
        f"status = run({arguments!r})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
        "sys.exit(status)"
    )
    with served(site.config):
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done
    assert done.stderr.endswith("[]\n")
