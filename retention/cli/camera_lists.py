"""What `retention camera import` tells: a list that was taken in, pairs to edit."""

from __future__ import annotations

from retention.cli.base import Answer
from retention.cli.display import counted, safe, table


def imported(answer: Answer, zone: str) -> str:
    """What became of the list, and what to type about each refused line."""
    refused = answer["refused"]
    lines = [
        f"{counted(len(answer['added']), 'camera')} added, "
        f"{len(answer['changed'])} changed, {answer['unchanged']} unchanged, "
        f"{len(answer['unlisted'])} no longer listed, {len(refused)} refused."
    ]
    for one in refused:
        lines.append(
            f"Refused: line {one['line']}, camera {safe(one['id'])} "
            f"({safe(one['location'])}): {safe(one['reason'])}. One of these is true:"
        )
        lines += [f"  {safe(command)}" for command in one["commands"]]
    return "\n".join([*lines, *_notes(answer)])


def _notes(answer: Answer) -> list[str]:
    return [f"Note: {safe(text)}." for text in answer["notes"]]


def proposed(answer: Answer, zone: str) -> str:
    """The pairs that were written, and what to do with their file."""
    if not answer["pairs"]:
        return "\n".join(["No camera seems to have a new id.", *_notes(answer)])
    lines = [
        f"{counted(len(answer['pairs']), 'pair')} written to {safe(answer['wrote'])}; "
        "nothing was changed.",
        "Edit its column `apply`, then: retention camera renumber --file "
        f"{safe(answer['wrote'])}",
        table(
            ("old", "new", "metres", "apply", "why"),
            [
                (
                    one["old"],
                    one["new"],
                    one["metres"],
                    "yes" if one["apply"] else "no",
                    one["why"],
                )
                for one in answer["pairs"]
            ],
        ),
    ]
    return "\n".join([*lines, *_notes(answer)])
