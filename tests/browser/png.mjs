// Pictures for the documentation, small: a browser's screenshot has millions of possible colors and uses a few hundred. Here at most 256 stand
// for the others.

import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLORS = 256;

/** A screenshot (8 bits a channel, not interlaced, as Chromium makes them) as a picture with a palette. */
export function small(screenshot) {
  const { width, height, pixels } = decode(screenshot);
  const chosen = palette(pixels);
  const places = new Map(chosen.map((color, at) => [color, at]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const color = pixels[y * width + x];
      let at = places.get(color);
      if (at === undefined) {
        at = nearest(chosen, color);
        places.set(color, at);
      }
      rows[y * (width + 1) + 1 + x] = at;
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colors = Buffer.from(chosen.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]));
  return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("PLTE", colors), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** The picture's size, and its colors as 0xRRGGBB. */
function decode(file) {
  const data = [];
  let head = null;
  for (let at = SIGNATURE.length; at < file.length; at += file.readUInt32BE(at) + 12) {
    const kind = file.toString("latin1", at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + file.readUInt32BE(at));
    if (kind === "IHDR") {
      head = { width: body.readUInt32BE(0), height: body.readUInt32BE(4), channels: { 2: 3, 6: 4 }[body[9]] };
    } else if (kind === "IDAT") {
      data.push(body);
    }
  }
  const { width, height, channels } = head;
  const stride = width * channels;
  const raw = inflateSync(Buffer.concat(data));
  const pixels = new Uint32Array(width * height);
  let above = Buffer.alloc(stride);
  for (let y = 0; y < height; y += 1) {
    const from = y * (stride + 1);
    const row = Buffer.from(raw.subarray(from + 1, from + 1 + stride));
    unfilter(row, above, raw[from], channels);
    for (let x = 0; x < width; x += 1) {
      pixels[y * width + x] = (row[x * channels] << 16) | (row[x * channels + 1] << 8) | row[x * channels + 2];
    }
    above = row;
  }
  return { width, height, pixels };
}

/** Takes a row's filter back, in place. */
function unfilter(row, above, filter, channels) {
  for (let at = 0; at < row.length; at += 1) {
    const left = at >= channels ? row[at - channels] : 0;
    const corner = at >= channels ? above[at - channels] : 0;
    row[at] += [0, left, above[at], (left + above[at]) >> 1, paeth(left, above[at], corner)][filter];
  }
}

function paeth(left, above, corner) {
  const guess = left + above - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** Of colors that are alike, the one that is used most: as finely as the palette allows, so that a rare hue is not lost to many grays. */
function palette(pixels) {
  const counts = new Map();
  for (const color of pixels) {
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  const ordered = [...counts].sort((a, b) => b[1] - a[1]).map(([color]) => color);
  for (const mask of [0xffffff, 0xfcfcfc, 0xf8f8f8, 0xf0f0f0, 0xe0e0e0]) {
    const alike = new Map();
    for (const color of ordered) {
      alike.set(color & mask, alike.get(color & mask) ?? color);
    }
    if (alike.size <= COLORS) {
      return [...alike.values()];
    }
  }
  return ordered.slice(0, COLORS);
}

function nearest(chosen, color) {
  let best = 0;
  let least = Infinity;
  chosen.forEach((each, at) => {
    const far = ((each >> 16) - (color >> 16)) ** 2 + (((each >> 8) & 255) - ((color >> 8) & 255)) ** 2 + ((each & 255) - (color & 255)) ** 2;
    if (far < least) {
      [best, least] = [at, far];
    }
  });
  return best;
}
