// Times as people read them. Every instant is shown in the zone of the person who is looked through, as their Slack would.

const formats = new Map();

function format(tz, options) {
  const key = tz + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) {
    try {
      made = new Intl.DateTimeFormat("en-US", { timeZone: tz, ...options });
    } catch {
      // An unknown zone in a profile is no reason to show no time.
      made = new Intl.DateTimeFormat("en-US", { timeZone: "UTC", ...options });
    }
    formats.set(key, made);
  }
  return made;
}

/** Milliseconds of a Slack timestamp (`1732191840.000100`). */
export function ofTs(ts) {
  return Math.floor(Number.parseFloat(ts) * 1000);
}

/** `5:56 PM`. */
export function clock(ms, tz) {
  return format(tz, { hour: "numeric", minute: "2-digit" }).format(ms);
}

/** `5:56:02 PM`. */
export function clockSeconds(ms, tz) {
  return format(tz, { hour: "numeric", minute: "2-digit", second: "2-digit" }).format(ms);
}

/** `17:56:02.417`, for logs. */
export function precise(ms, tz) {
  const text = format(tz, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(ms);
  return `${text}.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;
}

/** `Sat, Nov 21 · 5:56:02 PM`, for the clock in the bar. */
export function barClock(ms, tz) {
  return `${format(tz, { weekday: "short", month: "short", day: "numeric" }).format(ms)} · ${clockSeconds(ms, tz)}`;
}

/** `Saturday, November 21, 2026 at 5:56:02 PM GMT-3`. */
export function full(ms, tz) {
  return format(tz, { dateStyle: "full", timeStyle: "long" }).format(ms);
}

/** `2026-11-21`: which day it is there. */
export function day(ms, tz) {
  const { year, month, day: date } = parts(ms, tz);
  return `${year}-${month}-${date}`;
}

function parts(ms, tz) {
  const found = {};
  for (const { type, value } of format(tz, { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(ms)) {
    found[type] = value;
  }
  return found;
}

/** Today, Yesterday, or `Friday, November 20th`. */
export function dayName(ms, tz, nowMs) {
  return nearby(ms, tz, nowMs) ?? `${format(tz, { weekday: "long", month: "long" }).format(ms).replace(/^(\S+) (\S+)$/, "$2, $1")} ${ordinal(ms, tz)}`;
}

function nearby(ms, tz, nowMs) {
  const here = day(ms, tz);
  const dayMs = 86_400_000;
  if (here === day(nowMs, tz)) {
    return "Today";
  }
  if (here === day(nowMs - dayMs, tz)) {
    return "Yesterday";
  }
  return here === day(nowMs + dayMs, tz) ? "Tomorrow" : undefined;
}

function ordinal(ms, tz) {
  const date = Number(parts(ms, tz).day);
  const teen = date % 100 >= 11 && date % 100 <= 13;
  return `${date}${teen ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[date % 10] ?? "th")}`;
}

/** `3 minutes ago`, `in 2 days`. */
export function ago(ms, nowMs) {
  const seconds = Math.round((ms - nowMs) / 1000);
  const relative = new Intl.RelativeTimeFormat("en-US", { numeric: "auto" });
  for (const [unit, size] of [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) {
      return relative.format(Math.trunc(seconds / size), unit);
    }
  }
  return seconds > -10 && seconds <= 0 ? "just now" : relative.format(seconds, "second");
}

/** `5:56 PM` if it is today there, else `Nov 14`. */
export function brief(ms, tz, nowMs) {
  return day(ms, tz) === day(nowMs, tz) ? clock(ms, tz) : format(tz, { month: "short", day: "numeric" }).format(ms);
}

/** `6 d 23 h`, `4 min`, `12 s`: how long, in the two largest units. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first === -1) {
    return "0 s";
  }
  const shown = [];
  let left = seconds;
  for (const [name, size] of units.slice(first, first + 2)) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) {
      shown.push(`${count} ${name}`);
    }
  }
  return shown.join(" ");
}

/** What `<!date^…>` asks for, in the reader's zone; an unknown token stays as it is written, as in Slack. */
export function slackDate(ms, template, tz, nowMs) {
  const long = (options) => format(tz, options).format(ms);
  const withOrdinal = (options) => long(options).replace(/\d+(?=,|$)/, ordinal(ms, tz));
  const forms = {
    date_num: () => day(ms, tz),
    date_slash: () => long({ year: "numeric", month: "2-digit", day: "2-digit" }),
    date: () => withOrdinal({ year: "numeric", month: "long", day: "numeric" }),
    date_short: () => long({ year: "numeric", month: "short", day: "numeric" }),
    date_long: () => withOrdinal({ weekday: "long", year: "numeric", month: "long", day: "numeric" }),
    date_long_full: () => withOrdinal({ weekday: "long", year: "numeric", month: "long", day: "numeric" }),
    time: () => clock(ms, tz),
    time_secs: () => clockSeconds(ms, tz),
    ago: () => ago(ms, nowMs),
    day_divider_pretty: () => dayName(ms, tz, nowMs),
  };
  return template.replace(/\{(\w+)\}/g, (written, token) => {
    const pretty = /^(.*)_pretty$/.exec(token);
    if (pretty && forms[pretty[1]]) {
      return nearby(ms, tz, nowMs)?.toLowerCase() ?? forms[pretty[1]]();
    }
    return forms[token]?.() ?? written;
  });
}
