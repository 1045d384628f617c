"""A published log is verified from its directory and a public key alone.

Random damage is in test_mutations; here is what a random change doesn't come to.
"""

import os
import subprocess
import sys
import zlib

import pytest

from retention.model.errors import UsageError, VerificationError
from retention.model.values import Rows
from retention.tlog import note, rows, tiles
from retention.tlog.canonical import base64url, decode, encode
from retention.tlog.entry import Stored, previous
from retention.tlog.verify import findings
from retention.tlog.verify.findings import Fault, Missing
from retention.tlog.verify.published import Published, verifier_of, verify_directory
from tests.support.logs import a_catalogue, batch_rows
from tests.support.publishing import (
    KEY,
    NAME,
    OTHER_KEY,
    VERIFIER,
    files_of,
    fill,
    head,
    public,
    publish,
    write,
)

SIZE = 600
TABLE = batch_rows(20)


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    catalogue = a_catalogue(tmp_path_factory.mktemp("entries"), public(KEY))
    found = fill(catalogue, SIZE + 200)
    catalogue.close()
    return found


@pytest.fixture
def directory(entries, tmp_path):
    return publish(tmp_path / "log", entries[:SIZE])


def verified(directory, **how):
    return verify_directory(directory, VERIFIER, **how)


def faults(directory, **how):
    return [fault.sentence for fault in verified(directory, **how).faults]


def put_right(entries, number, **changed):
    """The log had entry `number` been written so: signed by whoever wrote it."""
    found = list(entries[:number])
    for one in entries[number:]:
        entry = decode(one.data)
        if one.number == number:
            entry |= changed
        if found:
            entry["prev"] = previous(found[-1].data)
        found.append(Stored(one.number, encode(entry), one.rows))
    return found


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("depth", "read"), [("tree", 0), ("sums", 1), ("deep", 1)])
def test_an_honest_log_is_intact_at_every_depth(directory, entries, depth, read, jobs):
    steps = []
    report = verified(
        directory, depth=depth, jobs=jobs, progress=lambda *step: steps.append(step)
    )
    assert report.ok, report.faults
    assert (report.size, report.intact, report.origin) == (SIZE, SIZE, NAME)
    assert report.signed_at == decode(entries[SIZE - 1].data)["at"]
    assert steps == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]
    assert (report.rows > 0) == bool(read)
    assert report.root == note.unverified((directory / "checkpoint").read_bytes()).root


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512])
def test_logs_of_every_shape_are_intact(entries, tmp_path, size):
    assert faults(publish(tmp_path / "log", entries[:size]), depth="deep") == []


def test_older_checkpoints_that_it_extends_are_named(directory, entries):
    since = [
        (f"of {size}", head(entries, size)) for size in (0, 1, 256, 300, 512, SIZE)
    ]
    report = verified(directory, since=since)
    assert report.ok
    assert report.extends == [name for name, _ in since]


def test_an_older_checkpoint_of_another_key_is_no_memory(directory, entries):
    since = [("hers", head(entries, 300, OTHER_KEY))]
    assert "hers: the note is not signed by" in faults(directory, since=since)[0]


def test_a_batch_that_does_not_add_up_is_found_by_the_sums(entries, tmp_path):
    """Signed so by the program itself: every hash is in order."""
    done = decode(entries[2].data)["fields"]
    wrong = put_right(entries[:SIZE], 2, fields=done | {"deleted": 3})
    directory = publish(tmp_path / "log", wrong)
    assert faults(directory) == []
    for depth in ("sums", "deep"):
        (found,) = faults(directory, depth=depth)
        assert found.startswith("entry 2 does not add up to its intent 1")


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_that_do_not_add_up_are_found_by_the_sums(entries, tmp_path, jobs):
    other = rows.prepare(Rows(TABLE.columns, TABLE.values[:19]))
    said = {"rows_sha256": rows.digest(other.data), "rows_root": base64url(other.root)}
    wrong = put_right(entries[:SIZE], 6, **said)
    wrong[6] = wrong[6]._replace(rows=other.data)
    directory = publish(tmp_path / "log", wrong)
    assert faults(directory) == []
    found = faults(directory, depth="sums", jobs=jobs)
    assert found == ["entry 6 does not add up: it says 20 rows and has 19"]


