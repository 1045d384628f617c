"""What the service spends on its own daily question whether its log was lawful, which
begins anew at each start: CPU time a deletion, and an entry without rows.

    python -m tests.bench.lawful [--batches 60]
"""

import argparse
import time

from retention.model.values import DAY, HOUR, MINUTE, Micros
from retention.tlog.lawful.fold import Lawful
from retention.tlog.verify.books import placed
from tests.support.story import Row, Story

ROWS = 1_000
"""Of a batch."""


def batches(number: int, length: Micros) -> Story:
    """Batches of two cameras whose recordings begin each minute and are so long."""
    story = Story()
    for _ in range(number):
        story.now += ROWS // 2 * MINUTE
        story.delete(*(_row(story, place, length) for place in range(ROWS)))
    return story


def _row(story: Story, place: int, length: Micros) -> Row:
    camera, start = 1 + place % 2, story.now - 29 * DAY - (ROWS - place) // 2 * MINUTE
    due = start + length + 28 * DAY
    return camera, 100 + camera, start, 0, length, 1_000, due, None, None


def beats(number: int) -> Story:
    """Heartbeats, one an hour."""
    story = Story()
    for _ in range(number):
        story.now += HOUR
        story.beat(0)
    return story


def judged(story: Story) -> float:
    """CPU seconds; all of it is lawful."""
    begun = time.process_time()
    lawful = Lawful(lambda number: story.entries[number].rows)
    for one in story.entries:
        lawful.take(placed(one, None), one)
    assert lawful.end().lawful
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.lawful")
    parser.add_argument("--batches", type=int, default=60)
    number = parser.parse_args().batches
    for what, length in (("without a gap", MINUTE), ("with gaps", MINUTE // 2)):
        spent = judged(batches(number, length)) / (number * ROWS)
        print(f"a deletion, recordings {what}: {spent * 1e6:.1f} us")
    print(f"an entry without rows: {judged(beats(5_000)) / 5_000 * 1e6:.0f} us")


if __name__ == "__main__":
    main()
