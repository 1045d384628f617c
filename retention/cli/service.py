"""`retention init | check | run | schema | demo`: what the service's keepers type."""

from __future__ import annotations

import click

from retention.cli.base import Session, group, with_session
from retention.cli.display import facts


@click.command("init")
@with_session
def init(session: Session) -> None:
    """Make catalogue, signing key and the roots' identity files; never overwrites.

    \b
    Example:
      sudo -u cctv-retention retention init
    """
    from retention.init import initialise

    session.answer(initialise(session.client.settings) or {}, facts)


@click.command("check")
@with_session
def check(session: Session) -> int:
    """Configuration and environment: each finding with what to do.

    \b
    Example:
      retention check

    Exit status 1: something must be mended before footage is deleted on time.
    """
    return 0


@click.command("run")
@click.pass_obj
def run(session: Session) -> None:
    """Run the daemon in the foreground; systemd starts this.

    \b
    Example:
      systemctl start cctv-retention
      sudo -u cctv-retention retention run
    """
    from retention.daemon import run as run_daemon

    run_daemon(session.client.settings)


@group("schema")
def schema() -> None:
    """The catalogue's form: upgrade.

    \b
    Example:
      sudo -u cctv-retention retention schema upgrade
    """


@schema.command("upgrade")
@with_session
def upgrade(session: Session) -> None:
    """Bring an older catalogue up to this program.  Stop the daemon, make a copy first.

    \b
    Example:
      systemctl stop cctv-retention
      sudo -u cctv-retention retention schema upgrade
    """


@click.command("demo")
@click.pass_obj
def demo(session: Session) -> None:
    """A small archive, the real daemon, a hold, deletions, a verified log.

    Works in a directory of its own, touches nothing else, ends by itself.

    \b
    Example:
      retention demo
    """
    from retention.demo import demo as run_demo

    run_demo()
