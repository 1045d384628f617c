"""Whoever has no role is refused everything, on record: and no such entry is unlawful."""

import json
import os
import uuid

import pytest

from retention.control.verbs import VERBS
from retention.service.api.server import EACH
from tests.support.office import HOLD, Office, denied, running
from tests.support.people import UNSET


@pytest.mark.parametrize("who", ["a colleague", "a user of a container", "cron"])
def test_nothing_that_somebody_without_a_role_does_makes_the_log_unlawful(
    directory, people, who
):
    """By every verb, again and again, by a crowd of connections and by a request that was
    left in the spool: all ways in which the service writes about such a caller."""
    office = Office(directory, people.groups)
    office.init()
    person, login = {
        "a colleague": (people.stranger, None),
        "a user of a container": (people.unknown(820_900, 100), None),
        "cron": (people.stranger, UNSET),
    }[who]
    office.settings.spool.mkdir(exist_ok=True)
    left = office.settings.spool / "r.json"
    asked = {"verb": "hold.place", "arguments": HOLD | {"request": str(uuid.uuid4())}}
    left.write_text(json.dumps(asked))
    os.chown(left, person.uid, 100)
    with running(office) as daemon:
        daemon.answering()
        with person.session(office.socket, login) as asking:
            for verb in VERBS:
                assert denied(asking.post(verb)), verb
            assert asking.many(3, "status") == [403]
            asking.idle(EACH)
            assert asking.post("status").kind == "busy"
        assert daemon.end() == 0
    written = office.entries("access.denied")
    assert {one["actor"]["role"] for one in written} == {"none"}
    assert {one["fields"]["verb"] for one in written} == {*VERBS, "connection"}
    assert len(office.entries("request.refused")) == 1
    office.verify()


def test_the_auditor_is_told_that_it_is_lawful(directory, people):
    office = Office(directory, people.groups)
    office.init()
    with running(office) as daemon:
        daemon.answering()
        assert people.stranger.retention(office.config, "status").returncode == 4
        done = people.art.retention(office.config, "audit", "verify", "--deep")
        assert (done.returncode, "Lawful" in done.stdout) == (0, True), done
