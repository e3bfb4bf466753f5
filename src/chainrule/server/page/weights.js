// Weights as images: of the first layer on the pixels, of later ones on the layer before as it stands.

import { paintValues } from "./colours.js";
import { isRtl } from "./i18n.js";
import { gridOf } from "./image_layout.js";
import { parameterIndex } from "./layout.js";

/** @typedef {import("./types.js").Run} Run */

const REACH = 3;
const SIDE = 240; // of the first layer's images together, in pixels

/** Where a layer's matrix begins in θ, its inputs and units. @param {Run} run @param {number} layer */
function matrix(run, layer) {
  const start = parameterIndex(run, run.columns[layer - 1].weights, [0, 0]);
  return { start, inputs: run.sizes[layer - 1], units: run.sizes[layer] };
}

/** The weight at which colours are full: three times the root mean square of the layer. @param {Run} run @param {Float32Array} theta @param {number} layer */
export function fullColour(run, theta, layer) {
  const { start, inputs, units } = matrix(run, layer);
  let sum = 0;
  for (let i = start; i < start + inputs * units; i++) sum += theta[i] * theta[i];
  return REACH * Math.sqrt(sum / (inputs * units)) || 1;
}

/** Columns and rows of the image of a unit of this layer. @param {Run} run @param {number} layer */
export function imageSize(run, layer) {
  if (layer === 1 && run.image) return { columns: run.image.width, rows: run.image.height };
  return gridOf(run.sizes[layer - 1]);
}

/**
 * The images of all units of a layer, one below the other.
 * @param {HTMLCanvasElement} canvas @param {Run} run @param {Float32Array} theta @param {number} layer
 * @param {boolean} discretize
 */
export function paintLayer(canvas, run, theta, layer, discretize) {
  const { start, inputs, units } = matrix(run, layer);
  const { columns, rows } = imageSize(run, layer);
  const full = fullColour(run, theta, layer);
  const bytes = new Uint8Array(columns * rows * units).fill(128);
  const mirrored = layer > 1 && isRtl();
  for (let i = 0; i < inputs; i++) {
    const column = mirrored ? columns - 1 - (i % columns) : i % columns;
    const place = Math.floor(i / columns) * columns + column;
    for (let unit = 0; unit < units; unit++) {
      const v = Math.floor((theta[start + i * units + unit] / full) * 128) + 128;
      bytes[unit * columns * rows + place] = Math.max(0, Math.min(255, v));
    }
  }
  if (canvas.width !== columns || canvas.height !== rows * units) Object.assign(canvas, { width: columns, height: rows * units });
  const image = new ImageData(columns, rows * units);
  paintValues(bytes, image.data, discretize);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/**
 * The image of one unit, a weight a pixel.
 * @param {HTMLCanvasElement} canvas @param {Run} run @param {Float32Array} theta @param {number} layer
 * @param {number} unit @param {boolean} discretize
 */
export function paintUnit(canvas, run, theta, layer, unit, discretize) {
  const all = document.createElement("canvas");
  paintLayer(all, run, theta, layer, discretize);
  const { columns, rows } = imageSize(run, layer);
  Object.assign(canvas, { width: columns, height: rows });
  canvas.getContext("2d")?.drawImage(all, 0, -rows * unit);
}

/** The images of every layer, painted once a moment and drawn wherever they are shown. */
export class Weights {
  constructor() {
    /** @type {HTMLCanvasElement[]} */
    this.atlases = [];
  }

  /** @param {Run} run @param {Float32Array} theta @param {boolean} discretize */
  paint(run, theta, discretize) {
    for (let layer = 1; layer < run.sizes.length; layer++) {
      this.atlases[layer] ??= document.createElement("canvas");
      paintLayer(this.atlases[layer], run, theta, layer, discretize);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {Run} run @param {number} layer
   * @param {number} unit @param {number} x @param {number} y @param {number} size
   */
  draw(context, run, layer, unit, x, y, size) {
    const { columns, rows } = imageSize(run, layer);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.atlases[layer], 0, rows * unit, columns, rows, x, y, size, size);
  }
}

/**
 * The first layer's images side by side.
 * @param {HTMLCanvasElement} canvas @param {Run} run @param {Float32Array} theta @param {boolean} discretize
 */
export function paintFirst(canvas, run, theta, discretize) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const weights = new Weights();
  weights.paint(run, theta, discretize);
  const { columns, rows } = gridOf(run.sizes[1]);
  const side = Math.floor(SIDE / Math.max(columns, rows));
  Object.assign(canvas, { width: SIDE, height: SIDE });
  const left = (SIDE - columns * side) / 2, top = (SIDE - rows * side) / 2;
  for (let unit = 0; unit < run.sizes[1]; unit++) {
    weights.draw(context, run, 1, unit, left + (unit % columns) * side, top + Math.floor(unit / columns) * side, side - 3);
  }
}
