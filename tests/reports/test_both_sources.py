"""A catalogue and a published copy of its log answer alike: one reader, two sources."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from retention.catalogue import entries, log
from retention.catalogue.db import Priority
from retention.model.codec import to_json
from retention.model.errors import RetentionError
from retention.model.localtime import format_utc
from retention.model.values import FOREVER
from retention.register.register import (
    camera_add,
    camera_amend,
    camera_renumber,
    camera_replace,
)
from retention.reports.audit import audit_balance, audit_find, audit_list, audit_show
from retention.reports.by_name import CopiedReports
from retention.reports.entries import ListRequest
from retention.reports.evidence import ReportRequest
from retention.reports.published_copy import PublishedCopy
from retention.tlog.entry import Stored
from retention.tlog.kinds import KINDS
from tests.support import campaign, publishing
from tests.support.bookkeeping import ACTOR, DAY, HOUR, MINUTE, SECOND, Bookkeeper
from tests.support.dated import Dated, append
from tests.support.history import SLOTS, History, start_of

ACTS = 90
QUESTIONS = 1_000
DELETED = "recordings.deleted"
PATTERNS = ("no.such", "no.*", "hold.*", "recordings.*", "*.*ed", "*")
VERBS = ("list", "list", "show", "find", "find", "balance")


@pytest.fixture(autouse=True)
def pages(monkeypatch):
    """Small ones, so that every answer is of several."""
    monkeypatch.setattr(entries, "PAGE", 5)
    monkeypatch.setattr(entries, "SPAN", 40)


class SiteHistory(History):
    """Holds and cameras have a history too, in the log alone."""

    def __init__(self, keeper: Bookkeeper, dice: Random) -> None:
        super().__init__(keeper, dice)
        self.holds: dict[int, tuple[set[int], int, int]] = {}
        self.ids = ["c"]
        camera_add(keeper.context(), id="c", location="no footage")
        self.acts += [self.place, self.extend, self.mention, self.mention, self.label]
        described = Dated("site.described", keeper.now, ACTOR, {"controller": "test"})
        with keeper.site.catalogue.write(Priority.HOLD) as tx:
            append(keeper.site.log, tx, described)
        for id in "bc":
            camera_amend(keeper.context(), id=id, controller="Oadby")

    def note(self, what: str, hold: int, **fields: Any) -> None:
        cameras, since, until = self.holds[hold]
        spans = tuple((camera, since, until) for camera in sorted(cameras))
        told = {"hold": hold, **fields}
        entry = Dated(what, self.keeper.now, ACTOR, told, None, spans)
        with self.keeper.site.catalogue.write(Priority.HOLD) as tx:
            append(self.keeper.site.log, tx, entry)

    def place(self) -> None:
        number = len(self.holds) + 1
        since = start_of(self.dice.choice(SLOTS))
        length = self.dice.choice([MINUTE, 20 * MINUTE, 5 * HOUR, 4 * DAY, FOREVER])
        until = min(since + length, FOREVER)
        cameras = self.dice.choice([[1], [2], [1, 2]])
        self.holds[number] = set(cameras), since, until
        self.note(
            "hold.placed", number, kind="court", cameras=cameras, since=since,
            until=until, review=self.keeper.now, margin=0, reference="A 1",
        )  # fmt: skip

    def extend(self) -> None:
        if not self.holds:
            return
        number = self.dice.choice(list(self.holds))
        cameras, since, until = self.holds[number]
        wider = since - self.dice.randint(0, 90) * MINUTE, min(until + HOUR, FOREVER)
        added = {1, 2} - cameras if self.dice.random() < 0.5 else set()
        self.holds[number] = cameras | added, *wider
        self.note(
            "hold.extended", number, cameras=sorted(added), since=wider[0],
            until=wider[1], review=0, old_since=since, old_until=until, old_review=0,
            reason="more of it",
        )  # fmt: skip

    def mention(self) -> None:
        """An entry that does not itself say what the hold covers."""
        if self.holds:
            kind = self.dice.choice(["hold.reviewed", "hold.released", "hold.cooled"])
            more = {
                "hold.reviewed": {"review": self.keeper.now, "old_review": 0},
                "hold.released": {"free_at": self.keeper.now + DAY, "reason": "over"},
                "hold.cooled": {},
            }[kind]
            self.note(kind, self.dice.choice(list(self.holds)), **more)

    def label(self) -> None:
        """The last camera gets another id, or another camera its id."""
        context, old = self.keeper.context(), self.ids[-1]
        if self.dice.random() < 0.5:
            camera_replace(context, id=old, location="new", kind="", custody="council")
        else:
            self.ids.append(f"c{len(self.ids)}")
            camera_renumber(context, old=old, new=self.ids[-1])


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A keeper with a random history, the history, and a copy of its log."""
    dice = campaign.chance("both sources")
    keeper = Bookkeeper(tmp_path_factory.mktemp("lived") / "site")
    keeper.site.by_hand = True  # its holds are in the log alone: nothing goes by them
    history = SiteHistory(keeper, dice)
    for act in (history.files_come, history.scan, history.delete, history.place):
        act()
    for _ in range(ACTS):
        dice.choice(history.acts)()
    keeper.roll_up()  # what waits is in no log
    with keeper.site.catalogue.read() as tx:
        found = log.stored(tx, 0, log.size(tx))
    entries = [Stored(one.number, one.data, one.rows) for one in found]
    directory = publishing.publish(tmp_path_factory.mktemp("copy") / "log", entries)
    yield keeper, history, PublishedCopy(directory)
    keeper.close()


