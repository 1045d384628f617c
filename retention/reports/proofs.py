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
from retention.tlog.kinds import telling
from retention.tlog.note import Verifier
from retention.tlog.source import INTENDED, LOST, Query, Source, apart


def key_answer(verifier: Verifier) -> LogKey:
    """The key that a log's heads are signed with, and its fingerprint for paper."""
    return LogKey(verifier.name, verifier.vkey, note.fingerprint(verifier.vkey))


def camera_at(
    source: Source,
    camera: str,
    at: str,
    moment: Moment,
    key_of: Callable[[str], int],
) -> tuple[int, int, int | None]:
    """The entry and the row that say what became of the recording of a camera at an
    instant, and the entry that says which id the camera has."""
    instant, key = moment.instant(at), key_of(camera)
    entry, row = _the_one(_gone(source, key, instant), camera, at)
    labels = source.backwards(Query(telling("ids"), camera=key))
    label = next(labels, None)
    return entry, row, None if label is None else label.number


def prove(
    source: Source,
    published: Published,
    vkey: str,
    entry: int,
    row: int | None,
    disclose: Collection[str] = (),
    label: int | None = None,
) -> Proof:
    """The proof of one entry, with these committed fields opened, or of one row of it;
    of a deletion, of what became of it too.  It shows no other row.  `label` is the
    entry that says which id its camera has."""
    record = source.entry(entry)
    texts = _disclosures(source, entry, disclose)
    if row is None:
        text = proof.prove_entry(published, entry, vkey=vkey, disclosures=texts)
    else:
        done = source.completion(entry) if record.kind == INTENDED else None
        number = None if done is None else done.number
        text = proof.prove_row(published, entry, row, completion=number, vkey=vkey)
    return Proof(entry, row, record.kind, text, label)


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
        if record.kind == INTENDED and apart(record.entry["fields"], [window]):
            continue
        places = render.places(record.read(), camera, window)
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
