"use strict";
/* cctv-retention explorer: what a person does on the page, and what it answers. */

const MOST = 1000;

/** A log of no more entries is read whole at once, so that all can be said of each. */
const SMALL = 20000;

/** What is open: the source, the log under its key, its index once it was read. */
const page = { source: null, log: null, index: null, zone: "UTC", work: null };

/** Do something that takes time; what goes wrong is said in plain words.

    One thing at a time: whatever was going on is stopped first. */
async function run(title, act) {
  page.work?.stop();
  const work = new Work((done, all) => progress(title, done, all));
  page.work = work;
  progress(title, null);
  if (byId("refused").dataset.hint) byId("refused").replaceChildren();
  try {
    await Promise.race([act(work), work.stopping]);
  } catch (problem) {
    if (page.work === work) complain(problem);
  } finally {
    if (page.work === work) {
      page.work = null;
      byId("doing").hidden = true;
    }
  }
}

function progress(title, done, all) {
  byId("doing").hidden = false;
  byId("doing-text").textContent = done === null ? title : `${title}: ${count(done)} of ${count(all)}`;
  const bar = byId("doing-bar");
  if (done === null) bar.removeAttribute("value");
  else Object.assign(bar, { max: Math.max(all, 1), value: done });
}

/** An alteration is the verdict; anything else is a hint. */
function complain(problem) {
  const altered = problem instanceof Altered;
  const plain = altered || problem instanceof NotHere || problem instanceof Unusable;
  const text = plain ? problem.message : `This page can't read that: ${problem.message}`;
  if (altered) {
    refuse(text);
    return;
  }
  const start = problem instanceof NotHere ? "NOT HERE" : "NOT DONE";
  byId("refused").dataset.hint = "yes";
  byId("refused").replaceChildren(make("p", { class: "bad" }, `${start}: ${text}`));
}

function refuse(text) {
  const advice = [
    "Keep this directory as it is, for whoever looks into it: it is not what was signed. ",
    make("code", {}, "retention audit verify"),
    " tells more.",
  ];
  delete byId("refused").dataset.hint;
  byId("verdict").replaceChildren(make("p", { class: "bad" }, "NOT PROVEN: see below."));
  byId("refused").replaceChildren(make("p", { class: "bad" }, `REFUSED: ${text}`), make("p", {}, advice));
  byId("refused").scrollIntoView({ block: "nearest" });
}

// -- the log and the key -------------------------------------------------------------

function openSource(source, text) {
  page.source = source;
  byId("where").textContent = text;
  forget();
}

/** Nothing of another log or key stays on the page. */
function forget() {
  Object.assign(page, { log: null, index: null });
  byId("verdict").replaceChildren(make("p", {}, "Not checked yet."));
  for (const id of ["refused", "older-found", "found", "entry", "cameras"]) byId(id).replaceChildren();
  for (const id of ["all-form", "older-section", "search-section", "found-section", "entry-section"]) {
    byId(id).hidden = true;
  }
}

function pick(files) {
  const source = new PickedSource(files);
  openSource(source, `Read from the directory ${source.where} (${counted(source.files.size, "file")}).`);
  if (byId("key").value.trim()) checkLog();
}

/** The key that she gave; with a fingerprint it is the one that is `offered`, if it has that. */
async function givenKey(offered) {
  const text = byId("key").value.trim();
  if (!text) throw new Unusable("Give the log's key or its fingerprint, as you have it on paper.");
  const asked = asFingerprint(text);
  if (asked === null) return parseKey(text);
  const named = await offered();
  if (named === null) throw new NotHere("No key is named there: give the key itself.");
  const key = parseKey(named);
  if (fingerprint(key.text) !== asked) {
    throw new Altered(
      `The key that is named there has the fingerprint ${fingerprint(key.text)}, and you gave ${asked}: ` +
        "it is another log, or another key.",
    );
  }
  return key;
}

async function namedKey() {
  const bytes = await page.source.read("key");
  return bytes === null ? null : textOf(bytes);
}

