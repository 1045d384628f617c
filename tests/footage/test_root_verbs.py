"""Footage roots as people handle them: list, adopt, replace; and opening them all."""

import os
import shutil
from dataclasses import replace

import pytest

from retention.catalogue import log as audit
from retention.catalogue import roots
from retention.catalogue.db import Priority
from retention.catalogue.entries import listing
from retention.control.context import Context
from retention.footage.identity import (
    IDENTITY,
    Identity,
    create_identity,
    read_identity,
)
from retention.footage.roots_of_site import (
    open_roots,
    register_roots,
)
from retention.model.errors import RetentionError, RootUnavailableError, UsageError
from retention.model.values import SECOND, Actor
from retention.site.settings import load
from tests.support.disks import locked_elsewhere
from tests.support.json_schema import verb
from tests.support.logs import a_catalogue

root_adopt = verb("root.adopt")
root_list = verb("root.list")
root_replace = verb("root.replace")

NOON = 1_795_521_600 * SECOND
OTHER = "ffffffff-0000-4000-8000-000000000000"
ACTOR = Actor(uid=0, login=1000, pid=2, role="administrator")
HEAD = 'site = "leicester"\n[retention]\nrelease_requires_two_people = false\n'


def written(tmp_path, *names):
    text = HEAD + "".join(
        f'[[root]]\nname = "{name}"\npath = "{tmp_path / name}"\n'
        'layout = "mediamtx"\ntimezone = "Europe/London"\n'
        for name in names
    )
    (tmp_path / "retention.toml").write_text(text)
    return load(tmp_path / "retention.toml", {})


@pytest.fixture
def context(tmp_path):
    """Two roots in the configuration, none in the catalogue."""
    (tmp_path / "nvr1").mkdir()
    (tmp_path / "nvr2").mkdir()
    log = audit.Log(site="leicester", host="h", program="p")
    catalogue = a_catalogue(
        tmp_path, bytes(32), facts={"uuid": "ours"}, log=log, at=NOON, actor=ACTOR,
        log_id="id", timezone="UTC",
    )  # fmt: skip
    yield Context(written(tmp_path, "nvr1", "nvr2"), catalogue, log, NOON, ACTOR)
    catalogue.close()


@pytest.fixture
def disks(tmp_path):
    """Puts an empty disk in the place of a root; the old one stays beside it."""

    def exchange(name):
        (tmp_path / name).rename(tmp_path / f"old-{name}")
        (tmp_path / name).mkdir()

    return exchange


def entries(context, kind):
    with context.catalogue.read() as tx:
        return [entry["fields"] for entry in listing(tx, kind=kind)]


def row(context, name="nvr1"):
    with context.catalogue.read() as tx:
        return roots.by_name(tx, name)


def identity(context, tmp_path, name="nvr1"):
    found = read_identity(tmp_path / name)
    return found.root if found and found.catalogue == "ours" else None


def states(context):
    return {one["name"]: one["state"] for one in root_list(context)["roots"]}


def opened(context, boot="b1", names=None):
    found, refused = open_roots(context.catalogue, context.settings, boot, names)
    for root in found:
        root.close()
    return [root.name for root in found], refused


def test_adopting_gives_identity_row_and_entry(context, tmp_path):
    answer = root_adopt(context, name="nvr1")
    made = identity(context, tmp_path)
    path = str(tmp_path / "nvr1")
    assert answer == {"name": "nvr1", "path": path, "uuid": made, "entry": 1}
    assert row(context)[1:] == ("nvr1", path, made, *[None] * 6)
    assert entries(context, "root.created") == [
        {"root": "nvr1", "uuid": made, "path": path}
    ]


def test_adopting_twice_is_refused(context):
    root_adopt(context, name="nvr1")
    with pytest.raises(RetentionError, match="taken in already"):
        root_adopt(context, name="nvr1")
    assert len(entries(context, "root.created")) == 1


def test_a_name_that_is_not_configured_is_refused_with_those_that_are(context):
    for act in (
        lambda: root_adopt(context, name="nvr3"),
        lambda: root_replace(context, name="nvr3", reason="new"),
    ):
        with pytest.raises(UsageError, match=r"no footage root nvr3 \(it has nvr1, n"):
            act()


def test_a_crash_between_identity_and_row_is_healed_by_the_same_command(
    context, tmp_path
):
    create_identity(tmp_path / "nvr1", OTHER, "ours")
    assert root_adopt(context, name="nvr1")["uuid"] == OTHER


