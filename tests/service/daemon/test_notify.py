"""What systemd hears: over a real datagram socket."""

import os
import socket

import pytest

from retention.model.values import SECOND
from retention.service.notify import Notifier


@pytest.fixture
def manager(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(1)
        yield heard


@pytest.fixture
def notifier(manager):
    return Notifier({"NOTIFY_SOCKET": manager.getsockname()})


def test_ready_comes_with_the_first_status(manager, notifier):
    notifier.ready("deleting on time")
    assert manager.recv(1000) == b"READY=1\nSTATUS=deleting on time"


def test_a_status_is_one_line(manager, notifier):
    notifier.status("not deleting:\nthe clock\tjumped")
    assert manager.recv(1000) == b"STATUS=not deleting: the clock jumped"


def test_the_watchdog_is_pinged(manager, notifier):
    notifier.alive()
    assert manager.recv(1000) == b"WATCHDOG=1"


def test_stopping_is_said(manager, notifier):
    notifier.stopping()
    assert manager.recv(1000).startswith(b"STOPPING=1\n")


def test_a_longer_start_is_asked_for_in_microseconds(manager, notifier):
    notifier.extend(30 * SECOND)
    assert manager.recv(1000) == b"EXTEND_TIMEOUT_USEC=30000000"


def test_an_abstract_socket_is_found(tmp_path):
    name = f"retention-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0{name}")
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).alive()
        assert heard.recv(100) == b"WATCHDOG=1"


def test_without_a_manager_nothing_is_sent(monkeypatch):
    def opened(*_):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", opened)
    Notifier({}).ready("on a terminal")


def test_a_manager_that_is_gone_is_no_error(tmp_path):
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "none")}).alive()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 60 * SECOND),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_time_is_ours_only_if_it_names_us(environment, expected):
    assert Notifier(environment).watchdog == expected