function checkLog() {
  return run("Checking the signed head", async (work) => {
    forget();
    if (page.source === null) throw new Unusable("Open the directory of a log first.");
    const key = await givenKey(namedKey);
    const log = await Log.open(page.source, key);
    const { last, zone } = await log.facts();
    work.check();
    page.log = log;
    page.zone = zone;
    offerZones(zone);
    await verdict(log, last);
    for (const id of ["all-form", "older-section", "search-section"]) byId(id).hidden = false;
  });
}

async function verdict(log, last) {
  const range = log.size ? `, 0 to ${log.size - 1}` : "";
  const written = last === null ? "" : ` The last one was written ${moment(last, page.zone)} (${utc(last)}).`;
  const extract = log.source instanceof PickedSource ? await log.extract() : null;
  const lines = [
    make("p", { class: "good" },
      `SIGNED: the head (checkpoint) of ${log.name} is signed with your key. It covers ${counted(log.size, "entry", "entries")}` +
        `${range}.${written}`),
    make("p", {}, "Every entry and row below is shown only if it leads to this head. The key's fingerprint is"),
    make("p", { class: "fingerprint" }, fingerprint(log.key.text)),
  ];
  if (log.kept) lines.push(make("p", {}, `The log extends ${counted(log.kept, "head")} of earlier days that lie in it.`));
  if (extract !== null) {
    lines.push(make("p", {},
      `This is an extract: it has the entries ${extract.first} to ${extract.last - 1}, written ${extract.days}, and ` +
        "from other days those about cameras, holds and rules. The others are not in it."));
  }
  if (log.public) {
    lines.push(make("p", {},
      "This is a public copy: entries that speak of holds, people, requests and recordings are withheld. " +
        "Their hashes are in it, so that the others are proven all the same."));
  }
  byId("verdict").replaceChildren(...lines);
}

function checkEverything() {
  return run("Checking every entry", async (work) => {
    const found = await checkAll(page.log, work, true);
    const missing = found.missing ? ` ${counted(found.missing, "row file")} not here.` : "";
    const all = found.entries === page.log.size ? "all " : "";
    const withheld = found.withheld ? ` Of the entries ${count(found.withheld)} are withheld: their hashes were checked.` : "";
    byId("verdict").append(make("p", { class: "good" },
      `CHECKED: ${all}${counted(found.entries, "entry", "entries")} and ` +
        `${counted(found.files, "row file")} are what was signed.${withheld}${missing}`));
  });
}

// -- older heads -----------------------------------------------------------------------

function compareOlder(text) {
  return run("Comparing", async () => {
    if (page.log === null) throw new Unusable("Check the log with your key first.");
    const paper = rootOnPaper(text);
    const heads = paper ? [] : headsIn(utf8(text));
    if (paper === null && heads.length === 0) {
      throw new Unusable("There is no head in that: it is the name, the size, the root, and a signature.");
    }
    const older = paper ? [paper] : [];
    for (const head of heads) older.push(await olderHead(head));
    for (const one of older) await compareOne(one);
  });
}

/** A head that was brought: where it is not this log's, that says nothing of the log. */
async function olderHead(bytes) {
  try {
    return await openHead(bytes, page.log.key);
  } catch (problem) {
    if (!(problem instanceof Altered)) throw problem;
    throw new Unusable(`What you gave can't be compared. ${problem.message}`);
  }
}

async function compareOne(older) {
  const say = (name, text) => byId("older-found").append(make("li", { class: name }, text));
  try {
    await page.log.extends(older);
    say("good", `CONSISTENT: the log begins with exactly the ${counted(older.size, "entry", "entries")} of your head.`);
  } catch (problem) {
    if (problem instanceof Altered) say("bad", `NOT CONSISTENT: ${problem.message}`);
    throw problem;
  }
}

// -- proofs that were given ------------------------------------------------------------

function checkProof(text) {
  byId("proof").replaceChildren();
  return run("Checking the proof", async (work) => {
    const parts = proofParts(text.replace(/\r\n/g, "\n"));
    const key = await givenKey(() => parts.extra.key ?? null);
    try {
      const found = { ...(await proven(parts, key)), key };
      work.check();
      byId("proof").replaceChildren(...provenView(found, page.zone));
    } catch (problem) {
      if (!(problem instanceof Altered)) throw problem;
      // It says nothing of a log that may be open.
      byId("proof").replaceChildren(make("p", { class: "bad" }, `PROVES NOTHING: ${problem.message}`));
    }
  });
}

