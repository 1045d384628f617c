"""What a preset leaves alone is told once it is old, and is never touched."""

from retention.catalogue import raised
from retention.model.values import DAY, HOUR, SECOND

T0 = 1_784_541_600 * SECOND  # 20 Jul 2026, 10:00:00 UTC; the world's now is 12:20


def told(world):
    with world.catalogue.read() as tx:
        return [one.detail for one in raised.everyone(tx) if one.name == "left-alone"]


def frigate(world):
    world.camera("front")
    return world.scanner(layout="frigate")


def test_old_clips_of_frigate_are_told_with_number_bytes_and_oldest(world):
    world.write("2026-07-20/10/front/00.00.mp4", T0 + 10 * SECOND)
    old = [
        world.write("clips/front/a.jpg", T0 - 40 * DAY, 300),
        world.write("clips/b.jpg", T0 - 30 * DAY, 200),
    ]
    world.write("exports/new.mp4", T0 - DAY)
    scanner = frigate(world)
    scanner.scan(world.NOW, lambda: False)
    assert told(world) == []
    scanner.reconcile(world.NOW, lambda: False)
    (detail,) = told(world)
    assert detail == (
        "2 files, 500 B, in clips, exports; the oldest is of 2026-06-10T10:00:00Z"
    )
    assert all(file.exists() for file in old)
    for file in old:
        world.remove(file)
    scanner.reconcile(world.NOW + HOUR, lambda: False)
    assert told(world) == []


def test_a_recorder_that_leaves_nothing_old_is_not_told(world):
    world.write("exports/new.mp4", T0 - DAY)
    scanner = frigate(world)
    scanner.scan(world.NOW, lambda: False)
    scanner.reconcile(world.NOW, lambda: False)
    assert told(world) == []
