"use strict";
/* cctv-retention explorer: a log under its signed head.  Whatever is given out of here
   was held against the head before. */

const ENTRY = 16384;
const AHEAD = 6;

class Log {
  /** The log of a source, its head signed by that key. */
  static async open(source, key) {
    const head = await newestHead(source, key);
    const log = new Log(source, key, head);
    await log.tree.begin();
    for (const path of source.kept()) await log.holdKept(path);
    return log;
  }

  constructor(source, key, head) {
    this.source = source;
    this.key = key;
    this.name = head.name;
    this.size = head.size;
    this.note = head.note;
    this.tree = new Tree(head.size, head.root, (level, number, width) =>
      readTile(source, level, number, width),
    );
    this.bundles = new Map();
    this.kept = 0;
    this.place = "entries";
  }

  /** A head of an earlier day that lies in the directory must be extended, too. */
  async holdKept(path) {
    try {
      await this.extends(await openHead(await this.source.read(path), this.key));
      this.kept += 1;
    } catch (problem) {
      if (problem instanceof Altered) throw new Altered(`${path}: ${problem.message}`);
      if (!(problem instanceof NotHere)) throw problem;
    }
  }

  /** Whether the log begins with what an older head covers; throws Altered. */
  async extends(older) {
    if (older.size > this.size) {
      throw new Altered(
        `The older head covers ${count(older.size)} entries, and this log has only ` +
          `${count(this.size)}: it was rolled back or cut, or this is an older copy.`,
      );
    }
    if (!same(await this.tree.rootAt(older.size), older.root)) {
      throw new Altered(
        `The log does not extend the older head: among its first ${count(older.size)} ` +
          "entries there is one that was changed, removed or put elsewhere since. One of the " +
          "two histories is not what was written first: keep both, and ask why.",
      );
    }
  }

  /** What of a whole log is here: null where it is whole. */
  async extract() {
    this.extracted ??= Extract.of(this.source);
    return this.extracted;
  }

  /** Whether it is a public copy, in which entries are withheld. */
  get public() {
    return this.place === "public";
  }

  /** The entries of a bundle, as many as the head covers: number, bytes and content; of
      those that are withheld only the hash. */
  async bundle(number) {
    const known = this.bundles.get(number);
    if (known) return known;
    const width = Math.min(WIDTH, this.size - number * WIDTH);
    const parts = unbundled(await this.bundleBytes(number, width), width);
    if (parts === null) throw new Altered(`The bundle ${tilePath(this.place, number)} was cut.`);
    const hashes = await this.tree.tile(0, number);
    const found = parts.map((part, at) =>
      this.public && part.length === 0
        ? { number: number * WIDTH + at, hash: hashes[at], withheld: true }
        : opened(number * WIDTH + at, part, hashes[at], tilePath(this.place, number)),
    );
    this.bundles.set(number, found);
    if (this.bundles.size > 2 * AHEAD) this.bundles.delete(this.bundles.keys().next().value);
    return found;
  }

  async bundleBytes(number, width) {
    let bytes = await readTile(this.source, this.place, number, width);
    if (bytes === null && !this.public) {
      bytes = await readTile(this.source, "public", number, width);
      if (bytes !== null) this.place = "public";
    }
    if (bytes === null) throw new NotHere(`${tilePath("entries", number, width)} is not here.`);
    return bytes;
  }

  /** One entry; throws Withheld where there is only its hash. */
  async entry(number) {
    const one = await this.one(number);
    if (!one.withheld) return one;
    throw new Withheld(`Entry ${number} is withheld in this public copy, but its hash.`);
  }

  /** One entry, or its hash where it is withheld. */
  async one(number) {
    if (!(Number.isInteger(number) && number >= 0 && number < this.size)) {
      throw new Unusable(`There is no entry ${number}: they are 0 to ${this.size - 1}.`);
    }
    try {
      return (await this.bundle(Math.floor(number / WIDTH)))[number % WIDTH];
    } catch (problem) {
      if (!(problem instanceof NotHere)) throw problem;
      return this.alone(number, problem);
    }
  }

  /** An entry that an extract has by itself. */
  async alone(number, problem) {
    const extract = await this.extract();
    if (extract === null) throw problem;
    const found = await extract.entry(number);
    if (found === null) {
      throw new NotHere(`Entry ${number} is not in this extract: ask for the whole log.`);
    }
    const reached = pathRoot(number, this.size, leafHash(found.bytes), found.path);
    if (reached === null || !same(reached, this.tree.root)) {
      throw new Altered(
        `Entry ${number} (in extract/entries) was changed: it is not what was signed, and is not shown.`,
      );
    }
    return { ...parsed(number, found.bytes), path: found.path };
  }