async function takeProof() {
  const [file] = byId("proof-file").files;
  try {
    if (!file) throw new Unusable("Choose the file first.");
    await takeFile(file);
  } catch (problem) {
    complain(problem);
  }
}

/** A file that was dropped or chosen: a key, a proof, or an older head. */
async function takeFile(file) {
  if (file.size > 2 ** 26) throw new Unusable(`${file.name} is too large for a key, a head or a proof.`);
  const raw = await file.text();
  if (raw.startsWith(PROOF)) return checkProof(raw);
  const text = raw.trim();
  const isKey = asFingerprint(text) !== null || /^[^\s+]+\+[0-9a-f]{8}\+\S+$/.test(text);
  if (isKey) {
    byId("key").value = text;
    return checkLog();
  }
  return compareOlder(text);
}

async function takeFiles(files) {
  try {
    for (const file of files) await takeFile(file);
  } catch (problem) {
    complain(problem);
  }
}

// -- search ----------------------------------------------------------------------------

/** The index; it is made once, by reading every entry. */
async function indexed(work) {
  page.index ??= await Index.of(page.log, work);
  byId("cameras").replaceChildren(...page.index.published().map((id) => make("option", { value: id })));
  return page.index;
}

/** What a public copy can't say. */
function withheldText(number) {
  return number ? ` Withheld in this public copy: ${counted(number, "entry", "entries")}, whatever they say.` : "";
}

function show(work, title, found, read, note = "") {
  work.check();
  const cut = found.length >= MOST ? ` Only the first ${count(MOST)} are shown: ask for less.` : "";
  byId("found-section").hidden = false;
  byId("found-title").textContent = title;
  byId("found-text").textContent = `${counted(found.length, "entry", "entries")} found.${cut} Read: ${read}.${note}`;
  byId("found").replaceChildren(...(found.length ? [foundTable(found, page.zone, page.index, showEntry)] : []));
  goTo("found-title");
}

/** To what was asked for, by eye and by keyboard. */
function goTo(id) {
  byId(id).focus();
  byId(id).scrollIntoView({ block: "start" });
}

function searchCamera() {
  const id = byId("camera").value.trim();
  const [day, hour] = [byId("camera-day").value, Number(byId("camera-hour").value)];
  return run("Reading the log", async (work) => {
    const span = spanOf(day, hour, page.zone);
    const index = await indexed(work);
    const keys = index.keys(id);
    if (keys.size === 0) throw new NotHere(`No entry gives a camera the id ${id}.`);
    const found = await aboutFootage(page.log, index, keys, span, work);
    const holds = new Set(found.map((one) => one.hold).filter((hold) => hold !== undefined));
    const where = (await page.log.partsFrom()) === null ? "" : " in this extract";
    const none = found.some((one) => one.meant) ? "" : ` No entry${where} speaks of a recording in that hour.`;
    const held = holds.size ? ` Holds that cover some of it: ${[...holds].join(", ")}.` : " No hold covers it.";
    const said = index.withheld ? withheldText(index.withheld) : none + held;
    const title = `Camera ${id} from ${moment(span[0], page.zone)} to ${moment(span[1], page.zone)}`;
    show(work, title, found, `${counted(index.entries, "entry", "entries")} and the rows that may be meant`, said);
  });
}

function searchHold() {
  const asked = byId("hold").value;
  return run("Reading the log", async (work) => {
    const index = await indexed(work);
    const numbers = asked
      ? index.holds.get(Number(asked)) ?? []
      : [...index.holds.values()].map((life) => life[0]);
    const found = [];
    for (const number of numbers.slice(0, MOST)) found.push(await page.log.entry(number));
    const title = asked ? `Hold ${asked}: its life` : "Every hold: its first entry";
    show(work, title, found, counted(index.entries, "entry", "entries"), withheldText(index.withheld));
  });
}

function searchKind() {
  const [kind, day] = [byId("kind").value, byId("kind-day").value];
  return run("Reading the log", async (work) => {
    const span = day ? spanOf(day, null, page.zone) : [null, null];
    if (page.log.size <= SMALL) await indexed(work);
    const { found, read } = await ofKind(page.log, kind, span, MOST, work);
    const when = day ? `written on ${day}` : "of the whole log";
    const name = kind ? `${kind}${kind.endsWith(".") ? "*" : ""}` : "Every kind";
    const unknown = page.index === null ? " Whether some came back unsigned in a restore was not looked at." : "";
    const note = withheldText(read.withheld) + unknown;
    show(work, `${name}, ${when}`, found, counted(read.entries, "entry", "entries"), note);
  });
}

