"""What was deleted, in little memory: the same as a set of all of it would say."""

from random import Random

import pytest

from retention.model.values import MINUTE, SECOND, Rows
from retention.tlog.lawful import twice
from retention.tlog.lawful.twice import GoneRows
from retention.tlog.rows import prepare
from tests.support import campaign

COLUMNS = ("stream", "start", "n")


class Both:
    """What is kept, beside a set of all."""

    def __init__(self) -> None:
        self.files = {}
        self.gone = GoneRows(self.files.get)
        self.all = {}
        self.number = 0

    def delete(self, keys, odd):
        """A batch: as asked, and as it is."""
        intent, done = self.number, self.number + 1
        self.number += 2
        self.files[intent] = prepare(Rows(COLUMNS, keys)).data
        if odd:
            exceptions = [(row, "failed") for row in sorted(odd)]
            self.files[done] = prepare(Rows(("row", "outcome"), exceptions)).data
        went = [key for row, key in enumerate(keys) if row not in odd]
        found = self.gone.before(went, intent)
        known = {key: self.all[key] for key in went if key in self.all}
        fields = {
            "oldest": min(key[1] for key in keys),
            "newest": max(key[1] for key in keys) + MINUTE,
        }
        ends = [(stream, start, start + MINUTE) for stream, start, _ in went]
        self.gone.add(intent, done, fields, ends)
        self.all |= dict.fromkeys(went, done)
        return found, known

    def came(self, key):
        self.gone.came(self.number, [key[:2]])
        self.number += 1
        for one in [one for one in self.all if one[:2] == key[:2]]:
            del self.all[one]


@pytest.mark.parametrize("runs", [3, 2_000])
@pytest.mark.parametrize("seed", range(5))
def test_it_says_what_a_set_of_all_would_say(monkeypatch, runs, seed):
    monkeypatch.setattr(twice, "RUNS", runs)
    dice = Random(f"{campaign.SEED} {seed} {runs}")
    both = Both()
    for _ in range(120):
        keys = {
            (
                dice.choice((1, 2)),
                dice.randrange(90) * MINUTE,
                dice.choice((0, 0, 0, 1)),
            )
            for _ in range(dice.randint(1, 6))
        }
        keys = sorted(keys)
        odd = {row for row in range(len(keys)) if dice.random() < 0.2}
        found, known = both.delete(keys, odd)
        assert (found is None) is (not known), (found, known)
        if found is not None:
            assert found[0] in known
        if dice.random() < 0.3:
            both.came(dice.choice(keys))


def test_a_recorder_s_files_in_order_are_one_run():
    both = Both()
    for number in range(500):
        keys = [(1, number * MINUTE, 0), (2, number * MINUTE + SECOND, 0)]
        assert both.delete(keys, set()) == (None, {})
    assert {stream: len(runs) for stream, runs in both.gone._runs.items()} == {
        1: 1,
        2: 1,
    }