  /** The entries [first, last) that are here, withheld ones too, in parts; ahead of what is
      asked for. */
  async *parts(first = 0, last = this.size) {
    const extract = await this.partsFrom();
    const alone = extract === null ? [] : await extract.numbers();
    const [from, to] = extract === null ? [0, this.size] : [extract.first, extract.last];
    yield* this.ones(alone.filter((one) => one >= first && one < Math.min(last, from)));
    const [begin, end] = [Math.max(first, from), Math.min(last, to)];
    const waiting = [];
    for (let next = Math.floor(begin / WIDTH); ; ) {
      while (waiting.length < AHEAD && next * WIDTH < end) {
        const part = this.bundle(next);
        part.catch(() => {}); // it is told where it is waited for
        waiting.push(part);
        next += 1;
      }
      if (waiting.length === 0) break;
      const part = await waiting.shift();
      yield part.filter((one) => one.number >= begin && one.number < end);
    }
    yield* this.ones(alone.filter((one) => one >= Math.max(first, to) && one < last));
  }

  /** The extract where this is one.  A server is asked only if an end of the log is missing:
      one that has no such file would have to say so each time. */
  async partsFrom() {
    if (this.source instanceof PickedSource) return this.extract();
    try {
      for (const number of this.size ? [0, this.size - 1] : []) {
        await this.bundle(Math.floor(number / WIDTH));
      }
      return null;
    } catch (problem) {
      if (problem instanceof NotHere) return this.extract();
      throw problem;
    }
  }

  async *ones(numbers) {
    for (const number of numbers) yield [await this.entry(number)];
  }

  /** The rows of an entry, null where it has none. */
  async rows(entry) {
    if (!("rows_sha256" in entry)) return null;
    return readRows(entry, await this.rowFile(entry));
  }

  /** The bytes of an entry's row file, not looked at. */
  async rowFile(entry) {
    const path = `rows/${digits(entry.index)}`;
    let bytes = await this.source.read(path);
    const extract = bytes === null ? await this.extract() : null;
    if (extract !== null) bytes = await extract.rows(entry.index, entry.at);
    if (bytes === null) {
      throw new NotHere(
        `The row file ${path} is not here: ` +
          (this.public ? "this public copy has it not." : "it aged out, was left out of this copy, or was removed."),
      );
    }
    return bytes;
  }

  /** The hashes from an entry to the root, checked to lead there. */
  async path(one) {
    const path = one.path ?? (await this.tree.path(one.number));
    const leaf = one.withheld ? one.hash : leafHash(one.data);
    const reached = pathRoot(one.number, this.size, leaf, path);
    if (reached === null || !same(reached, this.tree.root)) {
      throw new Altered(`Entry ${one.number} does not lead to the signed root.`);
    }
    return path;
  }

  /** When the last entry was written, and in which zone people at the site read times, as
      far as these entries are here. */
  async facts() {
    const last = await this.hereOrNull(this.size - 1);
    const zone = (await this.hereOrNull(0))?.fields.timezone;
    return { last: last?.at ?? null, zone: isZone(zone) ? zone : "UTC" };
  }

  async hereOrNull(number) {
    try {
      return this.size ? (await this.entry(number)).entry : null;
    } catch (problem) {
      if (problem instanceof NotHere) return null;
      throw problem;
    }
  }
}

function isZone(name) {
  try {
    return typeof name === "string" && Boolean(new Intl.DateTimeFormat("en-GB", { timeZone: name }));
  } catch {
    return false;
  }
}

/** The signed head; in a second copy, which has none, the largest one that is kept. */
async function newestHead(source, key) {
  const bytes = await source.read("checkpoint");
  if (bytes !== null) return { ...(await openHead(bytes, key)), note: textOf(bytes) };
  let newest = null;
  for (const path of source.kept()) {
    const kept = await source.read(path);
    const head = await openHead(kept, key);
    if (newest === null || head.size > newest.size) newest = { ...head, note: textOf(kept) };
  }
  if (newest === null) {
    throw new NotHere("There is no file checkpoint: this is no published log, or its head was removed.");
  }
  return newest;
}

/** An entry whose bytes are those that the tree has; throws Altered. */
function opened(number, data, hash, place) {
  if (!same(leafHash(data), hash)) {
    throw new Altered(
      `Entry ${number} (in ${place}) was changed: it is ` +
        "not what was signed, and is not shown.",
    );
  }
  return parsed(number, data);
}

/** What an entry's bytes say. */
function parsed(number, data) {
  try {
    const text = textOf(data);
    const entry = JSON.parse(text);
    if (entry.index === number && data.length <= ENTRY && canonical(entry) === text) {
      return { number, data, text, entry };
    }
  } catch {
    // told below
  }
  throw new Altered(`Entry ${number} is signed, but is no entry of this format.`);
}
