// The large picture: what the output, or the unit looked at, says everywhere; points on top.

import { classColour, css, current, paintClasses, paintValues, shade } from "./colours.js";
import { n } from "./i18n.js";

/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Points} Points */
/** @typedef {import("./types.js").Run} Run */

const EXTENT = 6;

export class Heatmap {
  /** @param {HTMLCanvasElement} heat @param {HTMLCanvasElement} dots */
  constructor(heat, dots) {
    this.heat = heat;
    this.dots = dots;
    this.image = new ImageData(heat.width, heat.height);
    /** @type {Frame|null} */
    this.frame = null;
    /** @type {Points|null} */
    this.points = null;
    /** @type {Run|null} */
    this.run = null;
    this.discretize = false;
    this.showTest = false;
    /** Whether points to test on are shown whatever the switch says. */
    this.showAll = false;
    /** @type {number[]|null} */
    this.marked = null;
    new ResizeObserver(() => this.drawPoints()).observe(dots);
  }

  /** @param {Frame} frame */
  draw(frame) {
    this.frame = frame;
    const rgba = this.image.data;
    if (frame.focusPlane) paintValues(frame.focusPlane, rgba, this.discretize);
    else paintOutput(frame, rgba, this.discretize);
    this.heat.getContext("2d")?.putImageData(this.image, 0, 0);
  }

  redraw() {
    if (this.frame) this.draw(this.frame);
    this.drawPoints();
  }

  drawPoints() {
    const ratio = devicePixelRatio || 1;
    const size = this.dots.clientWidth;
    const context = this.dots.getContext("2d");
    if (!context || !size) return;
    this.dots.width = this.dots.height = size * ratio;
    context.scale(ratio, ratio);
    const place = (/** @type {number} */ v) => ((v + EXTENT) / (2 * EXTENT)) * size;
    this.drawAxes(context, size);
    if (!this.points) return;
    const { values, count, nTrain } = this.points;
    const radius = Math.max(2, size / 120);
    context.lineWidth = 1;
    for (let i = 0; i < count; i++) {
      const test = i >= nTrain;
      if (test && !this.showTest && !this.showAll) continue;
      context.beginPath();
      context.arc(place(values[3 * i]), size - place(values[3 * i + 1]), radius, 0, 7);
      context.fillStyle = this.colourOf(values[3 * i + 2]);
      context.strokeStyle = test ? css(current().zero[0] > 128 ? [30, 30, 30] : [240, 240, 240]) : css(current().dot);
      context.fill();
      context.stroke();
    }
    if (this.marked) {
      context.beginPath();
      context.arc(place(this.marked[0]), size - place(this.marked[1]), radius + 6, 0, 7);
      context.lineWidth = 2.5;
      context.strokeStyle = css(current().zero[0] > 128 ? [20, 20, 20] : [255, 255, 255]);
      context.stroke();
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} size */
  drawAxes(context, size) {
    const dark = current().zero[0] < 128;
    context.font = `${Math.max(10, size / 34)}px system-ui, sans-serif`;
    context.fillStyle = context.strokeStyle = dark ? "rgb(255 255 255 / 65%)" : "rgb(30 30 30 / 60%)";
    for (const v of [-4, -2, 0, 2, 4]) {
      const at = ((v + EXTENT) / (2 * EXTENT)) * size;
      const [along, up] = [this.original(0, v), this.original(1, -v)];
      context.textAlign = "center";
      context.fillText(along, at, size - 5);
      context.textAlign = "left";
      context.fillText(up, 4, at + 4);
    }
    if (this.run?.settings.dataset !== "own") return;
    context.textAlign = "right";
    context.fillText(`${this.run.axes[this.column(0)]} →`, size - 6, size - 20);
    context.textAlign = "left";
    context.fillText(`↑ ${this.run.axes[this.column(1)]}`, 5, 15);
  }

  /** The column drawn across (0) or up (1). @param {number} axis */
  column(axis) {
    const run = this.run;
    if (!run || run.is_plane) return axis;
    return Math.min(axis ? run.settings.up : run.settings.across, run.axes.length - 1);
  }

  /** A coordinate as the table had it. @param {number} axis @param {number} v */
  original(axis, v) {
    const column = this.column(axis);
    const offset = this.run?.offset[column] ?? 0, scale = this.run?.scale[column] ?? 1;
    return n(v / scale + offset, 3);
  }

  /** @param {number} label */
  colourOf(label) {
    if (!this.points?.classes) return css(shade(Math.max(-1, Math.min(1, label))));
    return css(classColour(label));
  }

  /**
   * The number (or class) under a place of the picture, 0 … 1 from left and top.
   * @param {number} x @param {number} y
   */
  valueAt(x, y) {
    const frame = this.frame;
    if (!frame) return null;
    const clamp = (/** @type {number} */ v) => Math.max(0, Math.min(frame.side - 1, Math.floor(v * frame.side)));
    const at = clamp(y) * frame.side + clamp(x);
    const where = [(2 * x - 1) * EXTENT, (1 - 2 * y) * EXTENT];
    if (!frame.focusPlane && frame.planes.length === 2) return { where, label: frame.planes[0][at], value: 0 };
    const bytes = frame.focusPlane ?? frame.planes[0];
    return { where, label: -1, value: (bytes[at] - 127.5) / 128 };
  }
}

/** @param {Frame} frame @param {Uint8ClampedArray} rgba @param {boolean} discretize */
function paintOutput({ planes }, rgba, discretize) {
  if (planes.length === 2) paintClasses(planes[0], planes[1], rgba, discretize);
  else paintValues(planes[0], rgba, discretize);
}

/** The output alone. @param {HTMLCanvasElement} canvas @param {Frame} frame @param {boolean} discretize */
export function paintPlanes(canvas, frame, discretize) {
  const image = new ImageData(frame.side, frame.side);
  paintOutput(frame, image.data, discretize);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/**
 * The legend below the picture: a ramp from −1 to 1, or a colour for each class.
 * @param {HTMLElement} box @param {Run} run @param {boolean} ramp
 */
export function drawLegend(box, run, ramp) {
  box.replaceChildren();
  if (!ramp) {
    box.append(...run.classes.map((name, k) => swatch(name, css(classColour(k)))));
    return;
  }
  const canvas = document.createElement("canvas");
  canvas.width = 256;
  canvas.height = 1;
  const image = new ImageData(256, 1);
  paintValues(Uint8Array.from({ length: 256 }, (_, i) => i), image.data, false);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  canvas.setAttribute("aria-hidden", "true");
  const [low, high] = [n(-1), n(1)].map((text) => {
    const span = document.createElement("bdi");
    span.textContent = text;
    return span;
  });
  box.append(low, canvas, high);
  if (run.kind === "sign") {
    box.append(...run.classes.map((name, k) => swatch(name, css(classColour(k)))));
  }
}

/** @param {string} name @param {string} colour */
function swatch(name, colour) {
  const item = document.createElement("span");
  item.className = "swatch";
  const mark = document.createElement("i");
  mark.style.background = colour;
  item.append(mark, name);
  return item;
}