function showEntry(number) {
  return run("Reading the entry", async (work) => {
    const one = await page.log.one(number);
    const path = await page.log.path(one);
    const act = { show: showEntry, save: saveProof, look: lookAt };
    if (page.log.size <= SMALL) await indexed(work);
    work.check();
    const view = one.withheld ? withheldView(one, path) : entryView(one, path, page.zone, page.index, act);
    byId("entry-section").hidden = false;
    byId("entry-title").textContent = `Entry ${number}: ${one.withheld ? "withheld" : one.entry.kind}`;
    byId("entry").replaceChildren(...view);
    goTo("entry-title");
    if (one.withheld || !("rows_sha256" in one.entry)) return;
    const rows = await page.log.rows(one.entry);
    const outcomes = await outcomesOf(page.log, page.index, one.entry);
    work.check();
    byId("entry").append(...rowsView(one, rows, outcomes, page.zone, act));
  });
}

/** An entry again, with all that the others say of it. */
async function lookAt(number) {
  await run("Reading the log", indexed);
  await showEntry(number);
}

function saveProof(number, row = null) {
  return run("Reading the log", async (work) => {
    const text = await proofFile(page.log, number, row, await indexed(work));
    const name = `entry-${number}${row === null ? "" : `-row-${row}`}.tlog-proof`;
    const address = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  });
}

// -- wiring ----------------------------------------------------------------------------

function offerZones(zone) {
  const zones = zone === "UTC" ? ["UTC"] : [zone, "UTC"];
  byId("zone").replaceChildren(...zones.map((one) => make("option", { value: one }, one)));
}

function offerKinds() {
  const groups = [...new Set(Object.keys(KINDS).map((kind) => kind.split(".")[0]))];
  const options = [make("option", { value: "" }, "every kind")];
  for (const group of groups) {
    const kinds = Object.keys(KINDS).filter((kind) => kind.split(".")[0] === group);
    if (kinds.length > 1) options.push(make("option", { value: `${group}.` }, `${group}.*`));
    options.push(...kinds.map((kind) => make("option", { value: kind, title: KINDS[kind].meaning }, kind)));
  }
  byId("kind").replaceChildren(...options);
}

function offerHours() {
  const hours = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
  byId("camera-hour").replaceChildren(
    ...hours.map((hour) => make("option", { value: Number(hour) }, `${hour}:00 to ${hour}:59`)),
  );
}

function onSubmit(id, act) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

/** What somebody lets go of above the page: a key or a head. */
function onDrop(event) {
  event.preventDefault();
  document.body.classList.remove("dropping");
  takeFiles(event.dataTransfer.files);
}

function start() {
  offerKinds();
  offerHours();
  offerZones("UTC");
  onSubmit("key-form", checkLog);
  onSubmit("all-form", checkEverything);
  onSubmit("proof-form", takeProof);
  onSubmit("older-form", () => compareOlder(byId("older").value));
  onSubmit("camera-form", searchCamera);
  onSubmit("hold-form", searchHold);
  onSubmit("kind-form", searchKind);
  onSubmit("number-form", () => showEntry(Number(byId("number").value)));
  byId("zone").addEventListener("change", () => (page.zone = byId("zone").value));
  byId("stop").addEventListener("click", () => page.work?.stop());
  for (const id of ["key-file", "older-file", "proof-file"]) {
    byId(id).addEventListener("change", () => takeFiles(byId(id).files));
  }
  byId("directory").addEventListener("change", () => {
    try {
      pick(byId("directory").files);
    } catch (problem) {
      complain(problem);
    }
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  addEventListener("drop", onDrop);
  if (location.protocol === "file:") {
    byId("where").textContent = "This page was opened as a file: pick the directory of the log.";
  } else {
    const base = new URL("../", location.href);
    openSource(new HttpSource(base), `Read from ${base.href}, as far as it is needed.`);
  }
}

start();
