"""The table of roots."""

import pytest

from retention.catalogue import db, roots, schema
from retention.catalogue.db import Priority
from retention.model.errors import StaleError


@pytest.fixture
def tx(tmp_path):
    catalogue = db.create(tmp_path / db.NAME, {"uuid": "c"})
    with catalogue.write(Priority.SCAN) as tx:
        yield tx
    catalogue.close()


@pytest.fixture
def root(tx):
    return roots.add(tx, name="nvr1", path="/srv/nvr1", uuid="u1")


def test_a_root_is_found_by_key_and_by_name(tx, root):
    other = roots.add(tx, name="nvr2", path="/srv/nvr2", uuid="u2")
    assert roots.get(tx, root.key) == roots.by_name(tx, "nvr1") == root
    assert roots.everyone(tx) == [root, other]
    assert roots.get(tx, 99) is roots.by_name(tx, "nvr9") is None


def test_each_instant_is_kept_apart(tx, root):
    roots.set_adopted(tx, root.key, 1)
    roots.set_scanned(tx, root.key, 2)
    roots.set_reconciled(tx, root.key, 3)
    assert roots.get(tx, root.key)[6:] == (1, 1, 2, 3)
    roots.set_caught_up(tx, root.key, 4)
    assert roots.get(tx, root.key)[6:] == (1, 4, 2, 3)


def test_a_replaced_root_is_as_if_never_seen(tx, root):
    roots.note(tx, root.key, path="/srv/a", device=5, boot="b")
    roots.set_adopted(tx, root.key, 1)
    roots.replace(tx, root, "u2")
    assert roots.get(tx, root.key) == root._replace(uuid="u2", path="/srv/a")


def test_a_root_replaced_by_another_meanwhile_is_not_replaced_again(tx, root):
    roots.replace(tx, root, "u2")
    with pytest.raises(StaleError):
        roots.replace(tx, root, "u3")


def test_a_root_that_is_not_there_is_not_changed_in_silence(tx):
    with pytest.raises(StaleError):
        roots.set_scanned(tx, 9, 1)


def test_recordings_are_counted_by_root(tx, root):
    other = roots.add(tx, name="nvr2", path="/srv/nvr2", uuid="u2")
    camera = {"key": 1, "location": "", "view": "", "kind": "public_space",
              "custody": "council", "listed": 1, "retired": 0}  # fmt: skip
    tx.execute(schema.camera.insert().values(camera))
    for key, where in ((1, root.key), (2, other.key), (3, root.key)):
        tx.exec_driver_sql(
            "INSERT INTO stream VALUES (?, ?, 1, 'l', 'UTC', ?, '.mp4', 1, NULL, 1)",
            (key, where, str(key)),
        )
        tx.exec_driver_sql("INSERT INTO recording VALUES (?, 0, 0, 1, 1, 0)", (key,))
    assert roots.count_recordings(tx, root.key) == 2
    assert roots.count_recordings(tx, other.key) == 1
