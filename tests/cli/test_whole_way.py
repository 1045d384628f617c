"""From an empty machine to a verified deletion, with nothing but typed commands."""

import os
import time

import pytest

from retention.model.values import DAY, SECOND

OLD = 40


@pytest.fixture
def archive(site):
    """Files of two cameras, one file a day for three days, all past their period."""
    site.config.write_text(
        site.config.read_text().replace(
            "[retention]", '[retention]\ncycle = "1s"\nscan = "1s"'
        )
    )
    for camera in ("1101", "1102"):
        site.ok("camera", "add", camera, "--location", f"Street {camera}")
        (site.footage / camera).mkdir()
        for day in range(3):
            _file(site, camera, OLD + day)
    return site


def _file(site, camera, days_ago):
    at = int(time.time()) // 3_600 * 3_600 - days_ago * DAY // SECOND
    name = time.strftime("%Y-%m-%d_%H-%M-%S.mp4", time.gmtime(at))
    path = site.footage / camera / name
    path.write_bytes(b"footage" * 100)
    os.utime(path, (at + 600, at + 600))


def _until(look):
    end = time.monotonic() + 120
    while not look():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def _files(site):
    return sorted(path.parent.name for path in site.footage.glob("*/*.mp4"))


def test_an_archive_is_adopted_a_hold_placed_a_plan_approved_and_the_rest_deleted(
    archive,
):
    site = archive
    with site.running():
        _until(lambda: site.json_anyway("status")["plans_waiting"])
        assert "retention deletion approve 1" in site.run("status").out
        placed = site.run(
            *("hold", "place", "1102", "--from", f"-{OLD * 2}d", "--to", "now"),
            *("--kind", "court", "--reference", "16*1", "--reason", "assault"),
        )
        assert placed.status == 7, placed  # of most of those days there is nothing
        assert ": 3 recordings, " in placed.out
        assert "2.1 kB protected from deletion" in placed.out
        site.ok("deletion", "approve", "1")
        _until(lambda: _files(site) == ["1102", "1102", "1102"])
        _until(lambda: site.json_anyway("plan")["due"] == [])
        assert "kept under holds: 3 recordings" in site.ok("plan")
        text = site.ok("audit", "verify", "--deep")
        assert text.startswith("The audit log is intact")
        (batch, *_) = site.json(
            *("audit", "list", "--camera", "1101", "--kind", "deletion.intended"),
            *("--from", f"-{OLD * 2}d"),
        )["entries"]
    assert {row["outcome"] for row in batch["rows"]} == {"deleted"}
