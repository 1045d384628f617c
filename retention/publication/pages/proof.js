"use strict";
/* cctv-retention explorer: proofs to hand on (FORMAT.md, "Proof files").  Whoever has the
   log's key checks one with `retention audit verify FILE --key KEY`. */

/** The proof of an entry, or of one of its rows.  `index` tells what else belongs to it:
    what became of the row, which id its camera had, whether it came back unsigned. */
async function proofFile(log, number, row, index) {
  const one = await log.entry(number);
  const extra = { format: "cctv-retention-proof/1", key: log.key.text, entry: one.text };
  const restored = index.cameBack(number);
  if (restored !== null) extra.restored = await provenEntry(log, restored);
  if (row !== null) {
    const rows = await log.rows(one.entry);
    extra.row = provenRow(rows, row);
    const values = named(rows, row);
    const giver = index.giver(values.camera, values.start);
    if (giver !== null) extra.camera = await provenEntry(log, giver);
    if (one.entry.kind === INTENDED) extra.completion = await provenCompletion(log, index, one.entry);
  }
  const path = (await log.path(one)).map(base64);
  const lines = [
    "c2sp.org/tlog-proof@v1",
    `extra ${base64(utf8(canonical(extra)))}`,
    `index ${number}`,
    ...path,
  ];
  return `${lines.join("\n")}\n\n${log.note}`;
}

function provenRow(rows, row) {
  const bytes = saltedRow(rows.seed, row, rows.rows[row]);
  return {
    number: row,
    columns: rows.names,
    salt: base64url(bytes.slice(0, SALT)),
    text: textOf(bytes.slice(SALT)),
    path: pathIn(row, rows.hashes).map(base64),
  };
}

async function provenEntry(log, number) {
  const one = await log.entry(number);
  return { entry: one.text, path: (await log.path(one)).map(base64) };
}

/** The entry that says what became of a batch, with the row file of its exceptions. */
async function provenCompletion(log, index, intent) {
  const { number } = await outcomesOf(log, index, intent);
  if (number === null) {
    throw new NotHere("What became of this row is not on record here: its batch is open.");
  }
  const found = await provenEntry(log, number);
  const { entry } = await log.entry(number);
  if ("rows_sha256" in entry) found.exceptions = base64(await log.rowFile(entry));
  return found;
}
