"""Whatever people do to the register, in whatever order, what must hold does.

At most one camera an id today; a camera's past stays as it was; no key is ever gone;
what is refused changes nothing.
"""

import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.catalogue import cameras
from retention.model.errors import RetentionError
from tests.support import campaign
from tests.support.register import Register

IDS = st.sampled_from(["1", "2", "3", "1001", "1002"])
NORTH = st.sampled_from(["52.6300", "52.6302", "52.6400"])  # 22 m and 1.1 km apart
HEAD = "id,location,lon,lat\n"

LISTS = st.dictionaries(IDS, NORTH, min_size=1).map(
    lambda rows: HEAD + "".join(f"{id},x,-1.13,{lat}\n" for id, lat in rows.items())
)
PAIRS = st.lists(st.tuples(IDS, IDS), min_size=1, max_size=4).map(
    lambda pairs: "old,new\n" + "".join(f"{old},{new}\n" for old, new in pairs)
)
ACTS = st.one_of(
    st.tuples(st.just("load"), LISTS),
    st.tuples(st.just("bulk"), PAIRS),
    st.tuples(st.just("renumber"), IDS, IDS),
    st.tuples(st.just("moved"), IDS, NORTH),
    st.tuples(st.just("replace"), IDS),
    st.tuples(st.just("retire"), IDS),
    st.tuples(st.just("add"), IDS),
    st.tuples(st.just("footage"), IDS),
    st.tuples(st.just("back"), st.just("")),
)


def do(room, act, first, second=None):
    if act == "load":
        room.load(first)
    elif act == "bulk":
        room.renumber(file=room.file(first, "pairs.csv"))
    elif act == "renumber":
        room.renumber(old=first, new=second)
    elif act == "moved":
        room.moved(id=first, lon="-1.13", lat=second)
    elif act == "add":
        room.add(id=first, location="x")
    elif act == "footage":
        room.footage(room.key(first))
    elif act == "back":  # a clock that was ahead is put right
        room.now -= 5 * room.step
    else:
        getattr(room, act)(id=first)


def labels(room):
    with room.catalogue.read() as tx:
        keys = [one.key for one in cameras.everyone(tx)]
        return {key: cameras.ids(tx, key) for key in keys}


def check(before, after):
    """What may never be otherwise, from one state of the labels to the next."""
    assert set(before) <= set(after), "no key is ever gone"
    for key, past in before.items():
        closed = [label for label in past if label[2] is not None]
        assert after[key][: len(closed)] == closed, "what was, stays"
        assert [one[:2] for one in after[key]][: len(past)] == [o[:2] for o in past]
    today = [one[0] for known in after.values() for one in known if one[2] is None]
    assert len(today) == len(set(today)), "one camera an id"
    for known in after.values():
        assert known, "every camera has had an id"
        for (_, since, until), later in zip(known, [*known[1:], None], strict=True):
            assert until is None or since < until
            assert later is None or (until is not None and until <= later[1])


def one_meaning(after):
    """At no instant did an id mean two cameras."""
    spans = sorted(
        (id, since, until)
        for known in after.values()
        for id, since, until in known
        if until is not None
    )
    for (id, _, until), (other, since, _) in pairwise(spans):
        assert id != other or until <= since


@settings(max_examples=campaign.share(100))
@given(st.lists(ACTS, min_size=3, max_size=12))
def test_any_order_of_acts_keeps_the_register_whole(acts):
    with tempfile.TemporaryDirectory() as directory:
        room = Register(Path(directory))
        for act in acts:
            before, state = labels(room), room.state()
            try:
                do(room, *act)
            except RetentionError:
                assert room.state() == state, "what is refused changes nothing"
            after = labels(room)
            check(before, after)
            one_meaning(after)
        room.catalogue.close()


def test_the_catalogue_itself_refuses_two_cameras_of_one_id(room):
    """The last net below the verbs."""
    room.add(id="1", location="x")
    room.add(id="2", location="y")
    with (
        pytest.raises(Exception, match="UNIQUE"),
        room.catalogue.write(2) as tx,
    ):
        cameras.relabel(tx, {}, {room.key("2"): "1"}, room.now)
