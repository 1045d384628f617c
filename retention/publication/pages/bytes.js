"use strict";
/* cctv-retention explorer: bytes and their spellings, and SHA-256.

   SHA-256 is written out because the browser's own gives each hash through a promise:
   a log is a million small entries, and that would take hours.  Signatures are checked
   by the browser (note.js). */

/** What is here is not what was signed. */
class Altered extends Error {}

/** What is asked for is not in this directory, which is no sign of an alteration. */
class NotHere extends Error {}

/** The entry is not in this public copy, which has its hash. */
class Withheld extends NotHere {}

/** A person gave something that can't be used. */
class Unusable extends Error {}

function concat(...parts) {
  let size = 0;
  for (const part of parts) size += part.length;
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function same(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function utf8(text) {
  return new TextEncoder().encode(text);
}

/** The text of bytes that are UTF-8; throws where they are not. */
function textOf(bytes) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function base64(bytes) {
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters);
}

/** Each spelling has one text: spare bits that are not zero are refused. */
function fromBase64(text) {
  let bytes = null;
  try {
    bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw new Unusable(`${text} is no base64`);
  }
  if (base64(bytes) !== text) throw new Unusable(`${text} is not base64 in its one spelling`);
  return bytes;
}

function base64url(bytes) {
  return base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Unusable(`${text} is no base64url`);
  const standard = text.replace(/-/g, "+").replace(/_/g, "/");
  return fromBase64(standard + "=".repeat((4 - (text.length % 4)) % 4));
}

/* The first 32 bits of the fractions of the cube roots of the first 64 primes, and of
   the square roots of the first eight (FIPS 180-4). */
const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every((prime) => n % prime)) PRIMES.push(n);
const fraction = (root) => Math.floor((root - Math.floor(root)) * 2 ** 32);
const ROUND_KEYS = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

/* Used again for each hash: making them anew would take longer than the hash of an entry. */
const words = new Int32Array(64);
const state = new Int32Array(8);
const tail = new Uint8Array(128);

/** One round of SHA-256 over the 64 bytes at `at`. */
function compress(bytes, at) {
  for (let i = 0, j = at; i < 16; i++, j += 4) {
    words[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = words[i - 15];
    const y = words[i - 2];
    const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[i] = (words[i - 16] + low + words[i - 7] + high) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i++) {
    const sum = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + sum + ((e & f) ^ (~e & g)) + ROUND_KEYS[i] + words[i]) | 0;
    const top = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (top + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

function sha256(bytes) {
  state.set(START);
  const rest = bytes.length % 64;
  const whole = bytes.length - rest;
  for (let at = 0; at < whole; at += 64) compress(bytes, at);
  const end = rest < 56 ? 64 : 128;
  tail.fill(0, rest, end);
  tail.set(bytes.subarray(whole));
  tail[rest] = 0x80;
  for (let at = end - 1, bits = bytes.length * 8; bits > 0; at--) {
    tail[at] = bits % 256;
    bits = Math.floor(bits / 256);
  }
  for (let at = 0; at < end; at += 64) compress(tail, at);
  const digest = new Uint8Array(32);
  for (let at = 0; at < 32; at++) digest[at] = state[at >> 2] >>> (24 - 8 * (at % 4));
  return digest;
}

/** HMAC-SHA-256 (RFC 2104) with a key of at most 64 bytes. */
function hmac(key, message) {
  const padded = (fill) => Uint8Array.from({ length: 64 }, (_, at) => (key[at] ?? 0) ^ fill);
  return sha256(concat(padded(0x5c), sha256(concat(padded(0x36), message))));
}

/** A number as 8 bytes, big-endian. */
function eightBytes(number) {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(number));
  return new Uint8Array(view.buffer);
}

/** JSON in its one form (RFC 8785), as far as a log uses JSON: ASCII keys, integers. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const pairs = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${pairs.join(",")}}`;
}