def test_another_row_root_is_found_by_the_deep_check(entries, tmp_path):
    wrong = put_right(entries[:SIZE], 6, rows_root=base64url(bytes(32)))
    directory = publish(tmp_path / "log", wrong)
    assert faults(directory, depth="sums") == []
    (found,) = faults(directory, depth="deep")
    assert found == "entry 6 has rows of another root than it says"


def test_a_gap_in_the_index_is_found_though_it_was_signed(entries, tmp_path):
    wrong = put_right(entries[:SIZE], 300, index=301)
    (found,) = faults(publish(tmp_path / "log", wrong))
    assert found == "entry 300 is not here: entry 301 is in its place"


def test_every_damage_is_named_by_its_entry(directory, entries):
    """Not only the first: who repairs a copy must know them all."""
    data = bytearray((directory / "tile/entries/000").read_bytes())
    data[100] ^= 1
    (directory / "tile/entries/000").write_bytes(data)
    (directory / "rows/026").unlink()
    (directory / "tile/entries/001").unlink()
    tile = bytearray((directory / "tile/0/002.p/88").read_bytes())
    tile[32 * 7] ^= 1
    (directory / "tile/0/002.p/88").write_bytes(tile)
    report = verified(directory)
    assert [fault.entry for fault in report.faults] == [0, 26, 256, 519]
    assert report.intact == 0
    assert report.faults[2] == Fault(
        256, "and those up to 511 are missing: tile/entries/001 is not there",
        Missing.ENTRIES,
    )  # fmt: skip
    assert (
        "is what was signed, but its hash in tile/0/002.p/88" in report.faults[3].what
    )


def test_the_tree_is_followed_though_a_bundle_and_its_hashes_are_gone(
    directory, entries
):
    """The tile above has the hash over them: what is behind is still proven."""
    (directory / "tile/entries/001").unlink()
    (directory / "tile/0/001").unlink()
    report = verified(directory, since=[("hers", head(entries, 550))])
    assert {fault.entry for fault in report.faults} == {256}
    assert report.extends == ["hers"]
    assert report.root == note.unverified((directory / "checkpoint").read_bytes()).root


def test_where_nothing_carries_the_tree_on_only_what_is_known_is_said(
    entries, tmp_path
):
    directory = publish(tmp_path / "log", entries, [300, 700, SIZE + 200])
    for path in ("tile/entries/001", "tile/0/001", "tile/1/000.p/3"):
        (directory / path).unlink()
    report = verified(directory, since=[("hers", head(entries, 750))])
    assert {fault.entry for fault in report.faults} == {300}  # there is 001.p/44
    assert report.extends == []
    assert (
        report.intact == 0
    )  # who took the hashes away may have written the others anew
    report = verified(directory, since=[("hers", head(entries, 200))])
    assert (report.extends, report.intact) == (["hers"], 200)


def test_a_damaged_tile_above_is_no_reason_to_doubt_the_entries(directory):
    tile = bytearray((directory / "tile/1/000.p/2").read_bytes())
    tile[40] ^= 1
    (directory / "tile/1/000.p/2").write_bytes(tile)
    beside = bytearray((directory / "tile/0/001").read_bytes())
    beside[0] ^= 1
    (directory / "tile/0/001").write_bytes(beside)
    assert faults(directory) == [
        "entry 256 is what was signed, but its hash in tile/0/001 was changed",
        "entry 256 and those up to 511: their hash in tile/1/000.p/2 was changed",
    ]


def test_a_narrow_tile_may_be_gone_once_a_wider_one_is_there(entries, tmp_path):
    """As the specification allows; an auditor may have the older checkpoint."""
    directory = publish(tmp_path / "log", entries[:SIZE], [300, SIZE])
    (directory / "checkpoint").write_bytes(head(entries, 300))
    for path in ("tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"):
        (directory / path).unlink()
    report = verified(directory)
    assert report.ok
    assert (report.size, report.unsigned) == (300, 300)


