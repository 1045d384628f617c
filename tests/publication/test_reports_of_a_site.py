"""Reports of a site that really deleted something: what the service keeps for them, and what
is left of that when pieces of the site are put back."""

import pytest

from retention.catalogue.figures import NAME, Figures
from retention.model.answers.report import Report
from retention.model.codec import from_json, to_json
from retention.model.values import DAY, HOUR, MINUTE
from retention.reports.by_name import CopiedReports
from retention.reports.evidence import ReportRequest
from retention.site import clock
from tests.support.installation import never
from tests.support.reported import table
from tests.support.station import ANNA, CARA, Station


@pytest.fixture
def station(installed):
    made = Station(installed)
    yield made
    made.killed()


def deleting(station: Station, count: int = 3) -> None:
    """So many recordings that were due are found, approved and deleted."""
    now = clock.read().wall
    for number in range(count):
        station.installed.record(now, 2 * DAY + number * MINUTE)
    station.installed.record(now, HOUR)
    station.round()
    station.approve()
    station.round()


def signed(station: Station) -> None:
    """A head covers all there is."""
    station.ask("audit.publish", who=CARA)


def report(station: Station, name: str = "deletions") -> Report:
    """As the service answers it, once all is signed."""
    signed(station)
    return from_json(Report, station.ask(f"report.{name}", who=ANNA))


def covered(station: Station) -> int:
    kept = Figures(station.state / NAME)
    with kept.used():
        found = kept.covered()
    return -1 if found is None else found.size


def copied(station: Station, name: str, tmp_path) -> Report:
    reports = CopiedReports(
        station.settings.published_log, None, tmp_path / "cache", 0, lambda _: None
    )
    return reports.report(name, ReportRequest())


@pytest.mark.parametrize("name", ["deletions", "holds"])
def test_a_site_and_its_published_log_say_the_same(station, tmp_path, name):
    deleting(station)
    live = report(station, name)
    assert to_json(live) == to_json(copied(station, name, tmp_path))
    if name == "deletions":
        assert sum(row["recordings"] for row in table(live, "by_day")) == 3
        assert table(live, "late")[0]["why"].startswith("root not adopted (")


def test_the_service_keeps_the_figures_by_the_hour(station):
    deleting(station)
    signed(station)
    station.service.heartbeat(never)
    before = covered(station)
    assert before > 0
    signed(station)
    station.service.heartbeat(never)
    assert covered(station) > before


def test_figures_that_can_not_be_kept_stop_nothing(station):
    (station.state / NAME).mkdir()
    deleting(station)
    signed(station)
    station.service.heartbeat(never)
    assert station.guards() == {}
    with station.service._core.catalogue.read() as tx:
        sql = "SELECT count(*) FROM entry WHERE kind = 'heartbeat'"
        assert tx.exec_driver_sql(sql).scalar() == 1


def test_figures_of_another_day_are_none_of_a_log_that_went_on_otherwise(
    station, tmp_path
):
    """They are newer than the log that is put back, which goes on with other entries."""
    kept = station.keep_state()
    deleting(station)
    report(station)
    newer = (station.state / NAME).read_bytes()
    station.stop()
    station.restore_state(kept)
    (station.state / NAME).write_bytes(newer)
    for memory in station.installed.directory.rglob(".cctv-retention-head*"):
        memory.unlink()
    station.start()
    deleting(station, 2)
    assert to_json(report(station)) == to_json(copied(station, "deletions", tmp_path))