class Asker:
    """Asks what somebody might."""

    def __init__(self, history: SiteHistory, dice: Random, size: int) -> None:
        self.history, self.dice, self.size = history, dice, size

    def question(self) -> tuple[str, dict[str, Any]]:
        verb = self.dice.choice(VERBS)
        asked = getattr(self, f"_{verb}")()
        if verb != "show":
            whose = self.dice.choice(["Oadby", "OADBY", "test", "Nobody"])
            asked["controller"] = self.maybe(whose, 0.3)
        return verb, asked

    def maybe(self, value: Any, odds: float = 0.5) -> Any:
        return value if self.dice.random() < odds else None

    def instant(self) -> int:
        """Within footage, as a rule."""
        start = start_of(self.dice.choice(SLOTS))
        return start + self.dice.choice([0, 1, SECOND, 30 * SECOND, HOUR, -3 * HOUR])

    def window(self) -> dict[str, Any]:
        since = self.instant()
        length = self.dice.choice([1, MINUTE, 10 * MINUTE, HOUR, DAY, 40 * DAY])
        found = {"since": self.maybe(since, 0.8), "until": self.maybe(since + length)}
        return {name: value and format_utc(value) for name, value in found.items()}

    def camera(self) -> str:
        return self.dice.choice(["a", "b", "a", "b", "z", *self.history.ids])

    def _list(self) -> dict[str, Any]:
        holds = [f"hold:{number}" for number in self.history.holds]
        subjects = ["root:nvr1", "camera:3", "camera:17", "hold", *holds]
        return {
            "kind": self.maybe(self.dice.choice([*KINDS, *PATTERNS, DELETED]), 0.4),
            "subject": self.maybe(self.dice.choice(subjects), 0.3),
            "camera": self.maybe(self.camera(), 0.6),
            "before": self.maybe(self.dice.randint(0, self.size + 5), 0.3),
            "limit": self.maybe(self.dice.choice([1, 2, 5, 20]), 0.7),
            **self.dice.choice([self.window(), self.window(), self.day(), {}]),
        }

    def day(self) -> dict[str, Any]:
        return {"on": format_utc(self.instant())[:10]}

    def _show(self) -> dict[str, Any]:
        return {"number": self.dice.randint(0, self.size + 1)}

    def _find(self) -> dict[str, Any]:
        if self.dice.random() < 0.1:
            start = start_of(self.dice.choice(SLOTS))
            path = self.history.keeper.path(self.dice.choice("ab"), start)
            return {"path": str(path)}
        if self.dice.random() < 0.5:
            camera = self.maybe(self.camera(), 0.8)
            return {"camera": camera, "at": format_utc(self.instant())}
        return {"camera": self.maybe(self.camera(), 0.9), **self.window()}

    def _balance(self) -> dict[str, Any]:
        limit = self.maybe(self.dice.randint(1, 5), 0.3)
        return {"camera": self.maybe(self.camera()), "limit": limit, **self.window()}


def ours(keeper: Bookkeeper, verb: str, asked: dict[str, Any]) -> Any:
    verbs = {
        "list": audit_list, "show": audit_show, "find": audit_find,
        "balance": audit_balance,
    }  # fmt: skip
    return _or_refused(lambda: verbs[verb](keeper.context(), **asked))


def theirs(copy: PublishedCopy, now: int, verb: str, asked: dict[str, Any]) -> Any:
    return _or_refused(
        {
            "list": lambda: copy.listing(ListRequest(**asked), now),
            "show": lambda: copy.show(**asked),
            "find": lambda: copy.find(now, **asked),
            "balance": lambda: copy.balance(now, **asked),
        }[verb]
    )