def test_entries_that_are_published_before_they_are_signed_are_told(directory, entries):
    for path, data in files_of(entries, SIZE, SIZE + 10):
        if path.startswith(("rows", "tile/entries")):
            write(directory, path, data)
    report = verified(directory)
    assert report.ok
    assert (report.size, report.intact, report.unsigned) == (SIZE, SIZE, 10)
    assert [one.number for one in Published(directory).tail(SIZE)] == [*range(600, 610)]


def test_unsigned_entries_over_several_bundles_are_told(directory, entries):
    for path, data in files_of(entries, SIZE, SIZE + 200):
        write(directory, path, data)
    report = verified(directory)
    assert report.ok, report.faults
    assert report.unsigned == 200


def test_unsigned_entries_must_go_on_the_chain(directory, entries):
    other = put_right(entries, SIZE - 5, at=0)
    for path, data in files_of(other, SIZE, SIZE + 10):
        if path.startswith("tile/entries"):
            found = tiles.begun(data)
            kept = [one.data for one in entries[512:SIZE]]
            write(directory, path, tiles.bundle([*kept, *found[SIZE - 512 :]]))
    assert faults(directory)[0] == (
        f"entry {SIZE} does not follow from the one before it, which is signed"
    )
    assert verified(directory).intact == SIZE


def test_a_head_that_is_older_than_a_kept_one_is_a_fault(directory, entries):
    write(directory, "checkpoints/2026-11-02", head(entries, SIZE))
    write(directory, "checkpoint", head(entries, SIZE - 100))
    report = verified(directory)
    (fault,) = report.faults
    assert "an older one was put back" in fault.sentence
    assert report.ahead == f"checkpoints/2026-11-02 signs {SIZE} entries"
    assert verified(publish(directory, entries[:SIZE])).ahead is None


def test_a_kept_head_of_entries_that_are_gone_tells_of_a_rollback(directory, entries):
    write(directory, "checkpoints/2026-11-23", head(entries, SIZE + 190))
    (found,) = faults(directory)
    assert "cut or rolled back" in found
    other = put_right(entries, SIZE + 1, at=0)
    for path, data in files_of(other, SIZE, SIZE + 200):
        write(directory, path, data)
    assert "cut or rolled back" in faults(directory)[0]


def test_an_intact_log_is_read_once(directory, monkeypatch):
    """All but the edge, where unsigned entries could follow; `locate` is not asked."""
    read, paths = Published.read, []
    monkeypatch.setattr("retention.tlog.verify.published.Locate", None)
    monkeypatch.setattr(
        Published, "read", lambda log, *of: paths.append(of[0]) or read(log, *of)
    )
    assert verified(directory, depth="sums").ok
    again = {path for path in paths if paths.count(path) > 1}
    assert again == {"tile/entries/002.p/88"}
    assert {"rows/001", "tile/entries/001", "tile/0/000", "tile/1/000.p/2"} < {*paths}


def test_what_fits_only_when_it_is_read_again_is_told(directory, monkeypatch):
    """A disk that errs, or files that are being replaced: no such log passes."""
    read, times = Published.read, []

    def once_wrong(log, path, limit):
        data = read(log, path, limit)
        if path == "tile/0/001" and not times:
            times.append(path)
            return bytes(len(data))
        return data

    monkeypatch.setattr(Published, "read", once_wrong)
    (found,) = faults(directory)
    assert found.startswith("what did not fit when it was read first did when")
    assert verified(directory).ok


def test_what_a_crash_leaves_is_no_fault(directory, entries):
    """Row files come first, and each file under another name until it is whole."""
    write(directory, tiles.row_path(SIZE + 1), b"x")
    write(directory, "tile/entries/.003.new", b"x")
    write(directory, "tile/entries/notes.txt", b"x")
    report = verified(directory)
    assert report.ok
    assert sorted(report.strangers) == [tiles.row_path(601), "tile/entries/notes.txt"]


def test_a_pipe_in_a_file_s_place_stops_nobody(directory):
    (directory / "tile/entries/001").unlink()
    os.mkfifo(directory / "tile/entries/001")
    assert "tile/entries/001 is not there" in faults(directory)[0]


