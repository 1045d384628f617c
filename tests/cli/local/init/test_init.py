"""`retention init`: made once, healed when half made, never overwritten."""

import os
import shutil
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from retention.catalogue import db
from retention.catalogue import log as audit
from retention.catalogue.db import get_fact
from retention.cli.local import init
from retention.cli.local.init import describe, initialise, rights
from retention.control import clock_guard
from retention.model.errors import CatalogueError, RetentionError, SettingsError
from retention.publication import log_key
from retention.service.housekeeping import check_head
from retention.site import reserve, unit
from retention.tlog import note
from retention.tlog.canonical import base64url
from retention.tlog.verify.published import verify_directory
from tests.support import needs
from tests.support.installation import Installation


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def kinds(site):
    return [entry["kind"] for entry in site.entries()]


def test_it_makes_all_that_the_first_start_needs(site):
    answer = site.init()
    assert answer["unfinished"] == []
    assert answer["roots_made"] == ["nvr1"]
    assert answer["cameras"] == 2
    made = kinds(site)
    assert made[0] == "log.opened"
    assert set(made) == {
        "log.opened", "root.created", "camera.added", "cameras.imported",
        "policy.changed", "rules.changed", "site.described",
    }  # fmt: skip
    assert site.verify().ok


def test_the_state_directory_and_the_key_are_closed_to_others(site):
    site.init()
    assert mode(site.state) == 0o700
    assert mode(site.state / log_key.NAME) == 0o600
    assert mode(site.state / db.NAME) == 0o600


def test_requests_can_be_left_for_the_service_by_those_who_may_place_holds(site):
    assert site.init()["spool"] == str(site.settings.spool)
    assert mode(site.settings.spool) == 0o1770
    assert site.settings.spool.stat().st_gid == os.getgid()


def test_a_spool_that_is_there_is_not_changed(site):
    site.settings.spool.mkdir(mode=0o755)
    assert site.init()["unfinished"] == []
    assert mode(site.settings.spool) == 0o755


def test_a_spool_that_can_t_be_made_is_said_and_made_later(site, tmp_path):
    site.settings = site.settings.model_copy(
        update={"spool": tmp_path / "later" / "spool"}
    )
    assert "as root, `install -d -m 1770" in site.init()["unfinished"][0]
    (tmp_path / "later").mkdir()
    assert site.init()["unfinished"] == []
    assert mode(tmp_path / "later" / "spool") == 0o1770


def test_an_open_state_directory_is_closed(site):
    site.state.mkdir(mode=0o755)
    site.init()
    assert mode(site.state) == 0o700


def test_the_log_names_the_public_half_of_the_key(site):
    answer = site.init()
    key = log_key.load(site.state)
    assert base64url(log_key.public(key)) == answer["public_key"]
    catalogue = db.open_(site.state / db.NAME)
    log_key.check(key, catalogue)
    catalogue.close()


def test_the_clock_is_known_from_the_first_entry_on(site):
    site.init()
    catalogue = db.open_(site.state / db.NAME)
    with catalogue.read() as tx:
        fact = get_fact(tx, clock_guard.CLOCK_FACT)
        at = audit.read(tx, 0)["at"]
    catalogue.close()
    assert fact["anchor"][0] == at


