// Where every unit of the network stands, and the way of a link between two.

/** @typedef {import("./types.js").Run} Run */

/**
 * A unit: `layer` 0 are the inputs, `index` counts hidden units and outputs through all layers.
 * @typedef {{layer: number, unit: number, index: number, active: boolean, x: number, y: number,
 *   size: number, rtl: boolean}} Place
 */

const NAMES = ["x1", "x2", "x1_squared", "x2_squared", "x1_x2", "sin_x1", "sin_x2"];
const HEAD = 92;
const GAP = 8;

/** Columns and rows of a layer's units: more units stand in more columns. @param {number} units */
function block(units) {
  const columns = units <= 8 ? 1 : units <= 20 ? 2 : units <= 40 ? 3 : 4;
  return { columns, rows: Math.ceil(units / columns) };
}

/**
 * @param {number[]} sizes columns read, units of each hidden layer, outputs
 * @param {string[]} features those in use
 * @param {number} width what there is
 * @param {boolean} rtl whether reading begins at the right
 */
export function layout(sizes, features, width, rtl) {
  const counts = [NAMES.length, ...sizes.slice(1)];
  const blocks = counts.map(block);
  const rows = Math.max(...blocks.map((one) => one.rows));
  const narrow = width < 560;
  const [lead, least] = narrow ? [46, 48] : [70, 74];
  const size = rows <= 8 ? (narrow ? 34 : width > 1250 ? 58 : width > 880 ? 48 : 42) : rows <= 12 ? 32 : 24;
  const widths = blocks.map((one) => one.columns * (size + GAP) - GAP);
  const needed = widths.reduce((a, b) => a + b, 0) + least * (counts.length - 1) + lead + 26;
  const whole = Math.max(width, needed);
  const between = (whole - lead - 26 - widths.reduce((a, b) => a + b, 0)) / Math.max(1, counts.length - 1);
  const height = HEAD + Math.max(7, rows) * (size + GAP) + 6;
  /** @type {Place[]} */
  const places = [];
  const heads = [];
  let x = lead, index = 0;
  for (const [layer, count] of counts.entries()) {
    const { columns, rows: deep } = blocks[layer];
    const top = HEAD + (height - HEAD - deep * (size + GAP)) / 2;
    for (let unit = 0; unit < count; unit++) {
      const left = x + Math.floor(unit / deep) * (size + GAP);
      const active = layer > 0 || features.includes(NAMES[unit]);
      places.push({
        layer, unit, index: layer > 0 ? index++ : -1, active, size, rtl,
        x: rtl ? whole - left - size : left,
        y: top + (unit % deep) * (size + GAP),
      });
    }
    const middle = x + (columns * (size + GAP) - GAP) / 2;
    if (layer > 0) {
      const last = layer === counts.length - 1;
      heads.push({ x: Math.min(whole - 40, rtl ? Math.max(40, whole - middle) : middle), layer, last });
    }
    x += widths[layer] + between;
  }
  return { places, heads, width: whole, height };
}

/** @param {Place} from @param {Place} to */
export function linkPath(from, to) {
  const path = new Path2D();
  const [a, b] = from.rtl ? [from.x, to.x + to.size] : [from.x + from.size, to.x];
  const [y0, y1] = [from.y + from.size / 2, to.y + to.size / 2];
  const middle = (a + b) / 2;
  path.moveTo(a, y0);
  path.bezierCurveTo(middle, y0, middle, y1, b, y1);
  return path;
}

/**
 * The place in θ of one entry of a parameter.
 * @param {Run} run @param {string} name @param {number[]} index
 */
export function parameterIndex(run, name, index) {
  let start = 0;
  for (const { name: one, shape } of run.parameters) {
    if (one === name) return start + (shape.length === 2 ? index[0] * shape[1] + index[1] : index[0]);
    start += shape.reduce((a, b) => a * b, 1);
  }
  return -1;
}