def test_no_directory_is_no_log(tmp_path):
    assert "is missing: this is no published log" in faults(tmp_path / "no")[0]


def test_the_key_is_given_as_a_file_as_text_or_from_paper(directory):
    for given in (
        str(directory / "key"),
        VERIFIER.vkey,
        note.fingerprint(VERIFIER.vkey),
        note.fingerprint(VERIFIER.vkey).replace(" ", "").upper(),
    ):
        assert verifier_of(given, Published(directory)) == VERIFIER
        assert verify_directory(directory, given).ok


def test_without_the_key_file_the_log_s_first_entry_has_the_key(directory):
    (directory / "key").unlink()
    assert verify_directory(directory, note.fingerprint(VERIFIER.vkey)).ok


def test_a_key_that_has_not_the_fingerprint_from_paper_is_refused(directory):
    with pytest.raises(VerificationError, match="no key with the fingerprint"):
        verify_directory(directory, "0000 1111 2222 3333")


def test_a_forged_key_file_does_not_help_the_forger(directory, entries, tmp_path):
    forged = publish(tmp_path / "forged", entries[:SIZE], key=OTHER_KEY)
    found = verify_directory(forged, note.fingerprint(VERIFIER.vkey))
    assert "not signed by" in found.fault.sentence


@pytest.mark.parametrize("given", ["", "nothing", "a+b", "/no/such/file", "12345678"])
def test_what_is_no_key_is_refused(given, directory):
    with pytest.raises(UsageError):
        verifier_of(given, Published(directory))


def test_a_gap_in_bundles_is_told_to_who_reads_entries(directory):
    (directory / "tile/entries/001").unlink()
    with pytest.raises(VerificationError, match="it is missing"):
        list(Published(directory).entries(SIZE))
    (directory / "tile/0/001").unlink()
    with pytest.raises(VerificationError, match="is missing"):
        Published(directory).hashes(0, 1)


def test_entries_are_read_from_anywhere(directory, entries):
    assert list(Published(directory).entries(SIZE, 250)) == entries[250:SIZE]
    assert Published(directory).entry(599) == entries[599]


def test_faults_are_counted_when_they_are_too_many_to_list(directory):
    for path in (directory / "rows").iterdir():
        path.write_bytes(b"x")
    report = verified(directory)
    assert len(report.faults) == 100
    assert report.unlisted == sum(1 for _ in (directory / "rows").iterdir()) - 100


BOMB = zlib.compress(
    f'{{"columns":[],"count":{10**12},"seed":"{"A" * 22}","v":1}}'.encode()
)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_row_file_that_was_changed_is_not_read(directory, jobs):
    """A few bytes could say of themselves to be a million million rows."""
    write(directory, "rows/001", BOMB)
    assert faults(directory, depth="deep", jobs=jobs) == [
        "entry 1 has a row file that was changed"
    ]


def test_rows_without_a_column_are_none():
    with pytest.raises(ValueError, match="without a column"):
        rows.read(BOMB)


def test_changed_row_files_do_not_fill_the_memory(directory):
    """Sparse files of 40 MiB, 60 of them in a log of 600 entries."""
    places = sorted(one for one in (directory / "rows").rglob("*") if one.is_file())
    for place in places[:60]:
        os.truncate(place, 40 << 20)
    code = (
        "import resource, sys; from pathlib import Path;"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30));"
        "from retention.tlog.verify.published import verify_directory;"
        "found = verify_directory(Path(sys.argv[1]), sys.argv[2], depth='sums');"
        "print(found.faults[0].sentence)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(directory), VERIFIER.vkey],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "entry 1 has a row file that was changed\n", done.stderr


