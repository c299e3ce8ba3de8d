// The journal's chain, as the store's auditors check it: each row bears an HMAC over itself, its service and its predecessor's MAC.

import { createHash, createHmac } from "node:crypto";

// The SHA-256 of a text, in hex.
export function digest(text) {
  return createHash("sha256").update(text).digest("hex");
}

function number(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

// Makes the row that continues a journal of `rows` rows whose newest MAC is `head`.
export function chained(key, slot, record, { rows, head }, draft) {
  const row = { ...draft, record, seq: rows + 1, prev: head };
  const fields = [
    "signalbox row 1",
    slot,
    record,
    number(row.seq),
    number(row.at),
    row.actor,
    row.channel,
    row.cause,
    row.reason,
    row.config,
    row.event,
    row.prev,
  ].map((field) => Buffer.from(field));
  const mac = createHmac("sha256", key);
  for (const field of fields) {
    mac.update(number(field.length));
    mac.update(field);
  }
  return { ...row, mac: mac.digest("hex") };
}

// A MAC as the store writes it down.
export function shorten(mac) {
  return mac === "" ? "-" : Buffer.from(mac, "hex").toString("base64url");
}

// And back.
export function lengthen(word) {
  return word === "-" ? "" : Buffer.from(word, "base64url").toString("hex");
}

// A row as the store writes it down.
export function rowLine(row) {
  const fields = [row.actor, row.channel, row.cause, row.reason, row.config];
  const lengths = fields.map((field) => Buffer.byteLength(field)).join(",");
  return `${row.at} ${shorten(row.mac)} ${lengths} ${fields.join("")}${row.event}`;
}
