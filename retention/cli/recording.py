"""`retention recording`: finished footage files, and rulings on doubtful ones."""

from __future__ import annotations

import click

from retention.cli.base import Answer, Session, group, with_session
from retention.cli.display import length, local, size, table


@group("recording")
def recording() -> None:
    """The recordings: list | show | resolve.

    \b
    Example:
      retention recording list --camera 1001 --from "yesterday 21:00" --to now
    """


@recording.command("list")
@click.option("--camera", metavar="ID", help="Of this camera.")
@click.option("--from", "since", metavar="TIME", help="From this instant on.")
@click.option("--to", "until", metavar="TIME", help="Before this instant.")
@click.option("--limit", type=click.IntRange(min=1), help="No more than this many.")
@with_session
def list_(session: Session, **given: str | int | None) -> None:
    """Recordings that overlap a stretch of time, oldest first.

    \b
    Example:
      retention recording list --camera 1001 --from "24/10/2026 21:00" --to "24/10/2026 22:00"
    """
    session.answer(session.ask("recording.list", **given), _recordings)


def _recordings(answer: Answer, zone: str) -> str:
    return table(
        ("camera", "start", "length", "size", "state"),
        [
            (
                one["camera"],
                local(one["start"], zone),
                length(one["duration"]),
                size(one["bytes"]),
                one["state"],
            )
            for one in answer["recordings"]
        ],
    )
