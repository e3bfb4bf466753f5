// What a run that learns from images of digits needs said in one place.

import { n, percent, whole } from "./i18n.js";

/** @typedef {import("./types.js").Run} Run */

export const [NOTHING, WRITTEN, TEST_ROW] = [0, 1, 2];

/** The name of a class; a digit in the page's own digits. @param {Run} run @param {number} k */
export function className(run, k) {
  return run.image ? whole(k) : (run.classes[k] ?? "");
}

/** Whether the outputs are probabilities. @param {Run} run */
export const areProbabilities = (run) => run.settings.loss !== "squared_error";

/** An output of the network. @param {Run} run @param {number} value */
export function outputText(run, value) {
  return areProbabilities(run) ? percent(value) : n(value, 2);
}

/** How long an output's bar is, 0 to 1. @param {Run} run @param {number} value */
export function outputShare(run, value) {
  const share = areProbabilities(run) ? value : (value + 1) / 2;
  return Math.max(0, Math.min(1, share || 0));
}

/**
 * Paints pixels from 0 (paper) to 1 (ink), one a pixel of the canvas.
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} pixels @param {number} width
 */
export function paintPixels(canvas, pixels, width) {
  const height = pixels.length / width;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (!context) return;
  const dark = document.documentElement.dataset.scheme === "dark";
  const [paper, ink] = dark ? [[34, 38, 45], [244, 240, 232]] : [[255, 255, 255], [28, 30, 36]];
  const image = new ImageData(width, height);
  for (let i = 0; i < pixels.length; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = paper[c] + (ink[c] - paper[c]) * pixels[i];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
