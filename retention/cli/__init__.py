"""The command line: global options, the commands by noun, and how a run ends."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click
from click.exceptions import NoArgsIsHelpError

from retention import __version__
from retention.cli import display
from retention.cli.base import Group, Session, write_commands
from retention.model.errors import RetentionError, bounded

INTERRUPTED = 130  # as shells say it: 128 + SIGINT

SECTIONS: dict[str, tuple[str, ...]] = {
    "What is happening": ("status", "alarm", "plan"),
    "Footage and evidence": ("hold", "recording", "camera"),
    "Proof": ("audit", "report"),
    "Deletion and storage": ("deletion", "policy", "guard", "root"),
    "Service": ("init", "check", "run", "schema", "api", "demo"),
}
"""The commands by what they are for, in the order in which help shows them."""

_MODULES = {"plan": "status"}
_MODULES |= {noun: f"{noun}.commands" for noun in ("hold", "audit", "report")}
_MODULES |= dict.fromkeys(SECTIONS["Service"], "service")
"""Where a command is that has no module of its own."""


class Retention(Group):
    """The program.  A command's module is loaded when the command is wanted: one of
    them is typed at a time, and all together take longer to load than most to do."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, in the order of help."""
        return [name for names in SECTIONS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in self.commands and cmd_name in self.list_commands(ctx):
            module = _MODULES.get(cmd_name, cmd_name)
            found = getattr(import_module(f"retention.cli.{module}"), cmd_name)
            self.add_command(found)
        return self.commands.get(cmd_name)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """One list a section, each noun with its verbs."""
        for title, names in SECTIONS.items():
            found = (self.get_command(ctx, name) for name in names)
            write_commands(formatter, title, [one for one in found if one])


@click.command(
    "retention",
    cls=Retention,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 88,
    },
)
@click.option(
    "--config",
    envvar="RETENTION_CONFIG",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="The configuration; else RETENTION_CONFIG, else "
    "/etc/cctv-retention/retention.toml.",
)
@click.option(
    "--socket",
    "socket_path",
    envvar="RETENTION_SOCKET",
    metavar="PATH",
    type=click.Path(path_type=Path, readable=False),
    help="Where the service listens; else as the configuration says, else "
    "/run/cctv-retention/api.sock.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, times in UTC.")
@click.version_option(__version__, prog_name="retention")
@click.pass_context
def retention(
    context: click.Context,
    config: Path | None,
    socket_path: Path | None,
    as_json: bool,
) -> None:
    """Deletes CCTV footage when its retention period is over, never while it is
    under an evidence hold, and keeps an audit log that proves it.

    \b
    Examples:
      retention status
      retention hold place          on a terminal: asks for everything in turn
      retention hold list
      retention COMMAND --help          help for one command, with an example

    \b
    Times:  2026-10-24 21:00   24/10/2026 21:00   yesterday 21:00   now   +2h
            are the site's local time; 2026-10-24T20:00Z is UTC.

    \b
    Exit status:
      0  done                              5  verification failed
      1  refused or failed: see the text   6  deletion is stopped, or a promise broken
      2  wrong usage                       7  done, but not all is preserved
      3  the daemon can't be reached       8  something else needs a person
      4  not permitted
    """
    context.obj = Session(config, socket_path, as_json)
    context.color = display.colour_wanted()


def main() -> NoReturn:
    """Run the program on this process's arguments and end with its status."""
    status = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:  # said already; at its end the interpreter would say it once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = status or 1
    sys.exit(status)


def run(arguments: list[str]) -> int:
    """Run one command; its exit status.  What went wrong is one sentence on stderr."""
    try:
        status = retention.main(arguments, prog_name="retention", standalone_mode=False)
    except click.Abort:
        display.note("")
        display.note(
            "retention: interrupted; `retention audit list` shows what was done"
        )
        return _failed(INTERRUPTED)
    except NoArgsIsHelpError as error:
        display.note(error.format_message())
        return error.exit_code
    except click.ClickException as error:
        return _failed(_wrong_usage(error))
    except RetentionError as error:
        display.note(f"retention: {error}")
        return _failed(error.exit_status)
    except OSError as error:
        display.note(f"retention: {_system(error)}")
        return _failed(1)
    except Exception as error:  # noqa: BLE001 - the last stop: no traceback reaches a user
        display.note(f"retention: {_unexpected(error)}")
        return _failed(1)
    return status if isinstance(status, int) else 0


def _failed(status: int) -> int:
    if os.environ.get("RETENTION_DEBUG") == "1":
        import traceback

        traceback.print_exc()
    return status


def _wrong_usage(error: click.ClickException) -> int:
    display.note(f"retention: {bounded(error.format_message())}")
    if isinstance(error, click.UsageError) and error.ctx is not None:
        display.note(f"Try `{error.ctx.command_path} --help`.")
    return error.exit_code


def _system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    why = (error.strerror or str(error)).lower()
    if isinstance(error, PermissionError):
        return (
            f"{where}{why}: where it is the service's, it is for root and the service's "
            "user. Type it as that one, `sudo -u cctv-retention retention ...`; for who "
            "audits, root makes a copy of the log, `retention audit copy DIR`"
        )
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return f"{where}{why}: correct the path"
    return f"{where}{why}; set RETENTION_DEBUG=1 to see where it happened"


def _unexpected(error: Exception) -> str:
    return (
        f"a fault in this program ({type(error).__name__}: {display.safe(error)}); "
        "a change is made whole or not at all, `retention audit list` shows which. "
        "Set RETENTION_DEBUG=1 and try again to see the details, for whoever mends it"
    )
