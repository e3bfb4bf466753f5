// Where every unit of the network stands, and the way of a link between two.

import { FEATURES } from "./names.js";

/** @typedef {import("./types.js").Run} Run */

/**
 * A unit: `layer` 0 are the inputs, `index` counts hidden units and outputs through all layers.
 * @typedef {{layer: number, unit: number, index: number, active: boolean, x: number, y: number,
 *   size: number, rtl: boolean}} Place
 */

/**
 * Of a layer with more units than are drawn at once: those drawn now, and where to turn the page.
 * @typedef {{layer: number, x: number, y: number, width: number, from: number, to: number,
 *   count: number}} Pager
 */

const HEAD = 92;
const GAP = 8;
const FOOT = 34;
const PILL = 28;
const MOST_UNITS = 64;
const MOST_INPUTS = 10;

/** Columns and rows of a layer's units: more units stand in more columns. @param {number} units */
function block(units) {
  const columns = units <= 10 ? 1 : units <= 20 ? 2 : units <= 40 ? 3 : 4;
  return { columns, rows: Math.ceil(units / columns) };
}

/**
 * @param {Run} run
 * @param {number} width what there is
 * @param {boolean} narrow whether that is little
 * @param {boolean} rtl whether reading begins at the right
 * @param {number[]} first the unit at which each layer's page begins
 */
export function layout(run, width, narrow, rtl, first) {
  const counts = [run.is_plane ? FEATURES.length : run.sizes[0], ...run.sizes.slice(1)];
  const pages = counts.map((count, layer) => {
    const most = layer === 0 ? MOST_INPUTS : MOST_UNITS;
    const from = (first[layer] ?? 0) < count ? (first[layer] ?? 0) : 0;
    return { from, to: Math.min(count, from + most), rows: Math.min(count, most) };
  });
  const blocks = pages.map((page) => block(page.rows));
  const rows = Math.max(...blocks.map((one) => one.rows));
  const [lead, least, tail] = narrow ? [38, 44, 10] : [run.is_plane ? 70 : 92, 74, 26];
  const size = rows <= 8 ? (narrow ? 30 : width > 1250 ? 58 : width > 880 ? 48 : 42) : rows <= 12 ? 32 : 24;
  const widths = blocks.map((one) => one.columns * (size + GAP) - GAP);
  const needed = widths.reduce((a, b) => a + b, 0) + least * (counts.length - 1) + lead + tail;
  const whole = Math.max(width, needed);
  const between = (whole - lead - tail - widths.reduce((a, b) => a + b, 0)) / Math.max(1, counts.length - 1);
  const turns = counts.some((count, layer) => count > pages[layer].rows);
  const stacked = Math.max(0, ...counts.map((_, layer) => run.boxes.filter((box) => box.column === layer).length));
  const bottom = HEAD + Math.max(7, rows) * (size + GAP) + 6;
  const height = bottom + (turns ? FOOT : 0) + stacked * PILL;
  /** @type {Place[]} */
  const places = [];
  /** @type {Pager[]} */
  const pagers = [];
  const heads = [], pills = [];
  let x = lead, index = 0;
  for (const [layer, count] of counts.entries()) {
    const { columns, rows: deep } = blocks[layer];
    const { from, to } = pages[layer];
    const top = HEAD + (bottom - HEAD - deep * (size + GAP)) / 2;
    for (let unit = from; unit < to; unit++) {
      const left = x + Math.floor((unit - from) / deep) * (size + GAP);
      const active = layer > 0 || !run.is_plane || run.settings.features.includes(FEATURES[unit]);
      places.push({
        layer, unit, index: layer > 0 ? index + unit : -1, active, size, rtl,
        x: rtl ? whole - left - size : left,
        y: top + ((unit - from) % deep) * (size + GAP),
      });
    }
    if (layer > 0) index += count;
    const middle = x + widths[layer] / 2;
    const centre = Math.min(whole - 40, rtl ? Math.max(40, whole - middle) : Math.max(middle, 46));
    if (layer > 0) heads.push({ x: centre, layer, last: layer === counts.length - 1 });
    if (count > deep * columns) pagers.push({ layer, x: centre, y: top + deep * (size + GAP), width: 92, from, to, count });
    for (const [i, box] of run.boxes.filter((one) => one.column === layer).entries()) {
      const at = x + widths[layer] + between / 2;
      pills.push({ name: box.name, x: rtl ? whole - at : at, y: height - (i + 1) * PILL, top: HEAD });
    }
    x += widths[layer] + between;
  }
  return { places, heads, pagers, pills, width: whole, height };
}

/** Where a link begins and ends. @param {Place} from @param {Place} to */
function ends(from, to) {
  const [a, b] = from.rtl ? [from.x, to.x + to.size] : [from.x + from.size, to.x];
  return { a, b, y0: from.y + from.size / 2, y1: to.y + to.size / 2 };
}

/** @param {Place} from @param {Place} to */
export function linkPath(from, to) {
  const path = new Path2D();
  const { a, b, y0, y1 } = ends(from, to);
  const middle = (a + b) / 2;
  path.moveTo(a, y0);
  path.bezierCurveTo(middle, y0, middle, y1, b, y1);
  return path;
}

/**
 * How far above or below a point the link passes; infinity beside its ends.
 * @param {Place} from @param {Place} to @param {number} x @param {number} y
 */
export function distance(from, to, x, y) {
  const { a, b, y0, y1 } = ends(from, to);
  const share = (x - a) / (b - a);
  if (!(share > 0 && share < 1)) return Infinity;
  let [low, high] = [0, 1];
  for (let i = 0; i < 14; i++) {
    const t = (low + high) / 2;
    const along = 1.5 * t * (1 - t) + t ** 3; // the curve's way from a to b
    if (along < share) low = t;
    else high = t;
  }
  return Math.abs(y - (y0 + (y1 - y0) * low * low * (3 - 2 * low)));
}

/** @type {WeakMap<Run, Map<string, {start: number, shape: number[]}>>} */
const starts = new WeakMap();

/**
 * The place in θ of one entry of a parameter.
 * @param {Run} run @param {string} name @param {number[]} index
 */
export function parameterIndex(run, name, index) {
  let places = starts.get(run);
  if (!places) {
    places = new Map();
    let start = 0;
    for (const { name: one, shape } of run.parameters) {
      places.set(one, { start, shape });
      start += shape.reduce((a, b) => a * b, 1);
    }
    starts.set(run, places);
  }
  const found = places.get(name);
  if (!found) return -1;
  return found.start + (found.shape.length === 2 ? index[0] * found.shape[1] + index[1] : index[0]);
}
