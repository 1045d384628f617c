"""Who asks is what the kernel says of the very process that asks (P5)."""

import os
import socket

import pytest

from retention.service.api import peer
from retention.site.caller import UNSET_LOGIN
from retention.site.settings import AccessSettings, RetentionSettings, Settings


def settings(**retention):
    access = AccessSettings(operators=["root"], supervisors=["root"])
    return Settings(
        site="test", access=access, retention=RetentionSettings(**retention)
    )


def test_root_is_administrator_and_nothing_more_whatever_the_settings_name():
    assert peer.roles(settings(), 0, one_person=False) == ["administrator"]


def test_at_a_site_of_one_person_root_may_be_what_the_settings_name():
    found = peer.roles(settings(), 0, one_person=True)
    assert set(found) == {"operator", "supervisor", "administrator"}


def test_a_process_that_has_ended_since_it_connected_is_nobody(tmp_path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        child = os.fork()
        if child == 0:
            with socket.socket(socket.AF_UNIX) as asking:
                asking.connect(str(tmp_path / "s"))
                os._exit(0)
        os.waitpid(child, 0)
        connection, _ = listening.accept()
        with connection:
            try:
                connection.getsockopt(socket.SOL_SOCKET, peer._SO_PEERPIDFD)
            except OSError:
                pytest.skip("this kernel does not say which process connected")
            assert not peer._still_there(connection)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer._still_there(ours)


def test_a_login_is_of_a_process_that_runs_as_who_asks(monkeypatch):
    """Else the number is a stranger's by now."""
    monkeypatch.setattr(peer, "login_of", lambda _: 1000)
    assert peer._login_uid(os.getpid(), os.getuid()) == 1000
    assert peer._login_uid(os.getpid(), os.getuid() + 1) == UNSET_LOGIN
