// Where everything stands that reads an image: the image, blocks of neurons, the ten answers.

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./layout.js").Place} Place */

/** A block of neurons: how many columns and rows, how large each, and its cells. @typedef {{columns: number, rows: number, size: number, wide: number, tall: number}} Block */

const HEAD = 74;
const LABEL = 20;
/** Beside an answer: its digit and its bar. */
export const ANSWER = 46;

/** Columns and rows of so many neurons that stand together, read like a text. @param {number} units */
export function gridOf(units) {
  const columns = units <= 3 ? 1 : units <= 8 ? 2 : units <= 12 ? 3 : Math.ceil(Math.sqrt(units * 0.8));
  return { columns, rows: Math.ceil(units / columns) };
}

/** @param {number} low @param {number} value @param {number} high */
const clamp = (low, value, high) => Math.max(low, Math.min(high, Math.floor(value)));

/**
 * As large as the width allows.
 * @param {Run} run @param {number} width @param {boolean} narrow
 */
function measure(run, width, narrow) {
  const between = narrow ? 22 : clamp(30, width / (8 + 6 * run.sizes.length), 110);
  const input = narrow ? 56 : clamp(84, width / 7, 196);
  const units = run.sizes.slice(1);
  const grids = units.map(gridOf);
  const last = grids.length - 1;
  grids[last] = last ? { columns: 1, rows: units[last] } : { columns: 2, rows: Math.ceil(units[last] / 2) };
  const hidden = grids.slice(0, -1).reduce((sum, grid) => sum + grid.columns, 0);
  const answers = grids[last].columns;
  const gap = narrow || hidden > 8 ? 6 : 10;
  const fixed = input + between * grids.length + answers * ANSWER + (last ? (narrow ? 26 : 40) + gap : 0);
  const shared = last ? hidden : answers;
  const size = clamp(narrow ? 34 : 26, (width - fixed) / shared - gap, 132);
  const deepest = Math.max(...grids.slice(0, last || 1).map((grid) => grid.rows)) * (size + gap);
  const answer = last ? clamp(narrow ? 26 : 30, deepest / units[last] - gap, 54) : size;
  const blocks = grids.map((grid, i) => {
    const side = i === last ? answer : size;
    return { ...grid, size: side, wide: side + gap + (i === last ? ANSWER : 0), tall: side + gap };
  });
  return { input, between, gap, blocks };
}

/** @param {Run} run @param {number} width @param {boolean} narrow @param {boolean} rtl */
export function imageLayout(run, width, narrow, rtl) {
  const { input, between, gap, blocks } = measure(run, width, narrow);
  const needed = input + blocks.reduce((sum, one) => sum + between + one.columns * one.wide - gap, 0);
  const whole = Math.max(width, needed);
  const lead = (whole - needed) / 2;
  const tallest = Math.max(input + LABEL, ...blocks.map((one) => one.rows * one.tall));
  const height = HEAD + tallest + 8;
  const middle = HEAD + tallest / 2;
  /** @param {number} left @param {number} size */
  const mirror = (left, size) => (rtl ? whole - left - size : left);
  /** @type {Place[]} */
  const places = [
    { layer: 0, unit: 0, index: -1, active: true, size: input, rtl, x: mirror(lead, input), y: middle - (input + LABEL) / 2 },
  ];
  const heads = [], pills = [];
  let x = lead + input + between, index = 0;
  for (const [i, block] of blocks.entries()) {
    const layer = i + 1, units = run.sizes[layer];
    const top = middle - (block.rows * block.tall - gap) / 2;
    for (let unit = 0; unit < units; unit++) {
      const left = x + (unit % block.columns) * block.wide;
      const y = top + Math.floor(unit / block.columns) * block.tall;
      places.push({ layer, unit, index: index + unit, active: true, size: block.size, rtl, x: mirror(left, block.size), y });
    }
    index += units;
    const wide = block.columns * block.wide - gap;
    const centre = mirror(x + wide / 2, 0);
    const half = narrow ? 38 : 50;
    heads.push({ x: clamp(half, centre, whole - half), layer, last: layer === blocks.length });
    for (const box of run.boxes.filter((one) => one.column === layer)) {
      pills.push({ name: box.name, x: clamp(46, mirror(x + wide + between / 2, 0), whole - 46), y: height, top: HEAD });
    }
    x += wide + between;
  }
  return { places, heads, pagers: [], pills, width: whole, height: height + (pills.length ? 28 : 0) };
}
