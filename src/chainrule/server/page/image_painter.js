// Paints a network that reads images: weights as images, what lies on the pad, what every neuron says to it.

import { css, shade } from "./colours.js";
import { whole } from "./i18n.js";
import { className, outputShare, paintPixels } from "./images.js";
import { ANSWER } from "./image_layout.js";
import { linkPath } from "./layout.js";
import { Weights } from "./weights.js";

/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {import("./painter.js").Picture} Picture */
/** @typedef {import("./layout.js").Place} Place */

const MOST_SHARES = 60;

export class ImagePainter {
  constructor() {
    this.weights = new Weights();
    this.seen = document.createElement("canvas");
  }

  /** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {CSSStyleDeclaration} style */
  paint(context, picture, style) {
    const { run, frame, places, answer, discretize } = picture;
    if (frame) this.weights.paint(run, frame.theta, discretize);
    if (answer) paintPixels(this.seen, answer.pixels, answer.width);
    context.font = "600 13px system-ui, sans-serif";
    for (const place of places) {
      const { x, y, size, layer } = place;
      context.save();
      rounded(context, place);
      context.clip();
      context.fillStyle = style.getPropertyValue("--field");
      context.fillRect(x, y, size, size);
      context.imageSmoothingEnabled = false;
      if (layer > 0 && frame) this.weights.draw(context, run, layer, place.unit, x, y, size);
      else if (layer === 0 && answer) context.drawImage(this.seen, x, y, size, size);
      context.restore();
      context.strokeStyle = style.getPropertyValue("--line");
      context.lineWidth = 1;
      rounded(context, place);
      context.stroke();
      if (layer === 0) paintSize(context, picture, place, style);
      else if (layer === run.sizes.length - 1) paintAnswer(context, picture, place, style);
      else if (answer?.layers.length) paintActivity(context, place, answer.layers[layer - 1]);
    }
  }
}

/** @param {CanvasRenderingContext2D} context @param {Place} place */
function rounded(context, { x, y, size }) {
  context.beginPath();
  context.roundRect(x, y, size, size, Math.min(6, size / 8));
}

/**
 * What each neuron adds to the next layer, its value times the weight, the largest of them; of the
 * outputs only to the answer. Without an image, nothing but who reads whom.
 * @param {CanvasRenderingContext2D} context @param {Picture} picture @param {import("./painter.js").Link[]} links
 */
export function paintShares(context, { run, places, answer }, links) {
  const [image, ...units] = places;
  context.strokeStyle = css(shade(0.6), 0.16);
  context.lineWidth = 1;
  for (const to of units.filter((one) => one.layer === 1)) context.stroke(linkPath(image, to));
  const last = run.sizes.length - 1;
  for (let layer = 2; layer <= last; layer++) {
    const values = answer?.layers[layer - 2];
    const into = links.filter(({ to }) => to.layer === layer && (layer < last || to.unit === answer?.predicted));
    const shares = into.map(({ weight, i, from, to }) => ({ from, to, share: weight * (values?.[i] ?? 0) }));
    shares.sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
    const largest = Math.abs(shares[0]?.share ?? 0) || 1;
    for (const { from, to, share } of shares.slice(0, MOST_SHARES).reverse()) {
      const part = Math.abs(share) / largest;
      context.lineWidth = 0.5 + 3.5 * part;
      context.strokeStyle = css(shade(Math.sign(share)), 0.15 + 0.65 * part);
      context.stroke(linkPath(from, to));
    }
  }
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {Place} place @param {CSSStyleDeclaration} style */
function paintSize(context, { run }, { x, y, size }, style) {
  if (!run.image) return;
  context.fillStyle = style.getPropertyValue("--soft");
  context.textAlign = "center";
  context.font = "12px system-ui, sans-serif";
  context.fillText(`${whole(run.image.height)} × ${whole(run.image.width)}`, x + size / 2, y + size + 16);
  context.font = "600 13px system-ui, sans-serif";
}

/** What a neuron says to the image: a bar below it, as long as that is large among its layer. @param {CanvasRenderingContext2D} context @param {Place} place @param {Float32Array} values */
function paintActivity(context, { x, y, size, unit, rtl }, values) {
  const largest = values.reduce((most, one) => Math.max(most, Math.abs(one)), 1e-9);
  const share = Math.min(1, Math.abs(values[unit]) / largest) || 0;
  context.fillStyle = css(shade(values[unit] < 0 ? -1 : 1), 0.95);
  context.fillRect(rtl ? x + size - share * size : x, y + size + 2, share * size, 3);
}

/** The digit of an output, and how probable it is. @param {CanvasRenderingContext2D} context @param {Picture} picture @param {Place} place @param {CSSStyleDeclaration} style */
function paintAnswer(context, { run, answer }, { x, y, size, unit, rtl }, style) {
  const outputs = answer?.layers.at(-1);
  const wins = outputs && answer?.predicted === unit;
  const [at, middle, wide] = [rtl ? x - 8 : x + size + 8, y + size / 2, ANSWER - 14];
  context.textAlign = rtl ? "right" : "left";
  context.fillStyle = style.getPropertyValue(wins ? "--ink" : "--soft");
  context.font = `${wins ? 700 : 500} ${Math.min(17, size * 0.5)}px system-ui, sans-serif`;
  context.fillText(className(run, unit), at, middle + 1);
  context.fillStyle = style.getPropertyValue("--line");
  context.fillRect(rtl ? at - wide : at, middle + 6, wide, 4);
  if (!outputs) return;
  const long = wide * outputShare(run, outputs[unit]);
  context.fillStyle = style.getPropertyValue(wins ? "--teal" : "--soft");
  context.fillRect(rtl ? at - long : at, middle + 6, long, 4);
}