def test_a_rewritten_entry_is_told_beside_any_other_fault(entries, tmp_path):
    """In its bundle and in the hash tile beside it; no tile above speaks of either."""
    directory = publish(tmp_path / "log", entries[:200])
    tile = tiles.Tile("entries", 0, 200)
    found = [one.data for one in entries[:200]]
    found[5] = found[5].replace(b"cctv-01", b"cctv-02")
    write(directory, tile.path, tiles.bundle(found))
    write(directory, tile._replace(level=0).path, b"".join(tiles.leaf_hashes(found)))
    assert verified(directory).intact == 0
    late = max(one.number for one in entries[:200] if one.rows)
    (directory / tiles.row_path(late)).unlink()
    report = verified(directory)
    assert report.intact == 0
    assert [one.entry for one in report.faults] == [0, late]


def test_of_very_many_faults_the_first_is_listed(directory, entries):
    """Row files are looked at after all entries."""
    for one in entries[300:SIZE]:
        if one.rows:
            (directory / tiles.row_path(one.number)).unlink()
    write(directory, "rows/003", b"stray")
    report = verified(directory)
    assert report.unlisted
    assert report.intact == 3
    assert report.faults[0] == Fault(3, "has a row file that it does not speak of")


def test_what_lies_behind_a_fault_is_not_called_missing(directory, entries):
    for path, data in files_of(entries, SIZE, SIZE + 8):
        write(directory, path, data)
    late = next(one.number for one in entries[SIZE:] if one.rows)
    (directory / tiles.row_path(late)).write_bytes(b"changed")
    assert faults(directory) == [f"entry {late} has a row file that was changed"]


def test_a_file_of_entries_that_are_not_there_is_told_beside_a_damaged_one(
    directory, entries
):
    path = directory / "tile/entries/002.p/88"
    path.write_bytes(path.read_bytes().replace(b"cctv-01", b"cctv-02", 1))
    few = tiles.bundle(one.data for one in entries[512:550])
    write(directory, "tile/entries/002.p/99", few)
    assert faults(directory) == [
        "entry 512 was changed (in tile/entries/002.p/88)",
        "entry 600 is not there, and tile/entries/002.p/99 speaks of it",
    ]


def test_a_full_bundle_beside_a_signed_partial_one_is_compared_entry_by_entry(
    entries, tmp_path
):
    directory = publish(tmp_path / "log", entries[:200])
    for path, data in files_of(entries, 200, 256):
        write(directory, path, data)
    found = [one.data for one in entries[:256]]
    found[5] = found[5].replace(b"cctv-01", b"cctv-02")
    write(directory, "tile/entries/000", tiles.bundle(found))
    assert "entry 5 was changed in tile/entries/000" in faults(directory)


def test_what_is_not_signed_is_not_called_what_was_written(directory, entries):
    found = [*entries[:SIZE], *put_right(entries, SIZE, at=1)[SIZE:]]
    for path, data in files_of(found, SIZE, SIZE + 8):
        write(directory, path, data)
    (directory / tiles.row_path(SIZE + 1)).write_bytes(b"changed")
    report = verified(directory)
    assert not report.ok
    assert report.intact == SIZE


@pytest.mark.parametrize("at", ["9" * 30, None, [1]])
def test_a_time_that_is_none_is_no_crash(tmp_path, entries, at):
    found = put_right(entries[:20], 19, at=at)
    report = verified(publish(tmp_path / "log", found))
    findings.answer(report, "log")
    assert report.ok


def test_an_open_intent_is_named_and_no_fault(tmp_path):
    catalogue = a_catalogue(tmp_path, public(KEY))
    found = fill(catalogue, 2)
    catalogue.close()
    report = verified(publish(tmp_path / "log", found), depth="sums")
    assert (report.ok, report.open_intents) == (True, [1])


def test_verifying_needs_no_database_and_no_settings():
    """On an auditor's machine are Python, this package and a key."""
    code = (
        "import sys, retention.tlog.verify.published, retention.tlog.proof\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
        "print(*sorted(name for name in sys.modules if name.startswith('retention.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    tops, ours = (set(line.split()) for line in done.stdout.splitlines())
    unwanted = {
        "sqlalchemy",
        "sqlite3",
        "pydantic",
        "click",
        "structlog",
        "apscheduler",
    }
    assert not tops & unwanted
    assert not {
        name
        for name in ours
        if name.startswith(
            ("retention.catalogue", "retention.service", "retention.site.settings")
        )
    }