def test_a_crash_while_the_identity_was_written_is_healed_too(context, tmp_path):
    (tmp_path / "nvr1" / IDENTITY).touch()
    root_adopt(context, name="nvr1")
    assert identity(context, tmp_path) == row(context).uuid


def test_the_root_of_another_catalogue_is_not_taken(context, tmp_path):
    create_identity(tmp_path / "nvr1", OTHER, "theirs")
    with pytest.raises(RootUnavailableError, match="belongs to another catalogue"):
        root_adopt(context, name="nvr1")
    assert read_identity(tmp_path / "nvr1") == Identity(OTHER, "theirs")
    assert row(context) is None


def test_a_disk_that_is_another_root_is_not_taken(context, tmp_path):
    root_adopt(context, name="nvr1")
    (tmp_path / "nvr2").rmdir()
    shutil.copytree(tmp_path / "nvr1", tmp_path / "nvr2")
    with pytest.raises(RootUnavailableError, match="is footage root nvr1: mount the"):
        root_adopt(context, name="nvr2")


def test_an_entry_that_fails_takes_the_row_with_it(context):
    broken = replace(context, actor=None)
    with pytest.raises(AttributeError):
        root_adopt(broken, name="nvr1")
    assert row(context) is None


def test_registering_takes_in_all_and_names_what_is_missing(context, tmp_path):
    (tmp_path / "nvr2").rmdir()
    done, refused = register_roots(context)
    assert [one.name for one in done] == ["nvr1"]
    assert "no such directory" in refused["nvr2"]
    (tmp_path / "nvr2").mkdir()
    done, refused = register_roots(context)
    assert ([one.name for one in done], refused) == (["nvr2"], {})
    assert register_roots(context) == ([], {})


def test_opening_notes_where_each_root_was_found(context, tmp_path):
    register_roots(context)
    assert opened(context) == (["nvr1", "nvr2"], {})
    device = (tmp_path / "nvr1").stat().st_dev
    assert (row(context).device, row(context).boot) == (device, "b1")
    assert opened(context, "b2") == (["nvr1", "nvr2"], {})
    assert row(context).boot == "b2"


def test_opening_says_why_a_root_can_not_be(context, tmp_path):
    root_adopt(context, name="nvr1")
    os.unlink(tmp_path / "nvr1" / IDENTITY)
    found, refused = opened(context)
    assert found == []
    assert "is missing" in refused["nvr1"]
    assert "retention root adopt nvr2" in refused["nvr2"]


def test_a_root_that_left_the_configuration_is_not_opened(context, tmp_path):
    register_roots(context)
    fewer = replace(context, settings=written(tmp_path, "nvr1"))
    found, refused = opened(fewer)
    assert found == ["nvr1"]
    assert "not in the configuration" in refused["nvr2"]


def test_missing_roots_are_tried_again_by_name(context):
    register_roots(context)
    found, _ = open_roots(context.catalogue, context.settings, "b1", ["nvr1"])
    assert opened(context, names=["nvr2"]) == (["nvr2"], {})
    found[0].close()


def test_a_root_moved_to_another_path_is_known_by_its_identity(context, tmp_path):
    root_adopt(context, name="nvr1")
    (tmp_path / "nvr1").rename(tmp_path / "moved")
    text = (tmp_path / "retention.toml").read_text()
    (tmp_path / "retention.toml").write_text(text.replace("/nvr1", "/moved"))
    settings = load(tmp_path / "retention.toml", {})
    assert opened(replace(context, settings=settings))[0] == ["nvr1"]
    assert row(context).path == str(tmp_path / "moved")


def test_the_list_says_how_each_root_is(context, tmp_path):
    root_adopt(context, name="nvr1")
    one, two = root_list(context)["roots"]
    assert one == {
        "name": "nvr1",
        "path": str(tmp_path / "nvr1"),
        "configured": True,
        "available": True,
        "state": "not scanned yet",
        "uuid": row(context).uuid,
        "adopted": None,
        "scanned": None,
        "reconciled": None,
    }
    assert (two["available"], two["uuid"]) == (False, None)
    assert two["state"] == "not taken in yet: run `retention root adopt nvr2`"


def test_the_list_gives_instants_in_utc(context):
    root_adopt(context, name="nvr1")
    with context.catalogue.write(Priority.SCAN) as tx:
        roots.set_adopted(tx, 1, NOON)
        roots.set_scanned(tx, 1, NOON + SECOND)
        roots.set_reconciled(tx, 1, NOON + 2 * SECOND)
    one = root_list(context)["roots"][0]
    assert one["state"] == "available"
    assert one["adopted"] == "2026-11-24T12:00:00Z"
    assert one["scanned"] == "2026-11-24T12:00:01Z"
    assert one["reconciled"] == "2026-11-24T12:00:02Z"


