"use strict";
/* cctv-retention explorer: values as people read them. */

const FOREVER = Number.MAX_SAFE_INTEGER;

function count(number) {
  return number.toLocaleString("en-GB");
}

function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** An instant in UTC, to the microsecond where it has any. */
function utc(instant) {
  const seconds = new Date(Math.floor(instant / 1000000) * 1000).toISOString().slice(0, 19);
  const rest = ((instant % 1000000) + 1000000) % 1000000;
  return `${seconds}${rest ? `.${String(rest).padStart(6, "0")}` : ""}Z`;
}

/** Year to second of an instant (milliseconds) on a clock in that zone. */
function clock(milliseconds, zone) {
  const form = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, hourCycle: "h23", timeZoneName: "short",
    year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  return Object.fromEntries(form.formatToParts(milliseconds).map(({ type, value }) => [type, value]));
}

/** An instant as people at the site read it: 2026-10-24 14:00:00 BST. */
function moment(instant, zone) {
  if (instant === FOREVER) return "open";
  const at = clock(Math.floor(instant / 1000), zone);
  return `${at.year}-${at.month}-${at.day} ${at.hour}:${at.minute}:${at.second} ${at.timeZoneName}`;
}

/** Where an instant's wall clock stands, as if that were UTC (milliseconds). */
function wall(milliseconds, zone) {
  const at = clock(milliseconds, zone);
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second);
}

/** The instants (microseconds) at which a wall clock shows this: one, two in autumn, or none. */
function instantsOf(shown, zone) {
  const offsets = [-1, 1].map((day) => {
    const near = shown + day * 86400000;
    return wall(near, zone) - near;
  });
  const found = new Set(offsets.map((offset) => shown - offset));
  return [...found].filter((at) => wall(at, zone) === shown).sort((a, b) => a - b).map((at) => at * 1000);
}

/** A day, or an hour of it, in that zone: [from, to). */
function spanOf(date, hour, zone) {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date) ?? [];
  if (!year) throw new Unusable("Give the day as year, month and day: 2026-10-24.");
  const midnight = Date.UTC(year, month - 1, day);
  if (hour === null) {
    return [midnight, midnight + 86400000].map((at) => instantsOf(at, zone)[0] ?? at * 1000);
  }
  const begins = instantsOf(midnight + hour * 3600000, zone);
  if (begins.length === 0) {
    throw new Unusable(`On ${date} there was no such hour in ${zone}: clocks went forward.`);
  }
  return [begins[0], begins.at(-1) + 3600000000];
}

/** A duration: 1 h 30 min; below a minute seconds. */
function lengthText(microseconds) {
  const seconds = Math.abs(microseconds) / 1000000;
  const sign = microseconds < 0 ? "-" : "";
  if (seconds < 60) return `${sign}${Number(seconds.toFixed(3))} s`;
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const parts = [];
  let rest = Math.round(seconds);
  for (const [unit, length] of units) {
    if (rest >= length) parts.push(`${Math.floor(rest / length)} ${unit}`);
    rest %= length;
  }
  return sign + parts.slice(0, 2).join(" ");
}

function sizeText(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < 4) [value, unit] = [value / 1000, unit + 1];
  return `${unit ? value.toFixed(1) : value} ${units[unit]}`;
}

/** A value of a field or a row, by its name. */
function valueText(name, value, zone) {
  if (value === null) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    if (INSTANTS.includes(name)) return moment(value, zone);
    if (DURATIONS.includes(name)) return lengthText(value);
    if (name === "bytes") return sizeText(value);
    if (name === "day") return utc(value * 86400000000).slice(0, 10);
    return String(value);
  }
  if (Array.isArray(value)) return value.length ? value.map(String).join(", ") : "none";
  return typeof value === "object" ? JSON.stringify(value) : value;
}

/** The log has the register's keys, which must not be taken for published ids. */
function titleOf(name) {
  if (name === "camera" || name.endsWith("_camera")) return `${name.replace(/_/g, " ")} (key)`;
  return name === "cameras" ? "cameras (keys)" : name.replace(/_/g, " ");
}

/** An entry in one line. */
function shortText(entry, zone) {
  const parts = Object.entries(entry.fields)
    .filter(([, value]) => value !== null && value !== "" && value?.length !== 0)
    .map(([name, value]) => `${titleOf(name)} ${valueText(name, value, zone)}`);
  const text = parts.join(", ");
  return text.length > 300 ? `${text.slice(0, 297)}...` : text;
}
