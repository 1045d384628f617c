"""`retention init | run | check | schema`: what the service's keepers type."""

import pytest

from retention.catalogue import db


def test_init_says_what_it_made_and_what_comes_next(site):
    text = site.ok("init")
    assert str(site.state) in text
    assert "none taken in now" in text
    assert "retention check" in text


def test_init_twice_changes_nothing(site):
    before = site.json("audit", "verify")["entries"]
    first, second = site.json("init"), site.json("init")
    assert (first["log_id"], first["public_key"]) == (
        second["log_id"],
        second["public_key"],
    )
    assert site.json("audit", "verify")["entries"] == before


def test_init_that_is_not_finished_says_so_with_status_1(site):
    config = site.config.read_text()
    site.config.write_text(
        config + f'\n[[root]]\nname = "nvr2"\npath = "{site.directory}/gone"\n'
        'layout = "mediamtx"\ntimezone = "UTC"\n'
    )
    done = site.run("init")
    assert done.status == 1
    assert "Not done yet" in done.out
    assert "gone" in done.out


def test_json_of_init_keeps_its_shape(site):
    assert {
        "state_directory", "catalogue", "log_id", "public_key", "roots_made", "cameras",
        "cameras_imported", "days", "unfinished", "next",
    } <= set(site.json("init"))  # fmt: skip


def test_a_catalogue_of_this_program_needs_no_upgrade(site):
    before = site.json("audit", "verify")["entries"]
    text = site.ok("schema", "upgrade")
    assert "needs no upgrade" in text
    assert site.json("audit", "verify")["entries"] == before


def test_a_newer_catalogue_is_not_touched(site):
    import sqlite3

    with sqlite3.connect(site.state / db.NAME) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    done = site.run("schema", "upgrade")
    assert done.status == 1
    assert "has schema 99" in done.err


def test_run_is_the_daemon_answers_and_ends_in_order_when_asked(site):
    with site.running() as daemon:
        assert "audit log " in site.run("status").out
        site.ok("camera", "add", "1101", "--location", "Market Place")
        again = site.run("run")
        assert again.status == 1
        assert f"the daemon is running (pid {daemon.process.pid})" in again.err
    assert site.alone("status").status == 3
    (last,) = site.json("audit", "list", "--limit", "1")["entries"]
    assert last["kind"] == "service.stopped"


@pytest.mark.parametrize("words", [("schema", "upgrade"), ("init",)])
def test_what_opens_the_catalogue_itself_is_refused_while_the_daemon_runs(site, words):
    with site.running() as daemon:
        done = site.run(*words)
        assert done.status == 1
        assert (
            f"the daemon is running (pid {daemon.process.pid}): stop it first"
            in done.err
        )
        assert "systemctl stop cctv-retention" in done.err


def test_run_without_a_catalogue_is_one_sentence(site):
    (site.state / db.NAME).unlink()
    done = site.run("run")
    assert done.status == 1
    assert "retention init" in done.err
    assert "Traceback" not in done.err
