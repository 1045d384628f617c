"use strict";
/* cctv-retention explorer: the rows that lie beside an entry (FORMAT.md, "Row files"). */

const INFLATED = 32 * 2 ** 20;
const SALT = 16;

/** The rows of an entry: names of the columns, rows, and the hash of each row.

    Nothing is given out that is not what the signed entry speaks of. */
async function readRows(entry, bytes) {
  const where = `The row file rows/${digits(entry.index)} of entry ${entry.index}`;
  if (!same(sha256(bytes), fromBase64url(entry.rows_sha256))) {
    throw new Altered(`${where} was changed: its hash is not the one in the signed entry.`);
  }
  let found = null;
  try {
    found = rowsIn(JSON.parse(textOf(await inflate(bytes))));
  } catch {
    throw new Altered(`${where} is none that this format knows.`);
  }
  found.hashes = found.rows.map((row, number) => leafHash(saltedRow(found.seed, number, row)));
  if (found.rows.length !== entry.rows || !same(rootOf(found.hashes), fromBase64url(entry.rows_root))) {
    throw new Altered(`${where} has other rows than the signed entry speaks of.`);
  }
  return found;
}

/** What zlib packed; a small file that inflates beyond the limit can't fill the memory. */
async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const parts = [];
  let size = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    size += value.length;
    if (size > INFLATED) {
      await reader.cancel();
      throw new Altered("too large");
    }
    parts.push(value);
  }
}

function rowsIn(file) {
  if (file.v !== 1) throw new Altered("another version");
  const columns = new Map(file.columns.map((one) => [one.name, unpacked(one, file.count)]));
  for (const one of file.columns) {
    for (const other of one.add ?? []) {
      const added = columns.get(other);
      columns.set(one.name, columns.get(one.name).map((value, row) => value + added[row]));
    }
  }
  const names = [...columns.keys()];
  const rows = Array.from({ length: file.count }, (_, row) =>
    names.map((name) => columns.get(name)[row]),
  );
  return { names, rows, seed: fromBase64url(file.seed) };
}

/** A column's values, written as they are, as differences, or from a base. */
function unpacked(column, count) {
  if (column.values.length !== count) throw new Altered("a column of another length");
  if (column.steps) {
    let sum = 0;
    return column.values.map((step) => (sum += step));
  }
  return "base" in column ? column.values.map((value) => value + column.base) : column.values;
}

/** The bytes of which a row's leaf is made: the salt keeps neighbours from being guessed. */
function saltedRow(seed, number, row) {
  return concat(hmac(seed, eightBytes(number)).slice(0, SALT), utf8(JSON.stringify(row)));
}

/** A row by the names of its columns. */
function named(found, number) {
  return Object.fromEntries(found.names.map((name, at) => [name, found.rows[number][at]]));
}
