"""Signing and publishing: what is written, in which order, and what is refused."""

import os
import sqlite3
import stat

import pytest

from retention.catalogue import db
from retention.model.errors import PublicationError
from retention.model.values import DAY, HOUR
from retention.publication import files, publisher
from retention.publication.compare import Case
from retention.publication.copy import Copy
from retention.publication.publisher import BESIDE_KEY
from retention.tlog import format, note, tiles
from retention.tlog.directory import Published
from retention.tlog.verify.findings import Depth
from retention.tlog.verify.published import verify_directory
from tests.support.press import NOW, Press, heartbeat, intent, rows


def altered(press: Press, *statements: str) -> None:
    """Somebody who may write the database does so, past the triggers."""
    raw = sqlite3.connect(press.directory / db.NAME)
    for table in ("entry_update", "log_head_update"):
        raw.execute(f"DROP TRIGGER {table}")
    for statement in statements:
        raw.execute(statement)
    raw.commit()
    raw.close()


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 600])
def test_a_log_of_any_size_is_published_whole(press, size):
    press.append_at_once(size - 1) if size > 1 else None
    assert press.publish() == size
    press.check()
    assert {name for name in press.files() if name.startswith("tile/")} == {
        tile.path for tile in tiles.new_files(0, size)
    }


def test_a_head_after_each_entry_is_published_and_leads_to_the_one_before(press):
    for size in range(250, 263):
        press.append_at_once(size - press.size)
        press.publish()
        press.check()
    assert list(press.heads()) == list(range(262, 249, -1))


def test_everything_is_readable_by_everybody_and_whole_under_its_name(press):
    press.append(intent(rows(3)))
    before = os.umask(0o077)
    try:
        press.publish()
    finally:
        os.umask(before)
    for path in [press.published, *press.published.rglob("*")]:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        assert mode == (0o755 if path.is_dir() else 0o644), path
        assert not path.name.startswith(".")


def test_publishing_again_writes_nothing(press):
    press.append(intent(rows(3)))
    press.publish()
    before = {p: os.stat(p).st_mtime_ns for p in press.published.rglob("*")}
    press.publish()
    press.again().publish()
    assert {p: os.stat(p).st_mtime_ns for p in press.published.rglob("*")} == before


