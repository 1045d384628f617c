"""What a proof shows, for the person it was given to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention.cli.audit.texts import CAME_BACK, field_text, title
from retention.cli.base import Session
from retention.cli.display import alarm, good, local, pairs, put, put_json, safe
from retention.model import codec
from retention.model.answers.audit import EntryShown
from retention.model.errors import UsageError, VerificationError

if TYPE_CHECKING:
    from retention.tlog.proof import Proved

_ZONE = "UTC"
"""A proof does not say in which zone its readers live."""


def verify(session: Session, file: Path, key: str | None) -> int:
    """Check a proof and say what it proves; VerificationError where it does not."""
    from retention.tlog import proof
    from retention.tlog.known_key import verifier_of

    if not file.is_file():
        raise UsageError(f"{file} is no file: name a proof, or a published log")
    try:
        if file.stat().st_size > proof.SIZE_LIMIT:
            raise UsageError(f"{file} is too large for a proof")
        text = file.read_bytes().decode().replace("\r\n", "\n")  # as a mail has it
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no proof: it is not text") from None
    if not text.startswith(proof.FIRST_LINE):
        raise UsageError(
            f"{file} is no proof of an audit log; a published log is a directory"
        )
    if key is None:
        raise UsageError(
            "name the log's key with --key: the fingerprint noted on paper, the key's "
            "text, or a file with it, from somebody you trust"
        )
    verifier = verifier_of(key, offered=proof.vkey_in(text))
    try:
        proved = proof.verify_proof(text, verifier)
    except VerificationError as error:
        raise VerificationError(f"{file} proves nothing: {error}") from error
    answer = _answer(proved)
    if session.as_json:
        put_json(codec.to_json(answer))
    else:
        put(_text(answer))
    return 0


def _answer(proved: Proved) -> dict[str, Any]:
    from retention.model.localtime import format_utc
    from retention.tlog import render

    def opened(number: int) -> EntryShown:
        found = render.entry(proved.entries[number])
        if number != proved.number:
            return found
        back = proved.restored is not None
        return replace(
            found,
            signed=not back,
            came_back=back,
            fields=found.fields | proved.disclosed,
            withheld=sorted(set(found.withheld) - proved.disclosed.keys()),
        )

    between = proved.between
    return {
        "origin": proved.checkpoint.origin,
        "size": proved.checkpoint.size,
        "entry": opened(proved.number),
        "others": [opened(n) for n in proved.entries if n != proved.number],
        "row": proved.row,
        "camera": proved.camera,
        "values": None if proved.values is None else render.values(proved.values),
        "outcome": proved.outcome,
        "between": None if between is None else [format_utc(at) for at in between],
        "restored": proved.restored,
    }


_OUTCOMES = {
    "deleted": "was deleted by the program",
    "absent_after_crash": "was deleted by the program, which crashed meanwhile",
    "absent": "was gone before the program came to delete it",
    "rescued": "was NOT deleted: a hold covered it",
    "changed": "was NOT deleted: the file was not what was catalogued",
    "failed": "was NOT deleted: the file could not be removed",
    "stopped": "was NOT deleted: deletion was stopped before",
}


def _text(answer: dict[str, Any]) -> str:
    return "\n".join(
        [
            *_says(answer),
            "",
            pairs(_facts(answer)),
            "",
            "It was written so in this log, and not altered since its checkpoint. A log "
            "can't show\nthat what was written is true.",
        ]
    )


def _says(answer: dict[str, Any]) -> Iterator[str]:
    entry, values = answer["entry"], answer["values"]
    if answer["restored"] is not None:
        yield alarm(
            f"Entry {entry.number} {CAME_BACK.upper()}, as entry {answer['restored']} "
            "says: anybody may have written it."
        )
    if values is None:
        yield good(
            f"Proven: entry {entry.number}, {safe(entry.kind)}, "
            f"written {local(entry.at, _ZONE)}."
        )
        return
    what = f"row {answer['row']} of entry {entry.number}"
    if {"camera", "start", "end"} <= values.keys():
        id_ = answer["camera"]
        which = f"key {values['camera']}" if id_ is None else safe(id_)
        what = (
            f"the recording of camera {which} from "
            f"{local(values['start'], _ZONE)} to {local(values['end'], _ZONE)}"
        )
    if answer["outcome"] is None:
        yield good(f"Proven: {what}, in an entry {safe(entry.kind)}.")
        return
    first, last = (local(at, _ZONE) for at in answer["between"])
    became = _OUTCOMES.get(answer["outcome"], safe(answer["outcome"]))
    yield good(f"Proven: {what} {became}, between {first} and {last}.")


def _facts(answer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "log", answer["origin"]
    yield "checkpoint", f"of {answer['size']} entries"
    for entry in [answer["entry"], *answer["others"]]:
        yield from _entry(entry)
    if answer["values"] is not None:
        yield "row", f"{answer['row']} of entry {answer['entry'].number}"
        for name, value in answer["values"].items():
            yield f"  {title(name, value)}", field_text(name, value, _ZONE)


def _entry(entry: EntryShown) -> Iterator[tuple[str, Any]]:
    yield "entry", f"{entry.number}, {entry.kind}"
    yield "  time", local(entry.at, _ZONE)
    actor = entry.actor
    yield "  by", f"uid {actor['uid']}, as {actor['role']}"
    for name, value in entry.fields.items():
        yield f"  {title(name, value)}", field_text(name, value, _ZONE)
    if entry.withheld:
        yield "  not shown", ", ".join(entry.withheld)
