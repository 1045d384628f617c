"use strict";
/* cctv-retention explorer: where the log lies.  Nothing that is read here is believed.

   A page that came over http fetches from the directory above its own; a page that was
   opened as a file may not read others, so a person picks the directory. */

const PATIENCE = 60000; // milliseconds for one file

/** The log on the server that this page came from. */
class HttpSource {
  constructor(base) {
    this.base = base;
    this.where = base.href;
  }

  /** The bytes of a file; null where there is none. */
  async read(path) {
    let answer = null;
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      answer = await fetch(new URL(path, this.base), { cache: "no-cache", signal });
      if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    } catch {
      throw new Unusable(`${path} can't be fetched: is the server still there?`);
    }
    if (answer.status === 404) return null;
    throw new Unusable(`The server says ${answer.status} of ${path}.`);
  }

  /** The heads that were kept: a server doesn't list them. */
  kept() {
    return [];
  }
}

/** The log in a directory that a person picked. */
class PickedSource {
  constructor(files) {
    const paths = Array.from(files, (file) => file.webkitRelativePath);
    const marks = paths.filter((path) => /(^|\/)(checkpoint|key)$/.test(path));
    const nearest = marks.sort((one, other) => one.length - other.length)[0];
    if (nearest === undefined) {
      throw new Unusable(
        "There is no log in that directory: pick the one that has the files key and checkpoint.",
      );
    }
    this.where = nearest.slice(0, nearest.lastIndexOf("/"));
    const inside = this.where.length + 1;
    this.files = new Map(Array.from(files, (file) => [file.webkitRelativePath.slice(inside), file]));
  }

  async read(path) {
    const file = this.files.get(path);
    if (!file) return null;
    try {
      return new Uint8Array(await file.arrayBuffer());
    } catch {
      throw new Unusable(`${path} can't be read: was the stick pulled, or the file replaced?`);
    }
  }

  kept() {
    return [...this.files.keys()].filter((path) => path.startsWith("checkpoints/")).sort();
  }
}

/** The bytes of a tile or bundle; an unfinished one may be gone once it is full, which
    begins with it. */
async function readTile(source, level, number, width) {
  const bytes = await source.read(tilePath(level, number, width));
  if (bytes !== null || width === WIDTH) return bytes;
  const full = await source.read(tilePath(level, number));
  if (full === null || typeof level !== "number") return full;
  return full.length === WIDTH * HASH ? full.slice(0, width * HASH) : full;
}

/** The first `width` entries of a bundle; null where it is cut. */
function unbundled(bytes, width) {
  const found = [];
  for (let at = 0; found.length < width; ) {
    if (at + 2 > bytes.length) return null;
    const end = at + 2 + bytes[at] * 256 + bytes[at + 1];
    if (end > bytes.length) return null;
    found.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return found;
}

/** What an extract of a log has beside the files of a log (FORMAT.md, "Extracts"). */
class Extract {
  /** Read it; null where the directory is a whole log. */
  static async of(source) {
    const bytes = await source.read("extract/about");
    return bytes === null ? null : new Extract(source, JSON.parse(textOf(bytes)));
  }

  constructor(source, about) {
    this.source = source;
    this.first = about.first;
    this.last = about.last;
    this.days = about.days;
    this.packs = new Map();
  }

  /** The records of a pack by number: each is 8 bytes of number, 4 of length, bytes. */
  async pack(name) {
    if (!this.packs.has(name)) {
      const bytes = await this.source.read(`extract/${name}`);
      if (bytes === null) throw new NotHere(`extract/${name} is not here.`);
      this.packs.set(name, recordsIn(bytes, name));
      if (this.packs.size > 2 * AHEAD) this.packs.delete(this.packs.keys().next().value);
    }
    return this.packs.get(name);
  }

  /** An entry outside the days of the extract, and its path, where it was taken along. */
  async entry(number) {
    const record = (await this.pack("entries")).get(number);
    if (record === undefined) return null;
    const end = 1 + record[0] * HASH;
    return { path: hashesIn(record.subarray(1, end)), bytes: record.subarray(end) };
  }

  async numbers() {
    return [...(await this.pack("entries")).keys()];
  }

  /** The row file of an entry written at that instant. */
  async rows(number, at) {
    const day = new Date(at / 1000).toISOString().slice(0, 10);
    const name = number >= this.first && number < this.last ? `rows-${day}` : "rows";
    return (await this.pack(name)).get(number) ?? null;
  }
}

function recordsIn(bytes, name) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map();
  for (let at = 0; at < bytes.length; ) {
    const end = at + 12 <= bytes.length ? at + 12 + view.getUint32(at + 8) : Infinity;
    if (end > bytes.length) throw new Altered(`extract/${name} was cut.`);
    found.set(Number(view.getBigUint64(at)), bytes.subarray(at + 12, end));
    at = end;
  }
  return found;
}
