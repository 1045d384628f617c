"""A copy made with `cp` while the service wrote has files of several moments: what is
under a head that reached it is intact, and said to be."""

import json
import shutil
from itertools import count
from random import Random

import pytest

from retention import cli
from retention.model.values import DAY
from retention.tlog import note
from retention.tlog.directory import Published
from retention.tlog.verify.published import verify_directory
from tests.support.press import NOW, Press, heartbeat, intent, rows


@pytest.fixture
def press(tmp_path):
    made = Press(tmp_path / "state")
    made.append(intent(rows(3)))
    made.append_at_once(200)
    made.publish()
    yield made
    made.close()


def copied(press, to, *order, between=lambda: None):
    """What `cp` makes of it where the service writes `between` two of these, which are
    files or directories."""
    to.mkdir()
    for name in order:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        source = press.published / name
        if source.is_dir():
            shutil.copytree(source, to / name)
        elif source.exists():
            shutil.copy(source, to / name)
        between()
    return to


def writes(press, now=NOW):
    press.append(intent(rows(2)), heartbeat())
    press.publish(now=now)


LATE_BUNDLES = ("checkpoint", "key", "rows", "tile/1", "tile/0", "tile/entries")
LATE_HASHES = ("checkpoint", "key", "tile/1", "tile/entries", "tile/0", "rows")
LATE_HEAD = (
    "key",
    "checkpoints",
    "rows",
    "tile/0",
    "tile/entries",
    "tile/1",
    "checkpoint",
)


@pytest.mark.parametrize("order", [LATE_BUNDLES, LATE_HASHES])
@pytest.mark.parametrize("size", [204, 254, 510])
def test_what_is_ahead_of_the_head_and_not_whole_is_no_fault(
    press, tmp_path, order, size
):
    press.append_at_once(size - press.size)
    signed = press.publish()
    to = copied(press, tmp_path / "usb", *order, between=lambda: writes(press))
    report = verify_directory(to, press.vkey, depth="deep")
    assert report.ok, report.faults
    assert report.copied
    assert (report.size, report.intact) == (signed, signed)


def test_it_is_said_in_words_and_json(press, tmp_path, capsys):
    to = copied(press, tmp_path / "usb", *LATE_BUNDLES, between=lambda: writes(press))
    size = note.unverified((to / "checkpoint").read_bytes()).size
    words = ["audit", "verify", str(to), "--key", press.vkey]
    assert cli.run(words) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        f"Copied while it was written: intact to entry {size - 1}, signed"
    )
    assert cli.run([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["copied_while_written"]) == (True, True)


def test_what_is_ahead_and_not_the_log_s_is_a_fault(press, tmp_path):
    """Only what begins as the log goes on was copied."""
    to = copied(press, tmp_path / "usb", *LATE_HASHES, between=lambda: writes(press))
    widest = max((to / "tile/0/000.p").iterdir(), key=lambda path: int(path.name))
    data = bytearray(widest.read_bytes())
    data[0] ^= 1
    widest.write_bytes(data)
    report = verify_directory(to, press.vkey)
    assert not report.ok
    assert not report.copied


def test_a_head_that_is_ahead_of_its_entries_is_a_fault_and_an_older_one_holds(
    press, tmp_path, capsys
):
    kept = press.size
    writes(press, NOW + DAY)
    to = copied(
        press, tmp_path / "usb", *LATE_HEAD, between=lambda: writes(press, NOW + DAY)
    )
    assert verify_directory(to, press.vkey).copied
    assert cli.run(["audit", "verify", str(to), "--key", press.vkey]) == 5
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("NOT INTACT: entry ")
    assert [line for line in lines if "missing: tile/entries/000.p/" in line]
    (said,) = [line for line in lines if line.startswith("Copied while")]
    assert said.startswith(f"Copied while it was written: intact to entry {kept - 1}")
    assert "`retention audit copy` makes a whole one" in said
    assert not [line for line in lines if "what was written" in line]


def test_where_no_older_head_is_there_it_says_so(press, tmp_path, capsys):
    to = copied(press, tmp_path / "usb", *LATE_HEAD, between=lambda: writes(press))
    first = min(press.heads())
    assert cli.run(["audit", "verify", str(to), "--key", press.vkey]) == 5
    out = capsys.readouterr().out
    assert "Copied while it was written: no head here covers only what is there" in out
    # Whoever kept a head has one.
    brought = tmp_path / "kept"
    brought.write_text(press.heads()[first])
    words = ["audit", "verify", str(to), "--key", press.vkey, "--since", str(brought)]
    assert cli.run(words) == 5
    out = capsys.readouterr().out
    assert f"Copied while it was written: intact to entry {first - 1}" in out


def test_hashes_that_came_too_late_leave_all_entries_known(press, tmp_path):
    """A bundle filled up while the tiles over it were copied."""
    press.append_at_once(252 - press.size)
    press.publish()
    order = ("tile/1", "key", "checkpoint", "tile/0", "tile/entries", "rows")
    to = copied(press, tmp_path / "usb", *order, between=lambda: writes(press))
    report = verify_directory(to, press.vkey)
    assert (report.ok, report.copied) == (False, True)
    assert report.intact == report.size >= 256


@pytest.mark.parametrize("lost", ["tile/entries/000", "tile/0/000", "rows/001"])
def test_what_was_taken_out_of_the_middle_was_not_copied_so(press, tmp_path, lost):
    press.append_at_once(300)
    press.publish()
    (press.published / lost).unlink()
    report = verify_directory(press.published, press.vkey)
    assert (report.ok, report.copied) == (False, False)


def test_a_whole_log_was_not_copied_while_it_was_written(press):
    report = verify_directory(press.published, press.vkey)
    assert (report.ok, report.copied) == (True, False)


@pytest.mark.parametrize("seed", range(24))
def test_however_files_of_several_moments_are_mixed_it_is_called_a_copy(
    press, tmp_path, seed
):
    """The service writes between any two files; each directory is listed once."""
    dice = Random(seed)
    days = count(0, dice.choice([0, DAY // 8]))
    order = dice.choice([list.sort, list.reverse, dice.shuffle])

    def copy(source, to):
        to.mkdir()
        names = sorted(path.name for path in source.iterdir())
        order(names)
        for name in names:
            if dice.random() < 0.3:
                writes(press, NOW + next(days))
            if (source / name).is_dir():
                copy(source / name, to / name)
            elif (source / name).exists():
                shutil.copy(source / name, to / name)

    press.append_at_once(dice.choice([1, 40, 305]))
    press.publish()
    copy(press.published, tmp_path / "usb")
    report = verify_directory(tmp_path / "usb", press.vkey)
    assert (
        report.ok
        or report.copied
        or report.ahead
        or "rolled back" in str(report.faults)
    )
    there = Published(tmp_path / "usb").entries(report.intact, rows=False)
    written = Published(press.published).entries(report.intact, rows=False)
    assert [one.data for one in there] == [one.data for one in written]
