"""The verb audit.verify: the live log against what was published and signed of it.

Both sides are computed from their entries; the signed heads tie them together.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retention.catalogue import heads as own_heads
from retention.catalogue import log_check, raised
from retention.control import guards, in_force
from retention.model.answers.proof import FaultFound, LogChecked
from retention.model.errors import CatalogueError, VerificationError
from retention.publication.compare import verifier_of
from retention.publication.publisher import BESIDE_KEY
from retention.tlog import note
from retention.tlog.canonical import base64url
from retention.tlog.directory import CHECKPOINT, Published, note_at
from retention.tlog.verify import findings
from retention.tlog.verify.findings import Depth, Fault, Verification
from retention.tlog.verify.published import verify_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retention.control.context import Context
    from retention.tlog.note import Verifier

_TRIES = 4

_ELSEWHERE = "; run `retention audit verify`"
"""What errors say of it to whoever has not asked it yet."""


def audit_verify(
    context: Context, *, deep: bool | None = None, sums: bool | None = None
) -> LogChecked:
    """Compute the whole log again, and its published copy, and compare them.

    Says up to which entry each is intact, or what is wrong; `ok` false is exit status 5.
    """
    directory = context.settings.published_log
    heads: dict[int, log_check.Signed] = {}
    wrong: list[Fault] = []
    try:
        verifier = verifier_of(context.catalogue)
        notes = _notes(context)
        wrong = _signed(notes, verifier, heads)
    except (CatalogueError, KeyError, TypeError, ValueError) as error:
        wrong = [Fault(0, f"does not say what the log's key is: {error}")]
    own = log_check.verify_catalogue(context.catalogue, deep=bool(deep), signed=heads)
    for one in wrong:
        own.add(one)
    depth = Depth.DEEP if deep else Depth.SUMS if sums else Depth.TREE
    copy = None
    if not wrong and heads:  # signed, so published: a missing head was removed
        # Its entries are under the same signed roots and its row files under the same
        # digests: rows that were read in the catalogue need not be read twice.
        again = Depth.TREE if deep and own.ok else depth
        copy = _published(directory, verifier, again)
    rows = in_force.found(context)
    stands = _stands(context)
    ok = own.ok and (copy is None or copy.ok) and not rows.less and not stands
    fault = own.fault
    law = None if own.verdict is None else findings.of_law(own.verdict)
    return LogChecked(
        ok=ok and (law is None or law.lawful),
        lawful=None if law is None else law.lawful,
        law=law,
        entries=own.size,
        intact=own.intact,
        root=base64url(own.root),
        deep=own.deep,
        rows=own.rows,
        withheld=own.withheld,
        open_intents=own.open_intents,
        fault=None if fault is None else FaultFound(fault.entry, fault.what),
        published=None if copy is None else findings.answer(copy, str(directory)),
        mismatches=[one.replace(_ELSEWHERE, "") for one in rows.less],
        unlogged=rows.more,
        stands=stands,
        summary=summary(own, copy) + _of_rows(own, rows) + _of_guards(stands),
    )


def _of_rows(own: Verification, rows: in_force.Differences) -> str:
    text = ""
    if rows.less and own.fault is not None:  # a repair goes by the log, and refuses
        text += "; nothing says for sure what is in force"
    elif rows.less:
        text += (
            f"; but the catalogue's rows protect less than it says: {rows.less[0]}. An "
            "administrator and a supervisor put back what the log has, `retention schema "
            "repair`"
        )
    if rows.more:
        text += f"; the catalogue's rows keep what is not in the log: {rows.more[0]}"
    return text


def _stands(context: Context) -> dict[str, str]:
    """The guards of the log that stand, and why: heads in footage roots, in `log_copy` and
    in the journal only the service reads, and what they contradict this can't see."""
    with context.catalogue.read() as tx:
        found = [raised.find(tx, one, "") for one in (guards.CATALOGUE, guards.LOG)]
    return {one.name: one.detail for one in found if one is not None}


def _of_guards(stands: Mapping[str, str]) -> str:
    if not stands:
        return ""
    return f"; but guard {' and guard '.join(stands)} of the log stands"


def _notes(context: Context) -> list[tuple[str, bytes]]:
    """Every signed head that is kept on this machine: where, and its bytes."""
    directory = context.settings.published_log
    found = [(str(directory / at), data) for at, data in Published(directory).kept()]
    found += note_at(directory / CHECKPOINT)
    found += note_at(context.settings.state_directory / BESIDE_KEY)
    with context.catalogue.read() as tx:
        own = own_heads.newest(tx)
    return [*found, ("the catalogue", own.note.encode())] if own else found


def _signed(
    notes: list[tuple[str, bytes]],
    verifier: Verifier,
    heads: dict[int, log_check.Signed],
) -> list[Fault]:
    """Enter every signed head; what is wrong with those that are none."""
    faults = []
    for where, data in notes:
        try:
            found = note.open_checkpoint(data, verifier)
        except VerificationError as error:
            faults.append(Fault(None, f"the checkpoint in {where}: {error}"))
            continue
        if (
            heads.setdefault(found.size, log_check.Signed(where, found.root)).root
            != found.root
        ):
            faults.append(
                Fault(
                    None,
                    f"two checkpoints of {found.size} entries were signed with "
                    f"different roots, in {heads[found.size].where} and {where}: keep "
                    "both, the key signed a fork",
                )
            )
    return faults


def _published(directory: Path, verifier: Verifier, depth: Depth) -> Verification:
    """The check of the directory, while it may be published into: a fault counts once it
    was found twice."""
    before: list[Fault] | None = None
    for _ in range(_TRIES):
        try:
            report = verify_directory(directory, verifier, depth=depth)
        except VerificationError as error:
            report = Verification(0, depth)
            report.add(Fault(None, str(error)))
        if report.ok or report.faults == before:
            break
        before = report.faults
    return report


def summary(own: Verification, copy: Verification | None) -> str:
    """Both reports in one sentence."""
    if own.fault is not None:
        before = (
            f"entries 0 to {own.fault.entry - 1} are intact"
            if own.fault.entry
            else "no entry is known to be intact"
        )
        return f"the audit log is NOT what was written: {own.fault.sentence}; {before}"
    if not own.size:
        return "the audit log is empty: run `retention init`"
    text = f"the audit log is intact to entry {own.size - 1}"
    if own.verdict is not None and own.verdict.violations:
        text += f", but NOT lawful: {own.verdict.violations[0].sentence}"
    elif own.verdict is not None:
        text += " and lawful"
    if copy is None:
        return f"{text}; nothing of it was published yet"
    if copy.fault is not None:
        return f"{text}; but its published copy is NOT intact: {copy.fault.sentence}"
    return f"{text}; its published copy is intact to entry {copy.size - 1}"
