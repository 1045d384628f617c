"""Proofs of one entry or one row, for somebody else; written once, of whatever source."""

from __future__ import annotations

from collections.abc import Callable, Collection

from retention.model.answers.proof import LogKey, Proof
from retention.model.errors import RetentionError, UsageError
from retention.model.localtime import Moment
from retention.model.values import Micros, Window
from retention.reports.entries import outcomes_shown
from retention.tlog import note, proof, render
from retention.tlog.directory import Published
from retention.tlog.kinds import KINDS, telling
from retention.tlog.note import Verifier
from retention.tlog.source import INTENDED, LOST, Query, Record, Source, apart


def key_answer(verifier: Verifier) -> LogKey:
    """The key that a log's heads are signed with, and its fingerprint for paper."""
    return LogKey(verifier.name, verifier.vkey, note.fingerprint(verifier.vkey))


def camera_at(
    source: Source,
    camera: str,
    at: str,
    moment: Moment,
    key_of: Callable[[str], int],
) -> tuple[int, int]:
    """The entry and the row that say what became of the recording of a camera at an
    instant."""
    instant, key = moment.instant(at), key_of(camera)
    return _the_one(_gone(source, key, instant), camera, at)


def prove(
    source: Source,
    published: Published,
    vkey: str,
    entry: int,
    row: int | None,
    disclose: Collection[str] = (),
) -> Proof:
    """The proof of one entry, with these committed fields opened, or of one row of it and
    the published id of its camera; of a deletion, of what became of it too.  It shows no
    other row."""
    record = source.entry(entry)
    texts = _disclosures(source, entry, disclose)
    restored = _restored(record)
    back = [] if restored is None else [entry]
    if row is None:
        text = proof.prove_entry(
            published, entry, vkey=vkey, disclosures=texts, restored=restored
        )
        return Proof(entry, row, record.kind, text, None, None, back)
    done = source.completion(entry) if record.kind == INTENDED else None
    number = None if done is None else done.number
    label, name = _named(source, record, row) or (None, None)
    text = proof.prove_row(
        published, entry, row, completion=number, label=label, vkey=vkey,
        restored=restored,
    )  # fmt: skip
    return Proof(entry, row, record.kind, text, label, name, back)


def _restored(record: Record) -> int | None:
    """The entry that says that this one came back unsigned; None where it did not."""
    if record.unsigned is None or not record.unsigned.came_back:
        return None
    if record.unsigned.restored is None:
        raise RetentionError(
            f"entry {record.number} came back from a published directory under no signed "
            "head, and that is not on record yet: try again in some minutes"
        )
    return record.unsigned.restored


def _named(source: Source, record: Record, row: int) -> tuple[int, str] | None:
    """The entry that gave the camera of a row its published id, and that id: the last
    one before the recording's start, else the first of all."""
    if "rows" not in record.entry or not 0 <= row < record.entry["rows"]:
        return None  # `prove_row` says so
    columns = record.read({"camera", "start"}).columns
    if len(columns) != 2:
        return None
    camera, start, found = columns["camera"][row], columns["start"][row], None
    for said in source.backwards(Query(telling("ids"), camera=camera)):
        if said.is_void:
            continue
        given = KINDS[said.kind].id_given(said.entry["fields"])
        if given is not None and given[0] == camera:
            found = said.number, given[1]
            if said.entry["at"] <= start:
                break
    return found


def _disclosures(source: Source, entry: int, names: Collection[str]) -> dict[str, str]:
    texts = source.disclosures(entry) if names else {}
    for name in names:
        if name not in texts:
            known = ", ".join(sorted(texts)) or "none"
            raise UsageError(
                f"entry {entry} has no field {name} that could be disclosed: it has "
                f"{known}"
            )
    return {name: texts[name] for name in names}


def _gone(source: Source, camera: int, at: Micros) -> list[tuple[int, int]]:
    """Entry and row of each recording of that instant that is on record as gone."""
    window = Window(at, at + 1)
    query = Query((INTENDED, LOST), camera=camera, footage=window)
    found = []
    for record in source.backwards(query):
        passed = record.kind == INTENDED and apart(record.entry["fields"], [window])
        if passed or record.is_void:
            continue
        places = render.places(record.read(), {camera}, window)
        became = outcomes_shown(source, record) if places else None
        found += [
            (record.number, place)
            for place in places
            if became is None or ((said := became.of(place)) and said.gone)
        ]
    return sorted(found)


def _the_one(found: list[tuple[int, int]], camera: str, at: str) -> tuple[int, int]:
    """The only one; RetentionError where there is none, or one must be chosen."""
    if not found:
        raise RetentionError(
            f"the log has nothing on record of a recording of camera {camera} at {at} "
            f"that was deleted or lost: `retention audit find --camera {camera} --at "
            f'"{at}"` says what it has'
        )
    if len(found) > 1:
        names = ", ".join(f"`--row {row}` of entry {entry}" for entry, row in found)
        raise RetentionError(
            f"{len(found)} recordings of camera {camera} at {at} are on record as gone: "
            f"choose {names}, as in `retention audit prove {found[0][0]} --row "
            f"{found[0][1]}`"
        )
    return found[0]
