"""What each kind of entry declares beside its fields, and that nothing is left open."""

import ast
from pathlib import Path

import pytest

import retention
from retention.tlog.declare import TOPICS, Footage, declare
from retention.tlog.fates import fate_said
from retention.tlog.kinds import CAMERAS, FATES, HOLDS, KINDS, RECORDINGS, telling
from retention.tlog.source import Outcomes
from retention.tlog.words import WORDS

DECLARING = tuple(
    Path(f"tlog/{name}.py") for name in ("kinds", "log_kinds", "hold_kinds")
)


def test_what_has_an_effect_without_a_head_only_keeps():
    keeping = {name for name, kind in KINDS.items() if kind.keeps}
    assert keeping == {
        "hold.placed", "hold.extended", "hold.reinstated", "deletion.paused",
    }  # fmt: skip


def test_a_kind_without_a_decision_is_none():
    with pytest.raises(ValueError, match=r"hold\.lent: say what a restore"):
        declare("hold.lent", "A hold was lent.", "@hold:int")


@pytest.mark.parametrize("restore", ["", "nothing", "nothing: ", "nothing, I think"])
def test_a_kind_says_by_which_act_it_comes_back_or_why_by_none(restore):
    with pytest.raises(ValueError, match=r"hold\.lent: name the act"):
        declare("hold.lent", "A hold was lent.", back=restore)


def test_a_kind_tells_only_what_somebody_reads():
    with pytest.raises(ValueError, match=r"hold\.lent: nobody reads loans"):
        declare("hold.lent", "", back="nothing: told", tells="loans")


def test_a_reason_for_nothing_is_no_act():
    assert KINDS["heartbeat"].act is None
    assert KINDS["hold.placed"].act == "place_hold"


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_kinds(topic):
    assert telling(topic)


def test_a_kind_whose_rows_are_recordings_says_what_becomes_of_them():
    with pytest.raises(ValueError, match=r"hold\.lent: say what the recordings"):
        declare("hold.lent", "", back="nothing: told", footage=Footage.ROWS)


@pytest.mark.parametrize("kind", RECORDINGS)
def test_every_fate_is_understood(kind):
    columns = {"start": [1], "new_start": [2]}
    assert (fate_said(kind, columns, 0, Outcomes()) is not None) is (kind in FATES)


def test_what_counts_or_names_recordings_is_in_the_balance():
    """But for those that leave as many recordings as there were."""
    others = {"recordings.quarantined", "recordings.reappeared", "ruling.proposed"}
    assert set(telling("books")) == set(RECORDINGS) - others


def test_rows_with_footage_are_declared_to_speak_of_it():
    """So that no reader passes over recordings that are named one by one."""
    named = {name for name, kind in KINDS.items() if "stream" in kind.columns}
    assert named == set(RECORDINGS) - {"recordings.recorded", "recordings.deleted"}


@pytest.mark.parametrize(("prefix", "kinds"), [("hold.", HOLDS), ("camera.", CAMERAS)])
def test_all_about_holds_and_cameras_is_found_by_them(prefix, kinds):
    assert set(kinds) == {name for name in KINDS if name.startswith(prefix)}


def lists(tree):
    """Tuples, lists, sets and dicts that are written out and name more than one kind;
    not where each is given a name of its own."""
    named = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Assign)
             and isinstance(one.targets[0], ast.Tuple)}  # fmt: skip
    for one in ast.walk(tree):
        if isinstance(one, ast.Tuple | ast.List | ast.Set) and id(one) not in named:
            parts = one.elts
        elif isinstance(one, ast.Dict):
            parts = one.keys
        else:
            continue
        kinds = {part.value for part in parts if isinstance(part, ast.Constant)}
        if len(kinds & set(KINDS)) > 1:
            yield one.lineno


def test_no_other_module_lists_kinds():
    """A list elsewhere is one that the next kind would be forgotten in."""
    top = Path(retention.__file__).parent
    found = [
        f"{path.relative_to(top)}:{line}"
        for path in sorted(top.rglob("*.py"))
        if path.relative_to(top) not in DECLARING
        for line in lists(ast.parse(path.read_text()))
    ]
    assert found == []


def test_a_kind_that_nothing_writes_any_more_says_so_and_is_read_all_the_same():
    package = Path(retention.__file__).parent
    said = {
        node.value
        for file in package.rglob("*.py")
        if file.relative_to(package) not in DECLARING
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
    }
    in_parts = {"camera.listed", "camera.unlisted"}
    former = {
        name
        for name, kind in KINDS.items()
        if "older logs only" in kind.meaning.lower()
    }
    assert (
        set(KINDS) - said - in_parts == former == {"custody.alarm", "unknown.overdue"}
    )


def test_every_name_in_an_entry_or_a_row_has_its_meaning():
    used = {name for kind in KINDS.values() for name in kind.columns}
    used |= {field.name for kind in KINDS.values() for field in kind.fields}
    assert used == WORDS.keys()