def test_again_it_changes_nothing(site):
    first = site.init()
    before = {
        path.name: path.read_bytes()
        for path in site.state.iterdir()
        if path.name in (log_key.NAME, db.NAME)
    }
    second = site.init()
    after = {name: (site.state / name).read_bytes() for name in before}
    assert before == after
    assert [first[k] for k in ("catalogue", "log_id", "public_key")] == [
        second[k] for k in ("catalogue", "log_id", "public_key")
    ]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (db, "create"),
        (log_key, "make"),
        (init, "_open_log"),
        (init, "register_roots"),
        (init, "camera_import"),
        (init.periods, "apply"),
    ],
)
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_interrupted_at_any_step_it_goes_on_there(
    site, monkeypatch, module, name, done
):
    real = getattr(module, name)

    def interrupted(*arguments, **named):
        if done:
            real(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            site.init()
    assert site.init()["unfinished"] == []
    assert kinds(site).count("log.opened") == 1
    assert kinds(site).count("root.created") == 1
    assert kinds(site).count("cameras.imported") == 1
    assert site.verify().ok


def test_a_catalogue_cut_short_by_a_crash_is_made_anew(site):
    site.state.mkdir(mode=0o700)
    (site.state / db.NAME).touch()
    assert site.init()["unfinished"] == []


def test_a_lost_catalogue_is_not_replaced_by_a_new_one(site):
    site.init()
    (site.state / db.NAME).unlink()
    with pytest.raises(CatalogueError, match="put back its newest copy"):
        site.init()
    assert not (site.state / db.NAME).exists()


def test_an_emptied_catalogue_is_not_replaced_either(site):
    site.init()
    for path in site.state.glob(f"{db.NAME}*"):
        path.write_bytes(b"")
    with pytest.raises(CatalogueError, match="put back its newest copy"):
        site.init()


def test_a_lost_key_is_not_replaced_by_a_new_one(site):
    site.init()
    (site.state / log_key.NAME).unlink()
    with pytest.raises(CatalogueError, match=r"put it back"):
        site.init()
    assert not (site.state / log_key.NAME).exists()


@pytest.fixture
def unit_with_credential(tmp_path, monkeypatch):
    monkeypatch.setattr(unit, "DIRECTORIES", (tmp_path,))
    setting = f"LoadCredentialEncrypted={log_key.NAME}:/etc/cctv-retention/key.cred"
    (tmp_path / unit.NAME).write_text(f"[Service]\n{setting}\n")


@pytest.mark.usefixtures("unit_with_credential")
def test_a_key_that_only_the_service_sees_is_enough(site):
    """It is needed again for each further footage root."""
    first = site.init()
    (site.state / log_key.NAME).unlink()
    assert site.init()["public_key"] == first["public_key"]
    assert not (site.state / log_key.NAME).exists()


@pytest.mark.usefixtures("unit_with_credential")
def test_a_lost_catalogue_of_a_key_that_only_the_service_sees_is_not_replaced(site):
    site.init()
    (site.state / log_key.NAME).rename(site.state / "last-checkpoint")
    for path in site.state.glob(f"{db.NAME}*"):
        path.unlink()
    with pytest.raises(CatalogueError, match="put back its newest copy"):
        site.init()


def test_another_logs_key_is_refused(site):
    site.init()
    log_key.make(site.state)
    with pytest.raises(CatalogueError, match="not the one"):
        site.init()


@pytest.mark.parametrize("text", [b"", b"-----BEGIN PRIVATE KEY-----\n", b"\0" * 32])
def test_a_damaged_key_is_refused(site, text):
    site.init()
    (site.state / log_key.NAME).write_bytes(text)
    with pytest.raises(CatalogueError, match="no signing key"):
        site.init()


def test_another_sites_state_directory_is_refused(site):
    site.init()
    other = site.settings.model_copy(update={"site": "derby"})
    with pytest.raises(SettingsError, match="site test, not derby"):
        initialise(other)


def test_a_file_in_the_place_of_the_state_directory_is_refused(site):
    site.state.write_text("")
    with pytest.raises(SettingsError, match="not a directory"):
        site.init()


def test_a_running_daemon_is_not_disturbed(site):
    from retention.site.instance import exclusive

    site.init()
    with (
        exclusive(site.state),
        pytest.raises(RetentionError, match="daemon is running"),
    ):
        site.init()


def test_a_root_that_is_not_there_is_said_and_taken_in_later(site, tmp_path):
    shutil.move(tmp_path / "nvr1", tmp_path / "away")
    answer = site.init()
    assert "nvr1" in answer["unfinished"][0]
    shutil.move(tmp_path / "away", tmp_path / "nvr1")
    assert site.init()["roots_made"] == ["nvr1"]


def test_a_camera_list_that_is_not_there_is_said_and_imported_later(site, tmp_path):
    shutil.move(tmp_path / "cameras.csv", tmp_path / "away")
    assert "cameras.csv" in site.init()["unfinished"][0]
    shutil.move(tmp_path / "away", tmp_path / "cameras.csv")
    assert site.init()["cameras_imported"] == 2


def test_a_newer_list_is_not_imported_behind_peoples_backs(site, tmp_path):
    site.init()
    (tmp_path / "cameras.csv").write_text("id,location\n1003,Elsewhere\n")
    assert site.init()["cameras_imported"] is None


def test_an_override_of_no_camera_is_said(tmp_path):
    from tests.support.installation import Installation

    site = Installation(tmp_path, extra='[camera."9"]\ndays = 31\n')
    (text,) = site.init()["unfinished"]
    assert '[camera."9"]' in text


def test_it_says_what_comes_next_and_that_nothing_is_deleted_yet(site):
    text = describe(site.init())
    for part in (
        *init._next_lines(),
        f"ReadWritePaths=-{site.directory}/nvr1",
        f"After={unit.mount_unit(unit.mount_point(site.directory / 'nvr1'))}",
        "setfacl",
        "Nothing is deleted yet",
        "supervisor approves",
        "evidence holds that you already have",
    ):
        assert part in text


def test_where_one_person_can_release_it_says_so(site):
    alone = "One person alone can release evidence here"
    assert alone in describe(site.init())
    own = site.settings.retention.model_copy(
        update={"release_requires_two_people": True}
    )
    two = site.settings.model_copy(update={"retention": own})
    assert alone not in describe(initialise(two))


def test_a_path_with_spaces_is_quoted_for_the_unit_and_the_shell():
    assert init._unit_path("/srv/a b%c") == '"/srv/a b%%c"'
    assert rights("/srv/a b").startswith("find '/srv/a b' -xdev")


@needs.root
def test_made_by_root_in_the_services_directory_all_is_the_services(site):
    site.state.mkdir(mode=0o700)
    os.chown(site.state, 65534, 65534)
    site.init()
    owners = {path.name: path.stat().st_uid for path in site.state.iterdir()}
    assert set(owners.values()) == {65534}
    assert {db.NAME, log_key.NAME, reserve.NAME} <= set(owners)


@needs.root
def test_the_rights_it_prints_are_for_whoever_runs_it():
    """On a laptop there is no service's user."""
    for user, name in ((0, "cctv-retention"), (65534, "nobody")):
        code = (
            "import os; from retention.cli.local.init import rights; "
            f"os.setuid({user}); print(rights('/srv/nvr1'))"
        )
        said = subprocess.check_output([sys.executable, "-c", code], text=True)
        assert f"-m u:{name}:rwx,d:u:{name}:rwx" in said


@needs.root
@needs.setfacl
def test_the_rights_it_prints_are_enough_to_delete(tmp_path):
    """As another user, in a directory of the recorder's and in one made later."""
    top = Path(
        subprocess.check_output(["mktemp", "-d", "-p", "/var/tmp"], text=True).strip()
    )
    top.chmod(0o755)
    (top / "1001").mkdir()
    command = rights(str(top)).replace("u:cctv-retention", "u:nobody")
    subprocess.run(command, shell=True, check=True)  # noqa: S602 - as it is printed
    (top / "1001" / "later").mkdir(mode=0o777)
    for directory in (top / "1001", top / "1001" / "later"):
        file = directory / "a.mp4"
        file.touch()
        subprocess.run(
            ["setpriv", "--reuid=65534", "--clear-groups", "rm", "-f", file], check=True
        )
        assert not file.exists()
    shutil.rmtree(top)


ORIGIN = "cctv.example.gov.uk/log"


def with_origin(site, name):
    site.settings = site.settings.model_copy(update={"log_origin": name})
    return site


def test_the_log_has_the_name_that_the_site_gave_it(tmp_path):
    site = Installation(tmp_path, log_origin=ORIGIN)
    answer = site.init()
    assert answer["log_origin"] == ORIGIN
    assert f"{ORIGIN}, its name for good" in describe(answer)
    assert not any("log_origin" in text for text in answer["notes"])
    with site.running() as daemon:
        daemon.until(lambda: (site.state / "log" / "checkpoint").exists())
    log = site.state / "log"
    assert (log / "checkpoint").read_text().startswith(f"{ORIGIN}\n")
    key = (log / "key").read_text().strip()
    report = verify_directory(log, note.fingerprint(key))
    assert (report.ok, report.origin) == (True, ORIGIN)


def test_without_one_it_is_told_what_witnesses_expect(site):
    answer = site.init()
    assert answer["log_origin"] == f"test/{answer['log_id']}"
    assert any("without https://" in text for text in answer["notes"])


@pytest.mark.parametrize("first", [None, ORIGIN])
def test_the_name_can_never_be_changed(site, first):
    with_origin(site, first).init()
    with_origin(site, "other.example/log")
    with pytest.raises(SettingsError, match=r"for good.*remove `log_origin`"):
        site.init()
    with (
        closing(db.open_(site.state / db.NAME)) as catalogue,
        pytest.raises(SettingsError, match="for good"),
    ):
        check_head(catalogue, site.settings)
    with_origin(site, None).init()
