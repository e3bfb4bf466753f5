// The loss curves: training (with penalty) and test, axes, and what the pointer or arrow keys read.

import { n, t, whole } from "./i18n.js";

const LEFT = 44, BOTTOM = 20, TOP = 8, RIGHT = 8;

export class Chart {
  /** @param {HTMLCanvasElement} canvas @param {HTMLElement} caption */
  constructor(canvas, caption) {
    this.canvas = canvas;
    this.caption = caption;
    /** @type {Float32Array} */
    this.curve = new Float32Array(0);
    /** @type {Float32Array|null} of a branch, drawn dashed */
    this.other = null;
    /** @type {number[]} epochs to mark */
    this.marks = [];
    /** @type {number|null} */
    this.reading = null;
    new ResizeObserver(() => this.draw()).observe(canvas);
    for (const kind of ["pointerdown", "pointermove"]) {
      canvas.addEventListener(kind, (event) => this.readAt(/** @type {PointerEvent} */ (event).offsetX));
    }
    canvas.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && this.read(null));
    canvas.addEventListener("blur", () => this.read(null));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  get count() {
    return this.curve.length / 3;
  }

  /** @param {Float32Array} curve @param {Float32Array|null} [other] @param {number[]} [marks] */
  show(curve, other = null, marks = []) {
    Object.assign(this, { curve, other, marks });
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
    if (!step || !this.count) return;
    event.preventDefault();
    const from = this.reading ?? this.count - 1;
    this.read(Math.max(0, Math.min(this.count - 1, from + step)));
    this.caption.setAttribute("aria-live", "polite");
  }

  /** @param {number} x */
  readAt(x) {
    if (!this.count) return;
    const width = this.canvas.clientWidth - LEFT - RIGHT;
    const epoch = ((x - LEFT) / width) * this.curve[this.curve.length - 3];
    let best = 0;
    for (let i = 0; i < this.count; i++) {
      if (Math.abs(this.curve[3 * i] - epoch) < Math.abs(this.curve[3 * best] - epoch)) best = i;
    }
    this.caption.setAttribute("aria-live", "off");
    this.read(best);
  }

  /** @param {number|null} i */
  read(i) {
    this.reading = i;
    this.draw();
  }

  draw() {
    const { canvas, curve, count } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const context = canvas.getContext("2d");
    if (!context || !width) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name);
    const last = Math.max(count ? curve[3 * count - 3] : 1, this.other?.at(-3) ?? 1, 1);
    const top = this.top();
    const x = (/** @type {number} */ e) => LEFT + (e / last) * (width - LEFT - RIGHT);
    const y = (/** @type {number} */ v) => TOP + (1 - Math.min(v, top) / top) * (height - TOP - BOTTOM);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colour("--soft");
    context.strokeStyle = colour("--line");
    context.textAlign = "right";
    for (const share of [0, 0.5, 1]) {
      context.beginPath();
      context.moveTo(LEFT, y(share * top));
      context.lineTo(width - RIGHT, y(share * top));
      context.stroke();
      context.fillText(n(share * top, 2), LEFT - 5, y(share * top) + 4);
    }
    for (const share of last < 2 ? [0, 1] : [0, 0.5, 1]) {
      context.textAlign = share === 1 ? "right" : share === 0 ? "left" : "center";
      context.fillText(whole(share * last), x(share * last), height - 5);
    }
    context.setLineDash([2, 3]);
    for (const mark of this.marks) upright(x(mark), colour("--soft"));
    context.setLineDash([5, 3]);
    if (this.other) {
      line(context, this.other, 2, colour("--teal"), x, y);
      line(context, this.other, 1, colour("--plum"), x, y);
    }
    context.setLineDash([]);
    line(context, curve, 2, colour("--teal"), x, y);
    line(context, curve, 1, colour("--plum"), x, y);
    const at = this.reading ?? count - 1;
    if (this.reading !== null && count) upright(x(curve[3 * at]), colour("--soft"));
    this.caption.textContent = count
      ? t("chart_reading", { epoch: whole(curve[3 * at]), train: n(curve[3 * at + 1]), test: n(curve[3 * at + 2]) })
      : t("chart_empty");

    /** @param {number} at @param {string} stroke */
    function upright(at, stroke) {
      if (!context) return;
      context.strokeStyle = stroke;
      context.beginPath();
      context.moveTo(at, TOP);
      context.lineTo(at, height - BOTTOM);
      context.stroke();
    }
  }

  /** The top of the axis: above every finite value, without the first spikes hiding the rest. */
  top() {
    const values = [];
    for (const curve of [this.curve, this.other ?? []]) {
      for (let i = 0; i < curve.length; i += 3) values.push(curve[i + 1], curve[i + 2]);
    }
    const finite = values.filter(Number.isFinite).sort((a, b) => a - b);
    if (!finite.length) return 1;
    const high = finite[Math.floor(0.98 * (finite.length - 1))] * 1.15;
    return Math.max(high, 1e-6);
  }
}

/**
 * @param {CanvasRenderingContext2D} context @param {Float32Array} curve @param {number} column
 * @param {string} colour @param {(v: number) => number} x @param {(v: number) => number} y
 */
function line(context, curve, column, colour, x, y) {
  context.beginPath();
  context.strokeStyle = colour;
  context.lineWidth = 2;
  for (let i = 0; i < curve.length; i += 3) {
    if (Number.isFinite(curve[i + column])) context.lineTo(x(curve[i]), y(curve[i + column]));
  }
  context.stroke();
  context.lineWidth = 1;
}
