// A small set of line icons, drawn for this page on a 20 by 20 grid.

import { svg } from "./dom.js";

const stroke = { fill: "none", stroke: "currentColor", "stroke-width": "1.6", "stroke-linecap": "round", "stroke-linejoin": "round" };
const line = (d) => ["path", { ...stroke, d }];
const dot = (cx, cy, r = 1.4) => ["circle", { cx, cy, r, fill: "currentColor" }];
const ring = (cx, cy, r) => ["circle", { ...stroke, cx, cy, r }];

const SHAPES = {
  hash: [line("M8 3 6.5 17M13.5 3 12 17M3.5 7.5h13M3 12.5h13")],
  lock: [line("M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9")],
  close: [line("m5 5 10 10M15 5 5 15")],
  menu: [line("M3 5.5h14M3 10h14M3 14.5h14")],
  send: [["path", { d: "M3.2 3.3 17 9.4a.7.7 0 0 1 0 1.2L3.2 16.7a.6.6 0 0 1-.8-.7l1.3-4.8 6.8-1.2-6.8-1.2L2.4 4a.6.6 0 0 1 .8-.7Z", fill: "currentColor" }]],
  thread: [line("M4 4h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H9l-4 3v-3H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1ZM6.5 7.7h7M6.5 10.5h4.5")],
  link: [line("M8.5 11.5a3 3 0 0 0 4.3 0l2.6-2.6a3 3 0 0 0-4.3-4.3l-1 1M11.5 8.5a3 3 0 0 0-4.3 0l-2.6 2.6a3 3 0 0 0 4.3 4.3l1-1")],
  more: [dot(4.5, 10), dot(10, 10), dot(15.5, 10)],
  chevron: [line("m6 8 4 4 4-4")],
  right: [line("m8 5 5 5-5 5")],
  back: [line("M12 4.5 6.5 10l5.5 5.5")],
  sun: [ring(10, 10, 3.4), line("M10 2.2v1.6M10 16.2v1.6M2.2 10h1.6M16.2 10h1.6M4.5 4.5l1.1 1.1M14.4 14.4l1.1 1.1M15.5 4.5l-1.1 1.1M5.6 14.4l-1.1 1.1")],
  moon: [line("M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7Z")],
  cloud: [line("M6 15.5a3.7 3.7 0 0 1-.3-7.4 4.8 4.8 0 0 1 9.2 1.1 3.2 3.2 0 0 1-.4 6.3Z")],
  bolt: [line("M11 2.5 4.5 11.2H9.4L8.8 17.5l6.7-8.9h-5Z")],
  clock: [ring(10, 10, 7), line("M10 6v4.2l2.8 1.7")],
  eye: [line("M2.5 10S5.2 5 10 5s7.5 5 7.5 5-2.7 5-7.5 5-7.5-5-7.5-5Z"), ring(10, 10, 2.2)],
  check: [line("m4.5 10.5 3.6 3.7 7.4-8.2")],
  cross: [line("m6 6 8 8M14 6l-8 8")],
  pause: [line("M7.5 5.5v9M12.5 5.5v9")],
  stop: [line("M6 6h8v8H6z")],
  commit: [ring(10, 10, 3), line("M2.5 10H7M13 10h4.5")],
  bell: [line("M5.5 13.5V9a4.5 4.5 0 0 1 9 0v4.5l1.3 1.5H4.2ZM8.5 17a1.7 1.7 0 0 0 3 0")],
  down: [line("M10 4v11M5.5 10.8 10 15.3l4.5-4.5")],
  person: [ring(10, 7, 3), line("M4 16.5c.6-3 3-4.5 6-4.5s5.4 1.5 6 4.5")],
  plug: [line("M7 3v4M13 3v4M5 7h10v2.5a5 5 0 0 1-10 0ZM10 14.5V17.5")],
  calendar: [line("M4 5h12v11H4zM4 8.5h12M7 3v3M13 3v3")],
  refresh: [line("M16 10a6 6 0 1 1-1.8-4.3M16 3.5v3h-3")],
};

/** An icon by name; decorative, so whatever carries it needs a name of its own. */
export function icon(name) {
  return svg(SHAPES[name] ?? SHAPES.more);
}

/** The sandbox's mark: a signal with one lamp lit. */
export function mark() {
  return svg(
    [
      ["rect", { x: 5.5, y: 1, width: 9, height: 15, rx: 4.5, fill: "currentColor", opacity: "0.22" }],
      ["circle", { cx: 10, cy: 5.4, r: 2.5, fill: "#ff6b6b", opacity: "0.55" }],
      ["circle", { cx: 10, cy: 11.4, r: 2.7, fill: "#3ddc97" }],
      ["path", { d: "M10 16v3M6.5 19h7", stroke: "currentColor", "stroke-width": "1.6", "stroke-linecap": "round" }],
    ],
    { class: "icon mark" },
  );
}
