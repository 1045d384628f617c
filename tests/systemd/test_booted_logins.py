"""On a machine that systemd runs: whose login counts, whichever way a command comes:
by ssh, su, sudo, tmux, cron, a service, a nested slice."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from retention.site.caller import UNSET_LOGIN
from tests.support import booted, needs

pytestmark = [
    needs.root, needs.systemd_nspawn, needs.sshd, needs.cron, needs.tmux, needs.sudo,
]  # fmt: skip

PEOPLE = {"ann": "operators", "carl": "supervisors", "sue": "supervisors"}
PASSWORD = "carl knows it"  # noqa: S105 - of accounts that live for a minute

TYPED = "/usr/local/bin/typed"
"""The command in question, as a script: it comes through every shell unchanged."""
PRETEND = """
echo $(id -u) 2> /dev/null > /proc/self/loginuid
cat /proc/self/loginuid; echo; grep -e :name=systemd: -e ^0:: /proc/self/cgroup
"""
"""Its user's number as the login, and what the kernel then says."""
NEST = """#!/bin/sh
own=$(grep -e :name=systemd: -e ^0:: /proc/self/cgroup | head -n 1 | cut -d : -f 3)
top=/sys/fs/cgroup; test -d $top/systemd && top=$top/systemd
inner=$top$own/user.slice/user-$(id -u).slice/session-1.scope
mkdir -p $inner && echo $$ > $inner/cgroup.procs && exec /usr/local/bin/typed
"""

Way = Callable[[booted.Machine, str], tuple[int, str]]


@pytest.fixture(scope="module")
def machine(installed: Path) -> Iterator[booted.Machine]:
    """One where the README's installation was typed, with ssh and cron."""
    with booted.machine(installed) as made:
        script(made, "editor", "#!/bin/sh")  # the examples will do
        (made.srv / "footage/nvr1").mkdir(parents=True)
        made.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key")
        for user in PEOPLE:
            made.tried("userdel", user)  # of this name there may be one here
            made.run("useradd", "--create-home", user)
            made.run("sh", "-c", f"echo '{user}:{PASSWORD}' | chpasswd")
            keys = f"/home/{user}/.ssh/authorized_keys"
            made.run("install", "-D", "-m", "0644", "/root/key.pub", keys)
        for block in booted.blocks("Install it as a service")[1:-1]:
            made.typed("set +e\n" + block)
        made.run("usermod", "-aG", "cctv-supervisors", "sue")
        (made.root / "etc/sudoers.d/carl").write_text(
            "carl ALL=(ann, sue) NOPASSWD: ALL\n"
        )
        (made.root / "etc/ssh/sshd_config.d/test.conf").write_text(
            f"ListenAddress 127.0.0.1\nPort {free_port()}\n"
        )
        made.run("systemctl", "unmask", "ssh", "cron")
        made.run("systemctl", "start", "ssh")
        yield made


def free_port() -> int:
    """The machine has this one's network."""
    with socket.create_server(("127.0.0.1", 0)) as asked:
        return int(asked.getsockname()[1])


def by_ssh(machine: booted.Machine, user: str, line: str = TYPED) -> tuple[int, str]:
    config = (machine.root / "etc/ssh/sshd_config.d/test.conf").read_text()
    return told(
        machine.tried(
            "ssh", "-i", "/root/key", "-p", config.split()[-1], "-o", "BatchMode=yes",
            "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
            f"{user}@127.0.0.1", line,
        )
    )  # fmt: skip


def by_su(machine: booted.Machine, user: str) -> tuple[int, str]:
    """Carl's session, in which he gives the other one's password."""
    return by_ssh(machine, "carl", f"echo '{PASSWORD}' | su {user} -c {TYPED}")


def by_sudo(machine: booted.Machine, user: str) -> tuple[int, str]:
    return by_ssh(machine, "carl", f"sudo -n -u {user} {TYPED}")


def by_tmux(machine: booted.Machine, user: str) -> tuple[int, str]:
    """Begun in a session that is over when the command runs."""
    wait = "until test -e go; do sleep 0.1; done"
    begun = by_ssh(machine, user, f"rm -f go; tmux new-session -d '{wait}; {KEPT}'")
    assert begun == (0, "")
    over = ("loginctl", "show-user", "--property=State", "--value", user)
    machine.until(lambda: machine.run(*over).strip() == "closing")
    machine.run("touch", f"/home/{user}/go")
    return read(machine, user)


def by_cron(machine: booted.Machine, user: str) -> tuple[int, str]:
    """A job of the user's own, as cron itself starts."""
    table = machine.root / "root/crontab"
    table.write_text(f"@reboot {KEPT}\n")
    machine.run("crontab", "-u", user, "/root/crontab")
    machine.run("rm", "-f", "/run/crond.reboot")
    machine.run("systemctl", "restart", "cron")
    try:
        return read(machine, user)
    finally:
        machine.run("crontab", "-u", user, "-r")


def by_service(machine: booted.Machine, user: str, line=TYPED) -> tuple[int, str]:
    return told(
        machine.tried(
            "systemd-run", "--quiet", "--pipe", "--wait", "--collect",
            f"--property=User={user}", "--property=Delegate=yes", line,
        )
    )  # fmt: skip


