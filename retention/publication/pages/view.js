"use strict";
/* cctv-retention explorer: what is drawn.  Everything from a log goes in as text. */

const PAGE = 100;

function byId(id) {
  return document.getElementById(id);
}

/** An element with properties (`class`, `scope` and the like as attributes) and children. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children.flat());
  return element;
}

/** A table with a caption; `rows` are lists of cells, texts or elements. */
function table(caption, titles, rows, headers = false) {
  const head = make("tr", {}, titles.map((title) => make("th", { scope: "col" }, title)));
  const body = rows.map((cells) =>
    make("tr", {}, cells.map((cell, at) => (headers && at === 0 ? make("th", { scope: "row" }, cell) : make("td", {}, cell)))),
  );
  const whole = make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, body));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, whole);
}

/** An instant for people; UTC is beside it for who points at it, and for programs. */
function timeOf(instant, zone) {
  return make("time", { datetime: utc(instant), title: utc(instant) }, moment(instant, zone));
}

/** The list of entries that a search found, a page at a time; `show` opens one. */
function foundTable(found, zone, index, show) {
  const titles = ["Entry", "Written", "Kind", "What it says"];
  return paged(found.length, (first, last) => {
    const rows = found.slice(first, last).map((one) => [
      showButton(one.number, show),
      timeOf(one.entry.at, zone),
      `${one.entry.kind}${(index?.cameBack(one.number) ?? null) === null ? "" : " (came back unsigned)"}`,
      one.meant ? meantText(one, zone) : shortText(one.entry, zone),
    ]);
    const part = last - first < found.length ? ` (${first + 1} to ${last} of ${found.length})` : "";
    return table(`Entries, each checked against the signed head${part}`, titles, rows);
  });
}

/** A list in pages: `draw` makes the one of [first, last). */
function paged(all, draw) {
  const area = make("div");
  const turn = (first) => {
    const to = (title, at) => make("button", { type: "button", click: () => turn(at) }, title);
    const buttons = [];
    if (first > 0) buttons.push(to(`${PAGE} before`, first - PAGE));
    if (first + PAGE < all) buttons.push(to(`${PAGE} after`, first + PAGE));
    area.replaceChildren(draw(first, Math.min(first + PAGE, all)), make("p", {}, buttons));
  };
  turn(0);
  return area;
}

function showButton(number, show) {
  return make("button", { type: "button", click: () => show(number), "aria-label": `Show entry ${number}` }, String(number));
}

/** What the rows that were asked for say: which recordings, and what became of them. */
function meantText({ entry, meant, outcomes }, zone) {
  const said = meant.map(({ row, place }) => {
    const text = `row ${place}: ${moment(row.start, zone)}, ${lengthText(row.duration)}`;
    if (outcomes === null) return text;
    const by = outcomes.number === null ? "" : ` (entry ${outcomes.number})`;
    return `${text}: ${outcomes.of(place)}${by}`;
  });
  const more = said.length > 20 ? [`and ${said.length - 20} more`] : [];
  return [...said.slice(0, 20), ...more].map((text) => make("div", {}, text));
}

/** One entry in full.  `act` has what its buttons do: show(number), save(number, row). */
function entryView(one, proof, zone, index, act) {
  const { entry } = one;
  const kind = KINDS[entry.kind];
  return [
    make("p", {}, kind?.meaning ?? "A kind that these pages don't know: of a newer program."),
    make("p", { class: "good" },
      `PROVEN: ${counted(proof.length, "hash", "hashes")} lead from this entry to the signed head.`),
    ...unsignedView(one, kind, index, act),
    make("p", {}, make("button", { type: "button", click: () => act.save(one.number) }, "Save the proof")),
    hashList("The hashes, from the entry up", [leafHash(one.data), ...proof]),
    table("What it says", ["Name", "Value", "What the name means"], fieldRows(entry, zone, act), true),
    make("details", {}, make("summary", {}, "As it was written"), make("pre", {}, one.text)),
  ];
}

/** An entry that a public copy has not. */
function withheldView(one, proof) {
  return [
    make("p", {}, "WITHHELD: this is a public copy. What the entry says is not in it; its hash is."),
    make("p", { class: "good" },
      `PROVEN: ${counted(proof.length, "hash", "hashes")} lead from the hash of this entry to the signed head.`),
    hashList("The hashes, from the entry up", [one.hash, ...proof]),
  ];
}