def test_the_list_does_not_need_the_lock(context, tmp_path):
    root_adopt(context, name="nvr1")
    with locked_elsewhere(tmp_path / "nvr1"):
        assert states(context)["nvr1"] == "not scanned yet"


def test_the_list_says_why_a_root_is_not_there(context, tmp_path, disks):
    root_adopt(context, name="nvr1")
    disks("nvr1")
    assert states(context)["nvr1"].startswith(f"its identity file {IDENTITY} is miss")


def test_replacing_is_on_record_and_starts_anew(context, tmp_path, disks):
    old = root_adopt(context, name="nvr1")["uuid"]
    opened(context)
    with context.catalogue.write(Priority.SCAN) as tx:
        roots.set_adopted(tx, 1, NOON)
        roots.set_reconciled(tx, 1, NOON)
    disks("nvr1")
    answer = root_replace(context, name="nvr1", reason=" disk failed ")
    new = identity(context, tmp_path)
    assert (answer["uuid"], answer["same_disk"]) == (new, False)
    assert new != old
    assert row(context) == (1, "nvr1", str(tmp_path / "nvr1"), new, *[None] * 6)
    assert opened(context)[0] == ["nvr1"]
    (entry,) = entries(context, "root.replaced")
    assert (entry["root"], entry["old"], entry["new"]) == ("nvr1", old, new)
    with context.catalogue.read() as tx:
        assert audit.opened(tx, answer["entry"])["fields"]["reason"] == "disk failed"


def test_the_old_disk_is_refused_after_it_was_replaced(context, tmp_path, disks):
    root_adopt(context, name="nvr1")
    disks("nvr1")
    root_replace(context, name="nvr1", reason="disk failed")
    (tmp_path / "nvr1").rename(tmp_path / "new-nvr1")
    (tmp_path / "old-nvr1").rename(tmp_path / "nvr1")
    assert "another root of this catalogue" in opened(context, "b2")[1]["nvr1"]


def test_a_crash_in_replacing_is_healed_by_the_same_command(context, tmp_path, disks):
    root_adopt(context, name="nvr1")
    disks("nvr1")
    create_identity(tmp_path / "nvr1", OTHER, "ours")
    assert opened(context)[0] == []
    root_replace(context, name="nvr1", reason="disk failed")
    assert row(context).uuid == OTHER


def test_a_disk_that_is_still_the_one_is_not_replaced(context):
    root_adopt(context, name="nvr1")
    for _ in range(2):
        with pytest.raises(RetentionError, match="there is nothing to replace"):
            root_replace(context, name="nvr1", reason="new")
        opened(context)
    assert entries(context, "root.replaced") == []


def test_exchanged_disks_are_not_replaced(context, tmp_path):
    register_roots(context)
    (tmp_path / "nvr1").rename(tmp_path / "nvr3")
    (tmp_path / "nvr2").rename(tmp_path / "nvr1")
    with pytest.raises(RootUnavailableError, match="is footage root nvr2"):
        root_replace(context, name="nvr1", reason="new")


def test_the_same_disk_under_another_number_is_put_on_record(context):
    made = root_adopt(context, name="nvr1")["uuid"]
    opened(context)
    with context.catalogue.write(Priority.SCAN) as tx:
        roots.set_adopted(tx, 1, NOON)
        one = row(context)
        roots.note(tx, 1, path=one.path, device=one.device + 1, boot="b1")
    assert "on another device" in opened(context)[1]["nvr1"]
    answer = root_replace(context, name="nvr1", reason="plugged in again")
    assert (answer["same_disk"], answer["uuid"]) == (True, made)
    assert row(context).adopted == NOON
    assert opened(context)[0] == ["nvr1"]
    (entry,) = entries(context, "root.replaced")
    assert (entry["old"], entry["new"]) == (made, made)


@pytest.mark.parametrize("reason", ["", "  "])
def test_replacing_wants_a_reason(context, reason):
    root_adopt(context, name="nvr1")
    with pytest.raises(UsageError, match="reason"):
        root_replace(context, name="nvr1", reason=reason)


def test_what_was_never_taken_in_is_not_replaced(context):
    with pytest.raises(RetentionError, match="retention root adopt nvr1"):
        root_replace(context, name="nvr1", reason="new")