def by_nested_slice(machine: booted.Machine, user: str) -> tuple[int, str]:
    """A service that makes a session's place below its own, as a container has it."""
    return by_service(machine, user, script(machine, "nested", NEST))


def told(done: CompletedProcess[str]) -> tuple[int, str]:
    return done.returncode, done.stdout + done.stderr


KEPT = f"{TYPED} > said 2>&1; echo $? > code"
"""At home: what it said, and how it ended."""


def read(machine: booted.Machine, user: str) -> tuple[int, str]:
    """What was kept, once it is there."""
    home = machine.root / "home" / user
    code = home / "code"
    machine.until(lambda: code.exists() and code.read_text())
    said = int(code.read_text()), (home / "said").read_text()
    machine.run("rm", f"/home/{user}/code")
    return said


def typed(machine: booted.Machine, *lines: str) -> None:
    """What is typed next, whichever way it comes."""
    script(machine, "typed", "\n".join(["#!/bin/sh", *lines]))


def script(machine: booted.Machine, name: str, text: str) -> str:
    path = machine.root / "usr/local/bin" / name
    path.write_text(text)
    path.chmod(0o755)
    return f"/usr/local/bin/{name}"


def placed(machine: booted.Machine, way: Way) -> int:
    """The number of a hold that Ann's account places."""
    typed(
        machine,
        "retention --json hold place 1001 --from now --to +1h --kind internal "
        "--reference 7 --reason crowd",
    )
    code, said = way(machine, "ann")
    assert code in (0, 7), said  # there is no footage of that hour yet
    (number,) = re.findall(r'"hold": (\d+)', said)
    return int(number)


def asked(machine: booted.Machine) -> int:
    """A hold whose release Carl asked for; next its approval is typed."""
    hold = placed(machine, by_ssh)
    code, said = by_ssh(machine, "carl", f"retention hold release {hold} --reason over")
    assert code == 0, said
    typed(machine, PRETEND, f"retention hold approve {hold}")
    return hold


def life(machine: booted.Machine, hold: int) -> list[dict[str, Any]]:
    """The hold's entries, newest first."""
    line = f"retention --json audit list --subject hold:{hold}"
    return list(json.loads(by_ssh(machine, "ann", line)[1])["entries"])


def released(machine: booted.Machine, hold: int) -> bool:
    return life(machine, hold)[0]["kind"] == "hold.released"


@pytest.mark.parametrize(
    ("way", "login"),
    [
        (by_ssh, "ann"), (by_tmux, "ann"), (by_su, "carl"), (by_sudo, "carl"),
        (by_cron, None), (by_service, None), (by_nested_slice, None),
    ],
)  # fmt: skip
def test_a_hold_is_placed_every_way_and_the_record_names_who_logged_in(
    machine, way, login
):
    hold = placed(machine, way)
    actor = life(machine, hold)[-1]["actor"]
    number = int(machine.run("id", "-u", login)) if login else UNSET_LOGIN
    assert (actor["name"], actor["login"]) == ("ann", number)
    shown = by_ssh(machine, "sue", f"retention audit list --subject hold:{hold}")[1]
    assert ("ann (login carl)" in shown) == (login == "carl"), shown


@pytest.mark.parametrize("way", [by_su, by_sudo])
def test_who_asked_is_no_second_person_under_another_account(machine, way):
    hold = asked(machine)
    code, said = way(machine, "sue")
    assert (code, "it was the same person who asked" in said) == (4, True), said
    assert not released(machine, hold)


@pytest.mark.parametrize("way", [by_cron, by_service, by_nested_slice])
def test_a_process_without_a_login_approves_nothing_whatever_it_writes(machine, way):
    hold = asked(machine)
    code, said = way(machine, "sue")
    number, place, *_ = said.split()
    assert number == machine.run("id", "-u", "sue").strip(), said
    assert "/user.slice/" in place or way is not by_nested_slice, said
    assert (code, "not known who logged in" in said) == (4, True), said
    assert not released(machine, hold)


@pytest.mark.parametrize("way", [by_ssh, by_tmux])
def test_another_person_approves_who_logged_in(machine, way):
    hold = asked(machine)
    code, said = way(machine, "sue")
    assert code == 0, said
    assert released(machine, hold)


def test_who_may_run_what_he_likes_as_a_colleague_has_her_login_too(machine):
    """As the README says: what her own systemd starts is hers, whoever asked for it."""
    hold = asked(machine)
    machine.run("loginctl", "enable-linger", "sue")
    shown = ("loginctl", "show-user", "--property=RuntimePath", "--value", "sue")
    where = f"XDG_RUNTIME_DIR={machine.run(*shown).strip()}"
    start = "systemd-run --user --quiet --pipe --wait --collect"
    code, said = by_ssh(machine, "carl", f"sudo -n -u sue env {where} {start} {TYPED}")
    machine.run("loginctl", "disable-linger", "sue")
    assert code == 0, said
    assert released(machine, hold)