def _or_refused(ask: Any) -> Any:
    try:
        return to_json(ask())
    except RetentionError as error:
        return type(error)


# -- what a copy withholds ------------------------------------------------------------


def same_list(live: dict[str, Any], copy: dict[str, Any]) -> bool:
    return live["before"] == copy["before"] and all(
        same_show(*pair) for pair in zip(live["entries"], copy["entries"], strict=True)
    )


def same_show(live: dict[str, Any], copy: dict[str, Any]) -> bool:
    live, copy = (
        {name: value for name, value in one.items() if name != "signed"}
        for one in (live, copy)
    )
    return _closed(live, copy["withheld"]) == copy | {"withheld": None}


def _closed(entry: dict[str, Any], withheld: list[str]) -> dict[str, Any]:
    """Without people's data, which is never published, and what the machine calls them."""
    fields = {n: value for n, value in entry["fields"].items() if n not in withheld}
    hidden = {*withheld, "actor.login_name"}
    actor = {n: v for n, v in entry["actor"].items() if f"actor.{n}" not in hidden}
    return entry | {"fields": fields, "actor": actor, "withheld": None}


def same_find(live: dict[str, Any], copy: dict[str, Any]) -> bool:
    """A copy knows neither what is there nor why nothing is, where the log names it not."""
    known = {one["key"]: one for one in live["recordings"]}
    named = {one["key"] for one in live["recordings"] if one["history"]}
    alike = [
        one["key"] in known and _same_recording(known[one["key"]], one)
        for one in copy["recordings"]
    ]
    same = ("cameras", "since", "until", "path", "holds", "faults")
    return (
        all(alike)
        and named <= {one["key"] for one in copy["recordings"]}
        and all(live[name] == copy[name] for name in same)
    )


def _same_recording(live: dict[str, Any], copy: dict[str, Any]) -> bool:
    """What is there may have come again without a word, and be another file."""
    if live["present"] is not None:
        differ = {"present", "fate", "bytes", "path"}
        if live["end"] != copy["end"]:
            differ |= {"end", "seconds", "holds", "recorded"}
    else:
        differ = {"fate"} if live["fate"] == "missing" else set()
    return all(live[name] == copy[name] for name in live.keys() - differ)


def same_balance(live: dict[str, Any], copy: dict[str, Any]) -> bool:
    """Nothing waits; what is there and a difference can't be known."""
    same = ("balanced", "more", "open_intents", "faults")
    lines = [
        ([_sums(one) for one in answer["days"]], _sums(answer["total"]))
        for answer in (live, copy)
    ]
    return lines[0] == lines[1] and all(live[name] == copy[name] for name in same)


def _sums(line: dict[str, Any]) -> dict[str, Any]:
    hidden = ("present", "quarantined", "difference")
    return {name: value for name, value in line.items() if name not in hidden}


SAME = {
    "list": same_list, "show": same_show, "find": same_find, "balance": same_balance,
}  # fmt: skip


def test_both_answer_a_thousand_questions_alike(lived) -> None:
    keeper, history, copy = lived
    with keeper.site.catalogue.read() as tx:
        size = log.size(tx)
    asker = Asker(history, campaign.chance("questions"), size)
    met: Counter[str] = Counter()
    while met["asked"] < QUESTIONS or not _enough(met):
        assert met["asked"] < 10 * QUESTIONS, met
        met["asked"] += 1
        verb, asked = asker.question()
        live = ours(keeper, verb, asked)
        copied = theirs(copy, keeper.now, verb, asked)
        if isinstance(live, type) or isinstance(copied, type):
            assert live == copied, (verb, asked, live, copied)
            met["refused"] += 1
        else:
            assert SAME[verb](live, copied), (verb, asked, live, copied)
            met[verb] += 1
            if verb == "list":
                met["entries"] += len(live["entries"])
            if verb == "find":
                met["recordings"] += len(copied["recordings"])


def _enough(met: Counter[str]) -> bool:
    """Whether what was answered so far shows something of each verb."""
    answers = min(met[what] for what in (*SAME, "refused"))
    return answers > 50 and min(met["entries"], met["recordings"]) > 200


def test_figures_of_a_report_are_those_of_the_books(lived, tmp_path) -> None:
    """Two sums over the same log, each made in a way of its own."""
    keeper, _, copy = lived
    reports = CopiedReports(copy.directory, None, tmp_path, keeper.now, lambda _: None)
    total = reports.report("deletions", ReportRequest()).tables[0].total
    books = copy.balance(keeper.now).total.deleted
    assert total is not None
    assert books.recordings
    assert total.cells[1:4] == [books.recordings, books.seconds, books.bytes]
