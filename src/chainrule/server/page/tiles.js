// What each input says everywhere, as small pictures on one canvas.

import { paintValues } from "./colours.js";

/** @typedef {import("./types.js").Run} Run */

/** Of points with many columns: the tile of an input that is drawn across, up, or not at all. */
const [ACROSS, UP, STILL] = [0, 1, 2];

/** @param {Run} run @param {number} column */
export function drawnTile(run, column) {
  return column === run.settings.across ? ACROSS : column === run.settings.up ? UP : STILL;
}

/** What the inputs of points with many columns say: those drawn, and those at their medians. */
export function drawColumns() {
  return tiles([(a) => a / 5, (_, b) => b / 5, () => 0]);
}

/** What each input says everywhere, top row first like every picture. */
export function drawFeatures() {
  return tiles([
    (a) => a, (_, b) => b, (a) => a * a, (_, b) => b * b, (a, b) => a * b, (a) => Math.sin(a), (_, b) => Math.sin(b),
  ]);
}

/** Pictures of functions of the two coordinates, one below the other. @param {((a: number, b: number) => number)[]} values */
function tiles(values) {
  const canvas = document.createElement("canvas");
  canvas.width = 50;
  canvas.height = 50 * values.length;
  const image = new ImageData(50, canvas.height);
  const bytes = new Uint8Array(2500 * values.length);
  for (const [f, value] of values.entries()) {
    for (let i = 0; i < 2500; i++) {
      const a = -6 + (12 * ((i % 50) + 0.5)) / 50, b = 6 - (12 * (Math.floor(i / 50) + 0.5)) / 50;
      bytes[2500 * f + i] = Math.min(255, Math.floor(Math.max(-1, Math.min(1, value(a, b))) * 128) + 128);
    }
  }
  paintValues(bytes, image.data, false);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}
