// Between an instant and what a clock on the wall of a zone says: what a `datetime-local` control speaks.

function wall(ms, tz) {
  const parts = {};
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: tz, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  for (const { type, value } of format.formatToParts(ms)) {
    parts[type] = value;
  }
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}

/** `2026-11-21T17:56` in the zone, from Unix seconds. */
export function toZone(seconds, tz) {
  return wall(seconds * 1000, tz);
}

/** Unix seconds of a wall-clock time in the zone. In an hour that a clock change repeats it is the first one, in a skipped one the next valid. */
export function fromZone(text, tz) {
  const asUtc = Date.parse(`${text}:00Z`);
  let guess = asUtc;
  for (let round = 0; round < 3; round += 1) {
    const off = Date.parse(`${wall(guess, tz)}:00Z`) - asUtc;
    if (off === 0) {
      break;
    }
    guess -= off;
  }
  return Math.floor(guess / 1000);
}
