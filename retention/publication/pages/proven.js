"use strict";
/* cctv-retention explorer: a proof file that somebody was given (FORMAT.md, "Proof files").
   It is checked with the key alone; no log need be open. */

const PROOF = "c2sp.org/tlog-proof@v1";
const PARTS = ["camera", "completion", "disclosures", "entry", "format", "key", "restored", "row"];

/** What a proof file holds, nothing of it believed yet; throws Altered. */
function proofParts(text) {
  try {
    const end = text.indexOf("\n\n");
    const [first, extra, index, ...path] = text.slice(0, end).split("\n");
    const [, number] = /^index (0|[1-9][0-9]{0,14})$/.exec(index);
    const held = textOf(fromBase64(/^extra (\S+)$/.exec(extra)[1]));
    const found = JSON.parse(held);
    if (first === PROOF && canonical(found) === held && found.format === "cctv-retention-proof/1") {
      return { extra: found, number: Number(number), path, note: utf8(text.slice(end + 2)) };
    }
  } catch {
    // told below
  }
  throw new Altered("This is no proof file of such a log: it was changed or cut.");
}

/** What the file proves under that key: its entries, and of a row what became of it. */
async function proven({ extra, number, path, note }, key) {
  if ((extra.key ?? key.text) !== key.text) throw new Altered("The proof is of a log with another key.");
  const head = await openHead(note, key);
  try {
    const strange = Object.keys(extra).filter((name) => !PARTS.includes(name));
    demand(strange.length === 0, `these pages don't know its part ${strange[0]}`);
    const entry = provenUnder(head, extra.entry, path);
    demand(entry.index === number, `it is of another entry than ${number}`);
    const found = { head, entry, disclosed: disclosedIn(entry, extra.disclosures ?? {}) };
    if (extra.restored) found.restored = provenRestored(head, extra.restored, number);
    if (extra.row) await provenRowIn(head, found, extra);
    return found;
  } catch (problem) {
    if (problem instanceof NotHere) throw problem;
    throw new Altered(`The proof was changed: ${problem.message}.`);
  }
}

function demand(right, otherwise) {
  if (!right) throw new Altered(otherwise);
}

/** An entry that leads to the head. */
function provenUnder(head, text, path) {
  const entry = JSON.parse(text);
  const reached = pathRoot(entry.index, head.size, leafHash(utf8(text)), path.map(fromBase64));
  demand(entry.index < head.size && reached !== null && same(reached, head.root),
    `entry ${entry.index} does not lead to the signed head`);
  return entry;
}

/** People's data that the proof opens: each must be what the entry commits to. */
function disclosedIn(entry, disclosures) {
  return Object.entries(disclosures).map(([name, text]) => {
    demand(same(sha256(utf8(text)), fromBase64url(entry.sd[name])), `${name} is not what the entry commits to`);
    const [, of, value] = JSON.parse(textOf(fromBase64url(text)));
    demand(of === name, `${name} is another field`);
    return [name, value];
  });
}

function provenRestored(head, given, number) {
  const entry = provenUnder(head, given.entry, given.path);
  const { signed, old_size, size } = entry.fields;
  const back = entry.kind === RESTORED && number >= Math.max(signed ?? 0, old_size) && number < size;
  demand(back, `entry ${entry.index} does not say that entry ${number} came back`);
  return entry.index;
}

/** The row, under the root in its entry; with its camera's id, and what became of it. */
async function provenRowIn(head, found, { row, camera, completion }) {
  const { entry } = found;
  const leaf = leafHash(concat(fromBase64url(row.salt), utf8(row.text)));
  const reached = pathRoot(row.number, entry.rows, leaf, row.path.map(fromBase64));
  demand(row.number < entry.rows && fromBase64url(row.salt).length === SALT && reached !== null &&
    same(reached, fromBase64url(entry.rows_root)), `row ${row.number} does not lead to its entry`);
  const declared = KINDS[entry.kind]?.columns ?? row.columns;
  const values = JSON.parse(row.text);
  // Newer programs add columns behind those that there were.
  demand(row.columns.length === values.length && row.columns.every((name, at) => name === declared[at]),
    "its columns are not those of its kind");
  found.row = row.number;
  found.values = Object.fromEntries(row.columns.map((name, at) => [name, values[at]]));
  if (camera) {
    const giver = provenUnder(head, camera.entry, camera.path);
    const gives = KINDS[giver.kind]?.gives;
    demand(gives && giver.fields[gives[0]] === found.values.camera, "another camera is named");
    found.id = giver.fields[gives[1]];
  }
  if (entry.kind === INTENDED) await provenOutcome(head, found, completion);
}

async function provenOutcome(head, found, completion) {
  const done = provenUnder(head, completion.entry, completion.path);
  demand(done.kind === DELETED && done.fields.intent === found.entry.index, "another batch is completed");
  demand("rows_sha256" in done === "exceptions" in completion, "the exceptions are missing");
  const listed = new Map("exceptions" in completion ? (await readRows(done, fromBase64(completion.exceptions))).rows : []);
  demand(done.fields.deleted === found.entry.rows - listed.size, "the completion does not add up");
  found.outcome = listed.get(found.row) ?? "deleted";
  found.completion = done;
}

/** In words: what was proven. */
function provenText(found, zone) {
  const { entry, values, head } = found;
  if (found.row === undefined) return `PROVEN: entry ${entry.index}, ${entry.kind}, stands so in ${head.name}.`;
  const who = found.id === undefined ? `the camera with the key ${values.camera}` : `camera ${found.id}`;
  const when = `${moment(values.start, zone)} to ${moment(values.start + values.duration, zone)}`;
  const what = `row ${found.row} of entry ${entry.index}, ${entry.kind}: the recording of ${who} from ${when}`;
  if (found.outcome === undefined) return `PROVEN: ${what}.`;
  const between = `between ${moment(entry.at, zone)} and ${moment(found.completion.at, zone)}`;
  return `PROVEN: ${what}. What became of it: ${found.outcome}, ${between} (entry ${found.completion.index}).`;
}

/** A checked proof; without buttons, since there may be no log to show more of. */
function provenView(found, zone) {
  const back = found.restored === undefined ? [] : [
    make("p", { class: "bad" },
      `CAME BACK UNSIGNED, as entry ${found.restored} says: anybody may have written it.`),
  ];
  const row = Object.entries(found.values ?? {}).map(([name, value]) => [
    titleOf(name), cell(name, value, zone), WORDS[name] ?? "",
  ]);
  const opened = found.disclosed.map(([name, value]) => [name, valueText(name, value, zone), "opened by the proof"]);
  const titles = ["Name", "Value", "What the name means"];
  return [
    ...back,
    make("p", { class: "good" }, provenText(found, zone)),
    make("p", {}, `Under a head of ${counted(found.head.size, "entry", "entries")}, signed with the key ${fingerprint(found.key.text)}.`),
    ...(row.length ? [table(`Row ${found.row}`, titles, row, true)] : []),
    table(`Entry ${found.entry.index}`, titles, [...fieldRows(found.entry, zone, { show: null }), ...opened], true),
  ];
}
