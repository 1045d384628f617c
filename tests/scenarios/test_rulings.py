"""A ruling takes effect in the next cycle, without a start of the service."""

from retention.model.values import DAY, HOUR, MINUTE
from tests.support.control_room import BEN
from tests.support.json_schema import verb
from tests.support.plant import T0


def test_overdue_files_whose_times_are_right_are_deleted_with_the_next_cycle(plant):
    """Their names are far before the day on which they were last written."""
    old = [plant.film(T0 - 25 * DAY, shown=T0 - (30 + day) * DAY) for day in range(3)]
    plant.watch()
    plant.round(T0)
    plant.round(T0 + 4 * DAY)
    assert all(file.exists() for file in old)
    verb("recording.resolve")(
        plant.asked(plant.settings(), BEN),
        camera="1001", ruling="times_right", reason="they were copied",
    )  # fmt: skip
    plant.round(T0 + 4 * DAY + HOUR + MINUTE)
    assert not any(file.exists() for file in old)
