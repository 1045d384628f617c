"use strict";
/* cctv-retention explorer: keys and signed heads (C2SP signed-note, tlog-checkpoint). */

const ED25519 = 1;
const LINES = 100;

/** A key as it is handed out: NAME+ID+BASE64. */
function parseKey(text) {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim());
  if (!parts) {
    throw new Unusable(
      "That is no key of a log: it is one line, NAME+ID+BASE64, or the 16 digits of its " +
        "fingerprint.",
    );
  }
  const [, name, id, base] = parts;
  const key = fromBase64(base);
  if (key.length !== 33 || key[0] !== ED25519) throw new Unusable("That is no Ed25519 key.");
  if (hex(sha256(concat(utf8(name), [0x0a], key)).slice(0, 4)) !== id) {
    throw new Unusable("The key was mistyped: its ID is not its own.");
  }
  return { text: text.trim(), name, id, key: key.slice(1) };
}

/** What of a key is noted on paper: 16 digits in groups of four. */
function fingerprint(keyText) {
  return hex(sha256(utf8(keyText)).slice(0, 8)).match(/.{4}/g).join(" ");
}

/** A fingerprint as somebody typed it, in its one form; null where it is none. */
function asFingerprint(text) {
  const typed = text.replace(/[\s:-]/g, "").toLowerCase();
  return /^[0-9a-f]{16}$/.test(typed) ? typed.match(/.{4}/g).join(" ") : null;
}

/** A head whose signature by that key is right: its size and root. */
async function openHead(bytes, key) {
  const { text, lines } = noteParts(bytes);
  const ours = lines.filter((line) => line.name === key.name && line.id === key.id);
  if (ours.length !== 1) {
    throw new Altered(`The head is not signed by ${key.name} with the key that you gave.`);
  }
  if (!(await signedBy(key.key, ours[0].signature, utf8(text)))) {
    throw new Altered(
      "The signature of the head is wrong: the head was changed, or another key made it.",
    );
  }
  const [name, size, root] = text.split("\n");
  if (name !== key.name) throw new Altered(`The head is of another log: ${name}.`);
  return { name, size: Number(size), root: fromBase64(root) };
}

/** The text and signatures of a head, nothing of it believed yet. */
function noteParts(bytes) {
  try {
    const note = textOf(bytes);
    const end = note.lastIndexOf("\n\n");
    const text = note.slice(0, end + 1);
    const lines = note.slice(end + 2).split("\n");
    const head = /^\S[^\n]*\n(?:0|[1-9][0-9]{0,14})\n[A-Za-z0-9+/]{43}=\n$/;
    if (end < 0 || !head.test(text) || lines.pop() !== "" || lines.length > LINES) {
      throw new Altered("no head");
    }
    return { text, lines: lines.map(signatureIn) };
  } catch {
    throw new Altered("The head is no signed head: it was changed or cut.");
  }
}

function signatureIn(line) {
  const [, name, base] = /^\u2014 (\S+) (\S+)$/.exec(line);
  const bytes = fromBase64(base);
  return { name, id: hex(bytes.slice(0, 4)), signature: bytes.slice(4) };
}

async function signedBy(key, signature, message) {
  if (!globalThis.crypto?.subtle) {
    throw new Unusable(
      "This browser checks signatures only on pages that came safely. Open this page by " +
        "https, from this machine itself, or as a file from a stick.",
    );
  }
  let public_ = null;
  try {
    public_ = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    throw new Unusable(
      "This browser can't check Ed25519 signatures. Use Chromium, Chrome or Edge from 137, " +
        "Firefox from 129, or Safari from 17 on.",
    );
  }
  return crypto.subtle.verify({ name: "Ed25519" }, public_, signature, message);
}

/** The signed heads in a text, whatever a mail did around them, as they were signed. */
function headsIn(bytes) {
  const quoted = new TextDecoder().decode(bytes).replace(/\r\n/g, "\n");
  const text = quoted.replace(/^[ \t>|]+|[ \t]+$/gm, "") + "\n";
  const line = "(?:\u2014|\u2013|--?) [^\\s+]+\\s[A-Za-z0-9+/]+(?:\\n[A-Za-z0-9+/]+)*={0,2}\\n";
  const note = new RegExp(`^(\\S[^\\n]*\\n[0-9]+\\n[A-Za-z0-9+/]{43}=\\n)\\n((?:${line})+)`, "gm");
  return [...text.matchAll(note)].map(([, head, lines]) => {
    const signed = [...lines.matchAll(new RegExp(line, "g"))].map(([one]) => {
      const [, name, ...parts] = one.trim().split(/\s/);
      return `\u2014 ${name} ${parts.join("")}\n`;
    });
    return utf8(`${head}\n${signed.join("")}`);
  });
}

/** Entries and root as somebody typed them from paper: "17 a62e 9e53 ..."; else null. */
function rootOnPaper(text) {
  const [, size, typed] = /^\s*([0-9]{1,15})\s+([0-9a-fA-F\s]+)$/.exec(text) ?? [];
  const root = (typed ?? "").replace(/\s/g, "").toLowerCase();
  if (root.length !== 64) return null;
  return { size: Number(size), root: Uint8Array.from(root.match(/../g), (two) => parseInt(two, 16)) };
}
