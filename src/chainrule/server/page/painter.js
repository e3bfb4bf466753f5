// Paints the network on its canvas: links as thick as their weights, a picture for every unit, biases.

import { css, paintValues, shade } from "./colours.js";
import { isRtl } from "./i18n.js";
import { ImagePainter, paintShares } from "./image_painter.js";
import { linkPath, parameterIndex } from "./layout.js";
import { drawColumns, drawFeatures, drawnTile } from "./tiles.js";

/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./layout.js").Place} Place */

/**
 * What there is to paint; `lit` is the parameter whose links alone are shown strongly.
 * @typedef {{run: Run, frame: Frame|null, places: Place[], lit: string|null, discretize: boolean,
 *   answer: import("./types.js").Answer|null}} Picture
 */

/** A weight between two units; `i` is its row in the matrix. @typedef {{weight: number, from: Place, to: Place, i: number}} Link */

const MOST_LINKS = 900;

export class Painter {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.atlas = document.createElement("canvas");
    this.featureAtlas = drawFeatures();
    this.images = new ImagePainter();
  }

  /** @param {boolean} isPlane */
  restyle(isPlane) {
    this.featureAtlas = isPlane ? drawFeatures() : drawColumns();
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
  }

  /** @param {Picture} picture */
  paint(picture) {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (picture.run.image) paintShares(context, picture, [...links(picture)]);
    else if (picture.frame) paintLinks(context, picture);
    if (picture.run.image) this.paintImages(context, picture);
    else this.paintUnits(context, picture);
  }

  /** @param {CanvasRenderingContext2D} context @param {Picture} picture */
  paintImages(context, picture) {
    const style = getComputedStyle(this.canvas);
    this.images.paint(context, picture, style);
    const { run, frame, places } = picture;
    if (!frame) return;
    for (const place of places.filter((one) => one.layer > 0)) paintBias(context, place, run, frame, style.getPropertyValue("--soft"));
  }

  /** @param {CanvasRenderingContext2D} context @param {Picture} picture */
  paintUnits(context, { run, frame, places, discretize }) {
    const style = getComputedStyle(this.canvas);
    const [line, soft] = [style.getPropertyValue("--line"), style.getPropertyValue("--soft")];
    if (frame) this.fillAtlas(frame, discretize);
    context.imageSmoothingEnabled = true;
    for (const place of places) {
      const { x, y, size } = place;
      context.save();
      context.beginPath();
      context.roundRect(x, y, size, size, Math.min(7, size / 5));
      context.clip();
      context.globalAlpha = place.active ? 1 : 0.35;
      if (place.layer === 0) {
        const from = run.is_plane ? place.unit : drawnTile(run, place.unit);
        context.drawImage(this.featureAtlas, 0, 50 * from, 50, 50, x, y, size, size);
      } else if (frame) {
        const side = frame.thumbSide;
        context.drawImage(this.atlas, 0, side * place.index, side, side, x, y, size, size);
      }
      context.restore();
      context.strokeStyle = line;
      context.lineWidth = 1;
      context.beginPath();
      context.roundRect(x, y, size, size, Math.min(7, size / 5));
      context.stroke();
      if (place.layer > 0 && frame) paintBias(context, place, run, frame, soft);
    }
  }

  /** @param {Frame} frame @param {boolean} discretize */
  fillAtlas(frame, discretize) {
    const side = frame.thumbSide, height = Math.max(1, side * frame.thumbCount);
    if (this.atlas.width !== side || this.atlas.height !== height) {
      this.atlas.width = side;
      this.atlas.height = height;
    }
    const image = new ImageData(side, height);
    paintValues(frame.thumbs, image.data, discretize);
    this.atlas.getContext("2d")?.putImageData(image, 0, 0);
  }
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture */
function paintLinks(context, picture) {
  const all = [...links(picture)];
  let least = 0;
  if (all.length > MOST_LINKS) {
    const sizes = Float32Array.from(all, (link) => Math.abs(link.weight)).sort();
    least = sizes[sizes.length - MOST_LINKS];
  }
  const { lit, run } = picture;
  for (const { weight, from, to } of all) {
    if (Math.abs(weight) < least) continue;
    const size = Math.min(Math.abs(weight), 20);
    context.lineWidth = Math.min(9, 0.5 + 2.2 * size);
    const alpha = lit !== null && lit !== run.columns[to.layer - 1].weights ? 0.08 : Math.min(0.9, 0.22 + 0.5 * size);
    context.strokeStyle = css(shade(weight < 0 ? -1 : 1), alpha);
    context.stroke(linkPath(from, to));
  }
}

/** Every link with its weight; none before the first frame. @param {Picture} picture */
export function* links({ run, frame, places }) {
  if (!frame) return;
  const layers = run.sizes.map((_, layer) => places.filter((p) => p.layer === layer && p.active));
  for (let layer = run.image ? 2 : 1; layer < layers.length; layer++) {
    const { weights, is_linked: linked } = run.columns[layer - 1];
    if (!linked) continue;
    const [start, wide] = [parameterIndex(run, weights, [0, 0]), run.sizes[layer]];
    for (const to of layers[layer]) {
      for (const [at, from] of layers[layer - 1].entries()) {
        const i = layer === 1 && run.is_plane ? at : from.unit;
        yield { weight: frame.theta[start + i * wide + to.unit], from, to, i };
      }
    }
  }
}

/** @param {CanvasRenderingContext2D} context @param {Place} place @param {Run} run @param {Frame} frame @param {string} rim */
function paintBias(context, place, run, frame, rim) {
  const { biases } = run.columns[place.layer - 1];
  if (!biases) return;
  const bias = frame.theta[parameterIndex(run, biases, [place.unit])];
  const side = Math.max(4, Math.min(10, place.size / 4));
  const x = isRtl() ? place.x + place.size - side + 3 : place.x - 3;
  context.fillStyle = css(shade(bias));
  context.strokeStyle = rim;
  context.lineWidth = 1;
  context.beginPath();
  context.rect(x, place.y + place.size - side + 3, side, side);
  context.fill();
  context.stroke();
}
