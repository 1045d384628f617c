"use strict";
/* cctv-retention explorer: finding entries.  A published log has no index: what is asked
   by day is found by halving, what is asked by camera or hold by reading all entries once. */

const DRAWN = 100; // milliseconds
const INTENDED = "deletion.intended";
const DELETED = "recordings.deleted";
const RESTORED = "catalogue.restored";
const RECORDED_IN_ROWS = ["camera", "start", "duration"];

/** Something that takes time: what is said of progress, and whether to go on. */
class Work {
  constructor(tell) {
    this.tell = tell;
    this.drawn = 0;
    this.stopped = null;
    this.stopping = new Promise((_, reject) => (this.reject = reject));
    this.stopping.catch(() => {}); // mostly nobody stops it
  }

  /** End it, also while it waits for a file. */
  stop() {
    this.stopped = new Unusable("Stopped. What was found until then is not all.");
    this.reject(this.stopped);
  }

  /** Called before something is drawn: what was stopped draws nothing any more. */
  check() {
    if (this.stopped) throw this.stopped;
  }

  /** Called with what was done of all; now and then lets the page be drawn. */
  async step(done, all) {
    this.check();
    if (performance.now() - this.drawn > DRAWN) {
      this.tell(done, all);
      await new Promise((resolve) => setTimeout(resolve));
      this.drawn = performance.now();
      this.check();
    }
  }
}

/** Where things are, from one reading of all entries. */
class Index {
  static async of(log, work) {
    const index = new Index();
    let done = 0;
    for await (const part of log.parts()) {
      for (const one of part) index.take(one);
      done = part.at(-1)?.number ?? done;
      await work.step(done + 1, log.size);
      index.entries += part.length;
    }
    index.finish();
    return index;
  }

  constructor() {
    this.entries = 0;
    this.withheld = 0;
    this.holds = new Map();
    this.cover = new Map();
    this.ids = new Map();
    this.given = new Map();
    this.footage = [];
    this.completed = new Map();
    this.restored = [];
  }

  take({ entry, withheld }) {
    if (withheld) {
      this.withheld += 1;
      return;
    }
    const kind = KINDS[entry.kind];
    if (!kind) return;
    const fields = entry.fields;
    if (entry.subject?.startsWith("hold:")) push(this.holds, fields.hold, entry.index);
    if (kind.gives) this.give(entry, fields[kind.gives[0]], fields[kind.gives[1]]);
    if (entry.kind === DELETED) push(this.completed, fields.intent, entry.index);
    if (entry.kind === RESTORED) this.restored.push(entry);
    if (kind.hold && "since" in fields) push(this.cover, fields.hold, entry.index);
    if ("rows" in entry && RECORDED_IN_ROWS.every((name) => kind.columns.includes(name))) {
      const { oldest = -Infinity, newest = Infinity } = fields;
      this.footage.push({ number: entry.index, oldest, newest });
    }
  }

  /** A camera has a published id from this entry on. */
  give(entry, key, id) {
    push(this.given, key, { number: entry.index, at: entry.at, id });
  }

  /** All was read: what came back under no signed head has no effect (FORMAT.md, "After a
      restore"). */
  finish() {
    this.stretches = [];
    for (const { index, fields } of this.restored.reverse()) {
      const first = Math.max(fields.signed ?? 0, fields.old_size);
      if (this.cameBack(index) === null) this.stretches.push({ first, end: fields.size, by: index });
    }
    for (const [key, all] of this.given) {
      this.given.set(key, all.filter(({ number }) => this.cameBack(number) === null));
      for (const { id } of this.given.get(key)) push(this.ids, id, key);
    }
  }

  /** The entry that says that this one came back under no signed head; else null. */
  cameBack(number) {
    return this.stretches.find(({ first, end }) => first <= number && number < end)?.by ?? null;
  }

  /** The entry that completes a batch; null while it is open. */
  completion(intent) {
    return this.completed.get(intent)?.find((number) => this.cameBack(number) === null) ?? null;
  }

  /** The entry that gave a camera the id that it had at an instant, or its first one. */
  giver(key, instant) {
    const all = this.given.get(key) ?? [];
    return (all.filter(({ at }) => at <= instant).at(-1) ?? all[0])?.number ?? null;
  }

  /** The published ids that cameras have or had. */
  published() {
    return [...this.ids.keys()].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  }

  /** The keys of the cameras that have or had a published id. */
  keys(id) {
    return new Set(this.ids.get(id.trim()) ?? []);
  }

}

function push(map, key, value) {
  if (!map.has(key)) map.set(key, []);
  map.get(key).push(value);
}

/** What is on record about footage of these cameras in [from, to): entries, with the rows
    that are meant and what became of each, and the holds that cover it. */