def test_the_cost_follows_what_is_new_and_not_the_size_of_the_log(press, monkeypatch):
    def cost() -> tuple[int, int]:
        wrote, read = [], []
        real_write, real_read = files.PublishedFiles._write, files.PublishedFiles.read

        def write(self, path, data):
            wrote.append(len(data))
            real_write(self, path, data)

        def reading(self, name):
            data = real_read(self, name)
            read.append(len(data or b""))
            return data

        with monkeypatch.context() as patch:
            patch.setattr(files.PublishedFiles, "_write", write)
            patch.setattr(files.PublishedFiles, "read", reading)
            press.append(count=1)
            press.publish()
        return len(wrote), sum(wrote) + sum(read)

    press.publish()
    small = cost()
    press.append_at_once(20_000 // 256 * 256 - press.size + 1)
    press.publish()
    large = cost()
    assert large[0] <= small[0] + 2
    assert large[1] <= small[1] + 2 * 8192  # two more levels of tiles


def test_what_is_published_is_under_a_head(press):
    press.publish()
    size = press.append(intent(rows(5)))
    assert not press.publisher.covers(size)
    assert press.publish() == press.head().size == size
    assert press.publisher.covers(size)
    press.check()


def test_partial_files_leave_once_the_full_one_is_published(press):
    for _ in range(5):
        press.append_at_once(60)
        press.publish()
    names = [name for name in press.files() if ".p/" in name]
    assert names == [
        "tile/0/001.p/45", "tile/1/000.p/1", "tile/entries/001.p/45",
    ]  # fmt: skip
    press.check()


def test_partial_files_that_a_kill_left_leave_at_the_next_start(press):
    press.append_at_once(300)
    press.publish()
    for place in ("tile/0/000.p", "tile/entries/000.p"):
        (press.published / place).mkdir()
        (press.published / place / "7").write_bytes(b"x")
        (press.published / place / ".8.new").write_bytes(b"x")
    press.again().publish()
    assert not (press.published / "tile/0/000.p").exists()
    assert not (press.published / "tile/entries/000.p").exists()
    press.check()


def test_a_file_with_other_content_is_never_overwritten(press):
    press.append_at_once(10)
    press.publish()
    press.append_at_once(1)
    place = press.published / "tile/entries/000.p/12"
    place.write_bytes(b"theirs")
    with pytest.raises(PublicationError, match="published copy was altered"):
        press.publish()
    assert place.read_bytes() == b"theirs"
    assert press.head().size == 11


def test_tiles_that_were_altered_get_no_new_head(press):
    press.append_at_once(600)
    press.publish()
    place = press.published / "tile/1/000.p/2"
    data = place.read_bytes()
    place.write_bytes(bytes(32) + data[32:])
    press.append_at_once(1)
    with pytest.raises(PublicationError, match="do not lead to the root"):
        press.publish()
    assert press.head().size == 601


def test_entries_that_were_altered_since_the_last_head_are_not_signed(press):
    press.publish()
    press.append(count=3)
    altered(
        press, "UPDATE entry SET bytes = CAST(bytes || ' ' AS BLOB) WHERE number = 2"
    )
    with pytest.raises(PublicationError, match="it was altered"):
        press.publish()
    assert list(press.heads()) == [1]


def test_a_head_that_was_altered_is_not_signed(press):
    press.append(count=3)
    press.publish()
    press.append(count=1)
    altered(press, "UPDATE log_head SET frontier = zeroblob(length(frontier))")
    with pytest.raises(PublicationError, match="it was altered"):
        press.publish()
    assert list(press.heads()) == [4]


def test_the_head_is_kept_in_the_catalogue_and_beside_the_key_and_told(press):
    press.append(count=3)
    press.publish()
    published = (press.published / "checkpoint").read_text()
    assert press.heads() == {4: published}
    assert (press.directory / BESIDE_KEY).read_text() == published
    assert [one.note for one in press.told] == [published]
    assert note.parse_vkey((press.published / "key").read_text()).vkey == press.vkey


def test_the_last_head_of_each_day_is_kept(press):
    for hours in (0, 1, 24, 25, 72):
        press.append(count=1)
        press.publish(now=NOW // DAY * DAY + hours * HOUR)
    kept = Published(press.published).kept()
    sizes = [note.unverified(data).size for _, data in kept]
    assert sizes == [3, 5]
    assert len({name for name, _ in kept}) == 2


def test_days_are_kept_again_in_a_directory_that_was_lost(press):
    for day in range(4):
        press.append(count=1)
        press.publish(now=NOW + day * DAY)
    before = press.files()
    press.published.rename(press.directory / "lost")
    press.append(count=1)
    press.again().publish(now=NOW + 4 * DAY)
    after = press.files()
    assert {n for n in before if n.startswith("checkpoints/")} <= after.keys()
    press.check()


def test_days_that_a_kill_left_out_are_kept_with_the_next_head(press, monkeypatch):
    for day in range(6):
        press.append(count=1)
        press.publish(now=NOW + day * DAY)
    before = press.files()
    press.published.rename(press.directory / "lost")
    put = files.PublishedFiles.put

    def killed(self, path, data):
        if path.startswith("checkpoints/") and list(self.path.glob("checkpoints/*")):
            raise KeyboardInterrupt
        put(self, path, data)

    monkeypatch.setattr(files.PublishedFiles, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        press.again().publish(now=NOW + 5 * DAY)
    monkeypatch.undo()
    press.append(count=1)
    press.again().publish(now=NOW + 5 * DAY)
    assert {n for n in before if n.startswith("checkpoints/")} <= press.files().keys()


def test_a_day_that_is_missing_is_written_again_when_asked(press):
    for day in range(4):
        press.append(count=1)
        press.publish(now=NOW + day * DAY)
    whole = press.files()
    oldest = sorted((press.published / "checkpoints").iterdir())[0]
    oldest.unlink()
    press.publisher.mend(NOW + 3 * DAY)
    assert press.files() == whole


def test_what_is_missing_is_written_again_when_asked(press):
    press.append(intent(rows(3)))
    press.append_at_once(600)
    press.publish()
    whole = press.files()
    for name in ("rows/001", "tile/entries/000", "tile/0/001", "tile/1/000.p/2"):
        (press.published / name).unlink()
    press.publisher.mend(NOW)
    assert press.files() == whole
    press.check()


def test_a_directory_that_can_not_be_written_is_said_and_heals(press):
    press.published.write_text("a file in the way")
    with pytest.raises(PublicationError, match="can't be"):
        press.publish()
    assert press.heads() == {}
    press.published.unlink()
    assert press.publish() == 1
    press.check()


def test_what_is_refused_is_neither_signed_nor_published(press):
    press.publish()
    before = press.files()
    press.append(count=2)
    press.publisher.refused = "two logs"
    with pytest.raises(PublicationError, match="two logs"):
        press.publish()
    assert press.files() == before
    assert list(press.heads()) == [1]


def test_the_directory_describes_itself_anew_where_a_newer_program_starts(press):
    press.append(heartbeat())
    press.publish()
    there = press.published / format.NAME
    assert there.read_text() == format.text()
    there.write_text("of an older program")
    press.publish()
    assert there.read_text() == "of an older program"
    press.again().append(heartbeat())
    press.publish()
    assert there.read_text() == format.text()
    press.check()


class TestCopy:
    """The second directory."""

    @pytest.fixture
    def copy(self, press):
        target = press.directory / "worm"
        target.mkdir()
        return Copy(press.published, target)

    def names(self, press):
        target = press.directory / "worm"
        return sorted(
            str(path.relative_to(target))
            for path in target.rglob("*")
            if path.is_file()
        )

    def test_gets_full_files_only_within_a_day(self, press, copy):
        press.append(intent(rows(3)))
        for _ in range(3):
            press.append_at_once(100)
            press.publish()
            copy.follow()
        assert self.names(press) == [
            "FORMAT.md", "key", "rows/001", "tile/0/000", "tile/entries/000",
        ]  # fmt: skip

    def test_gets_one_head_a_day_with_what_it_needs(self, press, copy):
        for day in range(3):
            for _ in range(4):
                press.append_at_once(30)
                press.publish(now=NOW + day * DAY)
                copy.follow()
        names = self.names(press)
        assert len([name for name in names if name.startswith("checkpoints/")]) == 2
        assert [name for name in names if ".p/" in name] == [
            "tile/0/000.p/121", "tile/0/000.p/241",
            "tile/entries/000.p/121", "tile/entries/000.p/241",
        ]  # fmt: skip
        assert "checkpoint" not in names

    def test_signs_nothing_whose_bundles_are_not_there(self, press, copy, monkeypatch):
        """A day and a bundle ended while what came before was being copied."""
        press.append_at_once(100)
        press.publish()

        def meanwhile(self):
            monkeypatch.undo()
            press.append_at_once(300)
            press.publish()
            press.append(count=1)
            press.publish(now=NOW + DAY)

        monkeypatch.setattr(files.PublishedFiles, "settle", meanwhile)
        copy.follow()
        assert not list(copy._target.path.glob("checkpoints/*"))
        again = Copy(press.published, copy._target.path)
        again.follow()
        assert (copy._target.path / "tile/entries/000").exists()
        assert len(list(copy._target.path.glob("checkpoints/*"))) == 1

    def test_goes_on_after_a_start_and_rewrites_nothing(self, press, copy):
        press.append_at_once(300)
        press.publish()
        copy.follow()
        target = press.directory / "worm"
        before = {p: os.stat(p).st_mtime_ns for p in target.rglob("*") if p.is_file()}
        press.append_at_once(300)
        press.publish(now=NOW + DAY)
        Copy(press.published, target).follow()
        after = {p: os.stat(p).st_mtime_ns for p in target.rglob("*") if p.is_file()}
        assert before.items() <= after.items()
        assert "tile/entries/001" in self.names(press)

    def test_what_described_an_older_log_there_stays_beside_the_new_one(self, press):
        press.append_at_once(300)
        press.publish()
        second = press.directory.parent / "second"
        second.mkdir()
        (second / format.NAME).write_text("of an older program")
        Copy(press.published, second).follow()
        found = {path.name: path.read_text() for path in second.glob("FORMAT*")}
        assert found.pop(format.NAME) == "of an older program"
        assert list(found.values()) == [format.text()]

    def test_that_is_not_mounted_is_said(self, press):
        copy = Copy(press.published, press.directory / "away")
        with pytest.raises(PublicationError, match="mount it"):
            copy.follow()


def test_who_waits_for_another_too_long_is_told(press, monkeypatch):
    monkeypatch.setattr(publisher, "PATIENCE_SECONDS", 0.01)
    with press.publisher._mutex, pytest.raises(PublicationError, match="takes long"):
        press.publish()
    assert press.publish() == 1


def test_the_key_is_written_again_when_asked(press):
    press.publish()
    (press.published / "key").unlink()
    press.publisher.mend(NOW)
    assert (press.published / "key").read_text() == f"{press.vkey}\n"


ALTER = """UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), '"holds":0',
    '"holds":1') AS BLOB) WHERE number = 2"""


def alter(press, statement, *values):
    """As somebody does who can write into the catalogue's file."""
    with sqlite3.connect(press.catalogue.path) as other:
        for table in ("entry", "entry_rows"):
            other.execute(f"DROP TRIGGER IF EXISTS {table}_update")
        assert other.execute(statement, values).rowcount == 1
    other.close()


def test_an_altered_entry_of_the_catalogue_is_not_published_nor_blamed_on_the_copy(
    press,
):
    press.append(count=3)
    press.publish()
    alter(press, ALTER)
    press.append(count=1)
    press.publish()
    assert "the catalogue was altered" in press.publisher.altered
    assert "move it away" not in press.publisher.altered
    verifier = note.parse_vkey(press.vkey)
    report = verify_directory(press.published, verifier, depth=Depth.DEEP)
    assert (report.faults, report.size) == ([], 5)  # what is new is published
    with pytest.raises(PublicationError, match="the catalogue was altered"):
        press.publisher.mend(NOW)


def test_where_nothing_has_the_entry_any_more_no_bundle_has_the_altered_one(press):
    press.append(count=3)
    press.publish()
    before = press.files()
    alter(press, ALTER)
    (press.published / "tile/entries/000.p/4").write_bytes(b"noise")
    press.append(count=1)
    with pytest.raises(PublicationError, match="the catalogue was altered"):
        press.publish()
    kept = {path: data for path, data in press.files().items() if path in before}
    assert kept == before | {"tile/entries/000.p/4": b"noise"}
    assert not [
        path for path in press.files() if path.startswith("tile/entries/000.p/5")
    ]


def test_altered_rows_of_the_catalogue_are_not_blamed_on_the_copy(press):
    press.append(intent(rows(3)))
    press.publish()
    alter(press, "UPDATE entry_rows SET bytes = x'00'")
    with pytest.raises(PublicationError, match=r"the rows of entry 1 .*was altered"):
        press.publisher.mend(NOW)


def test_an_altered_file_of_the_copy_is_the_copy_s(press):
    press.append(count=300)
    press.publish()
    place = press.published / "tile/entries/000"
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    with pytest.raises(PublicationError, match="the published copy was altered"):
        press.publisher.mend(NOW)


def test_an_altered_entry_is_found_at_start_however_old_its_head(press):
    press.append(count=3)
    press.publish()
    press.append(count=3)
    press.publish()
    alter(
        press,
        ALTER,
    )
    found = press.again().compared()
    assert found.case == Case.DAMAGED
    assert "the catalogue was altered" in found.detail
