"""What looks after every test sees it when an alarm is taken out of the program."""

import os
from pathlib import Path

import pytest

from retention.control.alarms import Alarms, Stands
from retention.footage.ingest import adoption
from retention.model.values import DAY, HOUR, SECOND
from retention.reports import conditions
from tests.support import honesty
from tests.support.plant import T0, Plant

OLD = T0 - 30 * DAY


def footage_behind_a_link(plant: Plant) -> None:
    elsewhere = plant.directory / "elsewhere"
    elsewhere.mkdir()
    file = plant.film(T0 - 2 * HOUR)
    os.link(file, elsewhere / "2026-07-19_10-00-00.mp4")
    (plant.directory / "nvr1" / "1002").symlink_to(elsewhere)


def an_old_file_of_nobody(plant: Plant) -> None:
    plant.write("1001/holiday.mp4", OLD)


def an_identity_that_is_gone(plant: Plant) -> None:
    plant.film(OLD)
    plant.let_go()
    (plant.directory / "nvr1" / ".cctv-retention-root").unlink()


@pytest.mark.parametrize(
    ("fault", "where", "name"),
    [
        (footage_behind_a_link, adoption.alarms_of, "settle"),
        (an_old_file_of_nobody, conditions, "strangers"),
        (an_identity_that_is_gone, Alarms, "trip"),
    ],
)
def test_a_program_without_that_alarm_is_not_honest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault, where, name
) -> None:
    plant = Plant(tmp_path)
    plant.watch()
    for n in range(2):  # taken in, and caught up
        plant.round(T0 - DAY + n * SECOND)
    plant.now = T0
    fault(plant)
    with monkeypatch.context() as patch:
        patch.setattr(where, name, lambda *_, **__: Stands({}))
        with pytest.raises(AssertionError, match="`status` ends with 0, though"):
            honesty.be_honest()
    plant.close()


def test_footage_that_a_hold_keeps_and_new_footage_are_nothing_to_tell(
    tmp_path: Path,
) -> None:
    plant = Plant(tmp_path)
    plant.watch()
    plant.film(T0 - 2 * HOUR)
    plant.film(OLD)
    plant.now = T0
    plant.hold_camera(1, OLD, OLD + HOUR)
    honesty.be_honest()
    plant.close()
