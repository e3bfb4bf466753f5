// Reads the server's binary frames; the places are those of frames.py.

const HEADER = 108;
const POINTS_HEADER = 20;

/** The four letters that say what it holds. @param {ArrayBuffer} buffer */
export function kindOf(buffer) {
  return new TextDecoder().decode(new Uint8Array(buffer, 0, 4));
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {import("./types.js").Frame}
 */
export function readFrame(buffer) {
  const view = new DataView(buffer);
  const u32 = (/** @type {number} */ at) => view.getUint32(at, true);
  const f32 = (/** @type {number} */ at) => view.getFloat32(at, true);
  const f64 = (/** @type {number} */ at) => view.getFloat64(at, true);
  const [side, planeCount, thumbSide, thumbCount, parameters, curvePoints, classes, focused] =
    Array.from({ length: 8 }, (_, i) => u32(68 + 4 * i));
  let at = HEADER;
  const floats = (/** @type {number} */ count) => {
    const part = new Float32Array(buffer, at, count);
    at += 4 * count;
    return part;
  };
  const bytes = (/** @type {number} */ count) => {
    const part = new Uint8Array(buffer, at, count);
    at += count;
    return part;
  };
  const theta = floats(parameters);
  const curve = floats(3 * curvePoints);
  const units = unitsLeft(buffer.byteLength, at, classes, side, planeCount, thumbSide, thumbCount, focused);
  const reasons = floats(units);
  const confusion = new Uint32Array(buffer, at, 2 * classes * classes);
  at += 8 * classes * classes;
  const planes = Array.from({ length: planeCount }, () => bytes(side * side));
  const thumbs = bytes(thumbCount * thumbSide * thumbSide);
  const focusPlane = focused ? bytes(side * side) : null;
  const flags = u32(12);
  return {
    sequence: u32(4), run: u32(8),
    playing: (flags & 1) !== 0, finished: (flags & 2) !== 0, failed: (flags & 4) !== 0,
    past: (flags & 8) !== 0,
    steps: f64(16), epochs: f64(24), batchRate: f64(32), epochRate: f64(40),
    losses: [f32(48), f32(52), f32(56)], scores: [f32(60), f32(64)],
    side, planes, thumbSide, thumbs, thumbCount, theta, curve, reasons,
    states: bytes(buffer.byteLength - at), classes, confusion,
    focus: focused - 1, focusPlane,
    fingerprint: view.getBigUint64(100, true).toString(16).padStart(16, "0"),
  };
}

/**
 * How many hidden units there are: what is left when everything else is taken away, five bytes each.
 * @param {number} length @param {number} at @param {number} classes @param {number} side
 * @param {number} planes @param {number} thumbSide @param {number} thumbs @param {number} focused
 */
function unitsLeft(length, at, classes, side, planes, thumbSide, thumbs, focused) {
  const pictures = side * side * (planes + (focused ? 1 : 0)) + thumbs * thumbSide * thumbSide;
  return (length - at - 8 * classes * classes - pictures) / 5;
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {import("./types.js").Points}
 */
export function readPoints(buffer) {
  const view = new DataView(buffer);
  const count = view.getUint32(8, true);
  return {
    run: view.getUint32(4, true),
    count,
    nTrain: view.getUint32(12, true),
    classes: view.getUint32(16, true) === 1,
    values: new Float32Array(buffer, POINTS_HEADER, 3 * count),
  };
}

/** Reads numbers one after the other, as a header holds them. @param {ArrayBuffer} buffer */
function reader(buffer) {
  const view = new DataView(buffer);
  let at = 4;
  return {
    whole: () => view.getUint32((at += 4) - 4, true),
    double: () => view.getFloat64((at += 8) - 8, true),
    single: () => view.getFloat32((at += 4) - 4, true),
    floats(/** @type {number} */ count) {
      at += 4 * count;
      return new Float32Array(buffer, at - 4 * count, count);
    },
  };
}

/** What every layer says to one image. @param {ArrayBuffer} buffer @returns {import("./types.js").Answer} */
export function readAnswer(buffer) {
  const { whole, floats } = reader(buffer);
  const [run, source, row, truth, predicted, height, width, count] = Array.from({ length: 8 }, whole);
  const units = Array.from({ length: count }, whole);
  const pixels = count ? floats(height * width) : new Float32Array(height * width);
  return { run, source, row, truth: truth - 1, predicted, width, pixels, layers: units.map(floats) };
}

/** @param {ArrayBuffer} buffer @returns {import("./types.js").Mistakes} */
export function readMistakes(buffer) {
  const { whole, double, single, floats } = reader(buffer);
  const [run, tests, wrong, first, count, height, width] = Array.from({ length: 7 }, whole);
  const [epochs, loss] = [double(), single()];
  const rows = Array.from({ length: count }, () => [whole(), whole(), whole()]);
  const numbers = Array.from({ length: count }, () => floats(3));
  const pixels = new Uint8Array(buffer, buffer.byteLength - count * height * width);
  const items = rows.map(([row, truth, predicted], i) => ({
    row, truth, predicted, loss: numbers[i][0], output: numbers[i][1], ofTruth: numbers[i][2],
    pixels: pixels.subarray(i * height * width, (i + 1) * height * width),
  }));
  return { run, tests, wrong, first, epochs, loss, width, items };
}

/** @param {ArrayBuffer} buffer @returns {import("./types.js").Surface} */
export function readSurface(buffer) {
  const { whole, double, single, floats } = reader(buffer);
  const [run, isPath, points, count] = [whole(), whole(), whole(), whole()];
  const [a0, a1, b0, b1] = [double(), double(), double(), double()];
  const shares = [single(), single()];
  return { run, isPath: isPath === 1, points, count, a: [a0, a1], b: [b0, b1], shares, heights: floats(points * points), way: floats(3 * count) };
}

/** @param {ArrayBuffer} buffer @returns {import("./types.js").Warp} */
export function readWarp(buffer) {
  const { whole, floats } = reader(buffer);
  const [run, layer, first, second, lines, samples, count] = [whole(), whole(), whole(), whole(), whole(), whole(), whole()];
  return { run, layer, first, second, lines, samples, count, classes: true, grid: floats(4 * lines * samples), data: floats(3 * count) };
}
