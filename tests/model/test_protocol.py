"""Hold, gate, batch, crash, recovery and restore as a model, in every interleaving."""

import subprocess
from pathlib import Path

import pytest

from tests.support import needs

MODEL = Path(__file__).with_name("protocol.pml")

pytestmark = [needs.spin, needs.cc]


def searched(directory: Path, *without: str, effort: str = "-O2") -> str:
    """What the search of all states says, with parts of the protocol left out."""
    (directory / MODEL.name).write_bytes(MODEL.read_bytes())
    options = [f"-D{name}" for name in without]
    for command in (
        ["spin", "-a", *options, MODEL.name],
        ["cc", effort, "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=2000", "-o", "pan", "pan.c"],
    ):
        subprocess.run(command, cwd=directory, check=True, capture_output=True)
    done = subprocess.run(
        ["./pan", "-m20000"], cwd=directory, capture_output=True, text=True
    )
    return done.stdout


def test_no_interleaving_deletes_what_was_called_protected_or_leaves_no_record(
    tmp_path,
):
    said = searched(tmp_path)
    assert "errors: 0" in said, said
    assert "Search not completed" not in said, said


@pytest.mark.parametrize(
    "part", ["GATE", "REDECIDE", "SIGNATURE", "RULE_2", "REPLAY", "RECHECK"]
)
def test_each_part_of_the_protocol_is_needed(tmp_path, part):
    # A few states lead to it, so that compiling would take longer than the search.
    said = searched(tmp_path, f"NO_{part}", effort="-O0")
    assert "assertion violated" in said