/** Whether anybody may have written it: a head covers what came back in a restore, too. */
function unsignedView({ number }, kind, index, act) {
  if (index === null) {
    const look = make("button", { type: "button", click: () => act.look(number) }, "Read the whole log");
    const text = "Not looked at yet: whether it came back in a restore under no signed head. That takes all entries. ";
    return [make("p", {}, text, look)];
  }
  const by = index.cameBack(number);
  if (by === null) return [];
  const effect = kind?.keeps ? "It has its effect all the same, since it only keeps footage." : "It has no effect.";
  return [
    make("p", { class: "bad" },
      "CAME BACK UNSIGNED: after a restore it was read back under no signed head, so that anybody may have " +
        `written it. ${effect}`),
    make("p", {}, "So says entry ", showButton(by, act.show), "."),
  ];
}

function hashList(title, hashes) {
  const items = hashes.map((hash) => make("li", { class: "hash" }, hex(hash)));
  return make("details", {}, make("summary", {}, title), make("ol", {}, items));
}

function fieldRows(entry, zone, act) {
  const { actor, at, fields, sd = {}, subject, correlation } = entry;
  const login = actor.login === 4294967295 ? "no login" : `login ${actor.login}`;
  const about = subject ? [["about", subject, "what it is about"]] : [];
  const follows = correlation
    ? [["follows from", [correlation, " ", entryLink(correlation, act)].filter(Boolean), "what it follows from"]]
    : [];
  const clear = Object.entries(fields)
    .filter(([name, value]) => value !== null || !(name in sd))
    .map(([name, value]) => [titleOf(name), valueText(name, value, zone), WORDS[name] ?? ""]);
  const hidden = Object.keys(sd).map((name) => [
    name, "not shown: a salted hash stands for it", WORDS[name] ?? "people's data or free text",
  ]);
  return [
    ["written", timeOf(at, zone), "when it was written"],
    ["by", `uid ${actor.uid}, ${login}, as ${actor.role}`, "who did it, as the kernel says"],
    ["machine", `${entry.host}, ${entry.program}`, "where, and by which program"],
    ["policy", String(entry.policy), "version of the retention policy in force"],
    ...about, ...follows, ...clear, ...hidden,
  ];
}

/** A button to the entry that another follows from, where it names one. */
function entryLink(correlation, act) {
  const [, number] = /^(?:intent|request|raised):(\d+)$/.exec(correlation) ?? [];
  return number && act.show ? showButton(Number(number), act.show) : "";
}

/** The rows of an entry, a page of them at a time. */
function rowsView(one, found, outcomes, zone, act) {
  const said = make("p", { class: "good" },
    `PROVEN: all ${counted(found.rows.length, "row")} lead to the root in this entry.`);
  const proof = make("div", { role: "status" });
  const prove = (row) => {
    proof.replaceChildren(...rowProof(one, found, row, act));
    proof.scrollIntoView({ block: "nearest" });
  };
  const area = paged(found.rows.length, (first, last) =>
    rowsTable(one, found, outcomes, zone, [first, last], prove),
  );
  const by = outcomes?.number ?? null;
  const became = by === null ? [] : [make("p", {}, "What became of them is in entry ", showButton(by, act.show), ".")];
  return [make("h3", {}, "Rows"), said, ...became, area, proof];
}

function rowsTable(one, found, outcomes, zone, [first, last], prove) {
  const used = found.names.filter((_, at) => found.rows.some((row) => row[at] !== null));
  const titles = ["Row", ...used.map(titleOf), ...(outcomes ? ["became"] : []), "Proof"];
  const rows = [];
  for (let row = first; row < last; row++) {
    const values = named(found, row);
    const prover = make("button", { type: "button", click: () => prove(row), "aria-label": `Proof of row ${row}` }, "Proof");
    const became = outcomes ? [outcomes.of(row)] : [];
    rows.push([String(row), ...used.map((name) => cell(name, values[name], zone)), ...became, prover]);
  }
  return table(`Rows ${first} to ${last - 1} of entry ${one.number}`, titles, rows, true);
}

function cell(name, value, zone) {
  const instant = typeof value === "number" && INSTANTS.includes(name);
  return instant ? timeOf(value, zone) : valueText(name, value, zone);
}

/** The proof of one row, computed again from the row alone. */
function rowProof(one, found, row, act) {
  const path = pathIn(row, found.hashes);
  const leaf = leafHash(saltedRow(found.seed, row, found.rows[row]));
  const reached = pathRoot(row, found.rows.length, leaf, path);
  const right = reached !== null && same(reached, fromBase64url(one.entry.rows_root));
  const text = right
    ? `PROVEN: row ${row} leads by ${counted(path.length, "hash", "hashes")} to the root of the rows ` +
      `that entry ${one.number} was signed with.`
    : `REFUSED: row ${row} does not lead to the root of the rows.`;
  return [
    make("p", { class: right ? "good" : "bad" }, text),
    make("p", {}, make("button", { type: "button", click: () => act.save(one.number, row) }, `Save the proof of row ${row}`)),
    hashList("The hashes, from the row up", [leaf, ...path]),
  ];
}
