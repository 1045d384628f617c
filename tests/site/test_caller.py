"""Which logins count: the place that systemd gave to a session, not a number that any
process without one may write."""

import pytest

from retention.site.caller import UNSET_LOGIN, logged_in

SESSION = "/user.slice/user-1001.slice/session-3.scope"
ONE = "12:pids:/a\n11:memory:/b\n"


@pytest.mark.parametrize(
    "cgroups",
    [
        f"0::{SESSION}\n",
        "0::/user.slice/user-1001.slice/user@1001.service/app.slice/tmux.scope\n",
        f"{ONE}1:name=systemd:{SESSION}\n0::{SESSION}\n",  # systemd's hybrid form
        f"{ONE}1:name=systemd:{SESSION}\n0::/\n",  # and its older one
        "0::/user.slice/user-1001.slice/session-a:b.scope\n",
    ],
)
def test_a_login_counts_in_its_own_slice(cgroups):
    assert logged_in(1001, cgroups)


@pytest.mark.parametrize(
    "cgroups",
    [
        "",
        "0::/\n",
        "0::/system.slice/cron.service\n",
        "0::/system.slice/docker-5f2.scope\n",
        "0::/machine.slice/libpod-5f2.scope/container\n",
        "0::/../user.slice/user-1001.slice/session-3.scope\n",
        "0::/user.slice/user-1002.slice/session-3.scope\n",
        "0::/user.slice/user-10011.slice/session-3.scope\n",
        "0::/user.slice/user-1001.slice\n",
        "0::/user.slice/user-1001.slice-of-mine/x\n",
        "0::/system.slice/cron.service/user.slice/user-1001.slice/x\n",
        f"4:memory:{SESSION}\n0::/system.slice/cron.service\n",
        f"1:name=systemd:/system.slice/cron.service\n0::{SESSION}\n",
        f"1:name=other:{SESSION}\n",
        f"{SESSION}\n",
        "nonsense",
    ],
)
def test_it_counts_nowhere_else(cgroups):
    assert not logged_in(1001, cgroups)


def test_nobody_s_login_is_none():
    assert not logged_in(UNSET_LOGIN, f"0::/user.slice/user-{1001}.slice/a\n")