async function aboutFootage(log, index, keys, [from, to], work) {
  const found = [];
  const near = index.footage.filter((one) => one.oldest < to && from < one.newest);
  for (const [at, { number }] of near.entries()) {
    await work.step(at, near.length);
    const one = await log.entry(number);
    const rows = await log.rows(one.entry);
    const meant = rows.rows
      .map((_, row) => named(rows, row))
      .map((row, place) => ({ row, place }))
      .filter(({ row }) => keys.has(row.camera) && meets(row.start, row.start + row.duration, from, to));
    if (meant.length) found.push({ ...one, meant, outcomes: await outcomesOf(log, index, one.entry) });
  }
  const holds = await coveringHolds(log, index, keys, [from, to]);
  for (const hold of holds) {
    for (const number of index.holds.get(hold)) found.push({ ...(await log.entry(number)), hold });
  }
  return found.sort((one, other) => one.number - other.number);
}

function meets(start, end, from, to) {
  return start < to && from < end;
}

/** The holds whose widest window covers some of it. */
async function coveringHolds(log, index, keys, [from, to]) {
  const found = [];
  for (const [hold, numbers] of index.cover) {
    const cameras = new Set();
    let window = null;
    for (const number of numbers) {
      const { entry } = await log.entry(number);
      for (const camera of await camerasOf(log, entry)) cameras.add(camera);
      window = entry.fields;
      if ([...keys].some((key) => cameras.has(key)) && meets(window.since, window.until, from, to)) {
        if (!found.includes(hold)) found.push(hold);
      }
    }
  }
  return found;
}

async function camerasOf(log, entry) {
  if (entry.fields.cameras !== null) return entry.fields.cameras;
  const rows = await log.rows(entry);
  return rows.rows.map((_, row) => named(rows, row).camera);
}

/** What became of the rows of a batch: a word by row, and the entry that says so. */
async function outcomesOf(log, index, entry) {
  if (entry.kind !== INTENDED) return null;
  if (index !== null && index.cameBack(entry.index) !== null) return { of: () => "nothing", number: null };
  const number = index === null ? await completionNear(log, entry.index) : index.completion(entry.index);
  const cut = ((await log.partsFrom())?.last ?? log.size) < log.size;
  const text = cut ? "not in this extract" : index === null ? "not found near it" : "open";
  if (number === null) return { of: () => text, number };
  const completed = (await log.entry(number)).entry;
  const rows = await log.rows(completed);
  const listed = new Map(rows === null ? [] : rows.rows);
  return { of: (row) => listed.get(row) ?? "deleted", number };
}

/** The entry that completes a batch, as a rule a few entries later; else null. */
async function completionNear(log, intent) {
  for await (const part of log.parts(intent + 1, Math.min(intent + 8 * WIDTH, log.size))) {
    const found = part.find(({ entry }) => entry?.kind === DELETED && entry.fields.intent === intent);
    if (found) return found.number;
  }
  return null;
}

/** The entries of a kind ("" is every kind, "hold." all that begin so) written in
    [from, to); both null: in the whole log.  At most `most`.  Withheld ones say no kind and
    no time: they are counted. */
async function ofKind(log, kind, [from, to], most, work) {
  const first = from === null ? 0 : await bundleAt(log, from);
  const [found, read] = [[], { entries: 0, withheld: 0 }];
  for await (const part of log.parts(first * WIDTH)) {
    const here = part.filter((one) => !one.withheld);
    for (const one of here) {
      const fits = kind.endsWith(".") ? one.entry.kind.startsWith(kind) : !kind || one.entry.kind === kind;
      const { at } = one.entry;
      if (fits && (from === null || (at >= from && at < to)) && found.length < most) found.push(one);
    }
    read.entries += part.length;
    read.withheld += part.length - here.length;
    await work.step(read.entries, log.size - first * WIDTH);
    // One bundle more than the day needs: a clock may have been set back a little.
    if (to !== null && here.length > 1 && here[0].entry.at >= to) break;
    if (found.length >= most) break;
  }
  return { found, read };
}

/** The bundle before the one in which an instant lies, by when entries were written; an
    extract, and a log in which many are withheld, is read from its beginning. */
async function bundleAt(log, instant) {
  if ((await log.partsFrom()) !== null || log.public) return 0;
  let [low, high] = [0, Math.floor((log.size - 1) / WIDTH)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((await log.bundle(middle))[0].entry.at <= instant) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low - 1);
}

/** Every entry and row file against the head; calls back with each trouble. */
async function checkAll(log, work, rows) {
  const found = { entries: 0, withheld: 0, files: 0, missing: 0 };
  let before = null;
  for await (const part of log.parts()) {
    for (const one of part) {
      if (one.withheld) found.withheld += 1;
      else {
        checkChain(before, one);
        if (rows && "rows_sha256" in one.entry) await checkRows(log, one, found);
      }
      before = one;
    }
    found.entries += part.length;
    await work.step((before?.number ?? 0) + 1, log.size);
  }
  return found;
}

function checkChain(before, { number, entry }) {
  if (number === 0 || before?.number !== number - 1) return;
  const leaf = before.withheld ? before.hash : leafHash(before.data);
  if (entry.prev !== base64url(leaf.slice(0, 6))) {
    throw new Altered(`Entry ${number} is signed, but does not follow from the one before.`);
  }
}

async function checkRows(log, one, found) {
  try {
    await log.rows(one.entry);
    found.files += 1;
  } catch (problem) {
    if (!(problem instanceof NotHere)) throw problem;
    found.missing += 1;
  }
}
