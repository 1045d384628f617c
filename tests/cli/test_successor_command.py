"""`retention schema successor`: what it says, and what it does not take."""

import pytest
from click.testing import CliRunner

from retention.cli import retention
from retention.cli import service as typed
from retention.model.answers.successor import (
    LostHoldsRecorded,
    SuccessorApproved,
    SuccessorAsked,
    SuccessorRejected,
)

ASKED = SuccessorAsked(
    lost_first=995, lost_last=999, known_from="/srv/nvr1/.cctv-retention-head",
    requested="2026-11-30T20:00:00Z", until="2026-12-01T20:00:00Z",
    approvers=["carl"], entry=996,
)  # fmt: skip


def test_it_says_what_is_lost_how_that_is_known_and_who_must_agree():
    text = typed._succeeding(ASKED, "UTC")
    assert "entries 995 to 999 are lost, as /srv/nvr1/.cctv-retention-head" in text
    assert "A supervisor (carl) types `retention schema successor --approve" in text


def test_what_was_agreed_says_what_to_do_next():
    said = SuccessorApproved(
        lost_first=None, lost_last=999, next="start the service again", entry=997
    )
    text = typed._succeeding(said, "UTC")
    assert text == "Agreed: entries up to 999 are lost. Now start the service again."
    assert typed._rejected(SuccessorRejected(entry=998), "UTC").startswith("Rejected")


@pytest.mark.parametrize(("holds", "which"), [([31, 32], "31, 32"), ([], "none")])
def test_the_holds_that_were_named_and_until_when_nothing_is_deleted(holds, which):
    said = LostHoldsRecorded(holds, "2026-12-07T20:00:00Z", 999)
    text = typed._recorded(said, "UTC")
    assert f"holds placed in what is lost: {which}. Nothing is deleted until" in text


@pytest.mark.parametrize(
    "words",
    [
        ["--approve", "--reject"],
        ["--holds", "31", "--no-holds"],
        ["--holds", "thirty"],
        ["--holds", ""],
        ["--holds", "9" * 19],
    ],
)
def test_what_makes_no_sense_is_wrong_usage(words):
    command = ["schema", "successor", "--reason", "r", *words]
    assert CliRunner().invoke(retention, command).exit_code == 2
