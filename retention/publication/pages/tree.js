"use strict";
/* cctv-retention explorer: the tree of hashes over the entries (RFC 6962, C2SP tlog-tiles).

   A tile is believed only once it leads to the signed root: the unfinished tiles at the
   edge all together when a head is opened, each full tile by its hash in the tile above.
   So whatever is computed from tiles that were given out is as good as signed. */

const WIDTH = 256;
const HASH = 32;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

function leafHash(bytes) {
  return sha256(concat(LEAF, bytes));
}

function nodeHash(left, right) {
  return sha256(concat(NODE, left, right));
}

/** The root over hashes of equal subtrees; of none it is the hash of nothing. */
function rootOf(hashes) {
  if (hashes.length === 0) return sha256(new Uint8Array());
  if (hashes.length === 1) return hashes[0];
  const split = split2(hashes.length);
  return nodeHash(rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split)));
}

/** The largest power of two below a number. */
function split2(size) {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** Where a leaf and its path lead to (RFC 9162, 2.1.3.2); null where it is no path. */
function pathRoot(number, size, leaf, path) {
  let [hash, first, last] = [leaf, number, size - 1];
  for (const step of path) {
    if (last === 0) return null;
    if (first % 2 === 1 || first === last) {
      hash = nodeHash(step, hash);
      while (first % 2 === 0 && first !== 0) [first, last] = [first / 2, Math.floor(last / 2)];
    } else {
      hash = nodeHash(hash, step);
    }
    [first, last] = [Math.floor(first / 2), Math.floor(last / 2)];
  }
  return last === 0 ? hash : null;
}

/** The path from leaf `number` up, out of the hashes of all leaves. */
function pathIn(number, hashes) {
  if (hashes.length <= 1) return [];
  const split = split2(hashes.length);
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)];
  if (number < split) return [...pathIn(number, left), rootOf(right)];
  return [...pathIn(number - split, right), rootOf(left)];
}

function hashesIn(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; at += HASH) found.push(bytes.subarray(at, at + HASH));
  return found;
}

/** 1234067 is x001/x234/067. */
function digits(number) {
  const text = String(number);
  const groups = text.padStart(Math.ceil(text.length / 3) * 3, "0").match(/.{3}/g);
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
}

/** The path of a tile of hashes; of a bundle where `level` is "entries", or "public" in a
    copy for the public. */
function tilePath(level, number, width = WIDTH) {
  const place = level === "public" ? level : `tile/${level}`;
  return `${place}/${digits(number)}${width === WIDTH ? "" : `.p/${width}`}`;
}

/** The hashes of a log of `size` entries with that signed root. */
class Tree {
  /** `read(level, number, width)` gives the bytes of a tile, null where it is not here. */
  constructor(size, root, read) {
    this.size = size;
    this.root = root;
    this.read = read;
    this.known = new Map();
  }

  /** How many hashes there are at a level of tiles. */
  count(level) {
    return Math.floor(this.size / WIDTH ** level);
  }

  /** Read the unfinished tiles; throws Altered where they don't lead to the root. */
  async begin() {
    let right = null;
    for (let level = 0; this.count(level) > 0; level++) {
      const [number, width] = [Math.floor(this.count(level) / WIDTH), this.count(level) % WIDTH];
      if (width === 0) continue;
      const hashes = hashesIn(await this.bytes(level, number, width));
      this.known.set(`${level}/${number}`, hashes);
      for (const peak of peaksOf(hashes)) right = right === null ? peak : nodeHash(peak, right);
    }
    if (!same(right ?? rootOf([]), this.root)) {
      throw new Altered(
        "The tiles of hashes at the end of the log (below tile/0, tile/1 ...) do not lead to " +
          "the signed root: one of them was changed, or is of another log.",
      );
    }
  }

  /** The hashes of a tile, which lead to the root. */
  async tile(level, number) {
    const known = this.known.get(`${level}/${number}`);
    if (known) return known;
    const above = (await this.tile(level + 1, Math.floor(number / WIDTH)))[number % WIDTH];
    const hashes = hashesIn(await this.bytes(level, number, WIDTH));
    if (!same(rootOf(hashes), above)) {
      throw new Altered(
        `The tile ${tilePath(level, number)} was changed: its hashes do not lead to the ` +
          "signed root. Nothing that rests on it is shown.",
      );
    }
    this.known.set(`${level}/${number}`, hashes);
    return hashes;
  }

  async bytes(level, number, width) {
    const bytes = await this.read(level, number, width);
    if (bytes === null) throw new NotHere(`${tilePath(level, number, width)} is not here.`);
    if (bytes.length !== width * HASH) {
      throw new Altered(`The tile ${tilePath(level, number, width)} was cut or added to.`);
    }
    return bytes;
  }

  /** The root over the leaves [first, first + size), `first` a multiple of what is split. */
  async range(first, size) {
    const height = Math.log2(size);
    if (Number.isInteger(height)) {
      const level = Math.floor(height / 8);
      const width = 2 ** (height % 8);
      const place = first / WIDTH ** level;
      const hashes = await this.tile(level, Math.floor(place / WIDTH));
      return rootOf(hashes.slice(place % WIDTH, (place % WIDTH) + width));
    }
    const split = split2(size);
    const left = await this.range(first, split);
    return nodeHash(left, await this.range(first + split, size - split));
  }

  /** The root that the log had when it was `size` entries long. */
  async rootAt(size) {
    return size === 0 ? rootOf([]) : this.range(0, size);
  }

  /** The path of an entry: from the sibling of its leaf up to below the root. */
  async path(number, first = 0, size = this.size) {
    if (size === 1) return [];
    const split = split2(size);
    if (number < first + split) {
      const right = await this.range(first + split, size - split);
      return [...(await this.path(number, first, split)), right];
    }
    const left = await this.range(first, split);
    return [...(await this.path(number, first + split, size - split)), left];
  }
}

/** The roots of the full subtrees over these hashes, the smallest (rightmost) first. */
function peaksOf(hashes) {
  const peaks = [];
  let at = 0;
  for (let size = 128; size >= 1; size /= 2) {
    if (hashes.length - at >= size) {
      peaks.unshift(rootOf(hashes.slice(at, at + size)));
      at += size;
    }
  }
  return peaks;
}
