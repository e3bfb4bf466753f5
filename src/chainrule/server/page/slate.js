// The writing pad: a digit with mouse, finger or keyboard, as cells of black and white.

import { crosshair } from "./canvas.js";
import { $ } from "./desk.js";
import { t, whole } from "./i18n.js";
import { TEST_ROW, WRITTEN, paintPixels } from "./images.js";

/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {[number, number]} Place in cells from the left and the top */

const CELLS = 112; // as the server's
const RADIUS = 6;
const MOVE = 4;
const FAR = 12;
const PATIENCE = 600;

export class Slate {
  /** @param {(ink: string) => void} send the cells in base64, or nothing */
  constructor(send) {
    this.canvas = /** @type {HTMLCanvasElement} */ ($("slate"));
    this.post = send;
    /** @type {Place[][]} */
    this.strokes = [];
    this.cells = new Uint8Array(CELLS * CELLS);
    /** @type {Place} */
    this.cursor = [CELLS / 2, CELLS / 2];
    this.drawing = false;
    this.penDown = false;
    /** Written but not sent, and when what was sent last had been. */
    this.fresh = false;
    this.sent = 0;
    /** Whether the server has answered to what is written here: only then another image takes its place. */
    this.known = false;
    /** @type {Answer|null} */
    this.answer = null;
    this.picture = document.createElement("canvas");
    const { canvas } = this;
    canvas.onpointerdown = (event) => this.down(event);
    canvas.onpointermove = (event) => this.drawing && this.move(event);
    canvas.onpointerup = canvas.onpointercancel = () => void (this.drawing = false);
    canvas.onkeydown = (event) => this.key(event);
    canvas.onfocus = () => this.tell();
    canvas.onblur = () => this.lift();
    new ResizeObserver(() => this.paint()).observe(canvas);
  }

  /** What the server has read. @param {Answer|null} answer */
  take(answer) {
    this.answer = answer;
    if (answer?.source === TEST_ROW && this.known && !this.drawing) this.forget();
    else if (answer?.source === WRITTEN) this.known = true;
    this.sent = 0;
    if (this.fresh) this.send();
    this.canvas.dataset.waiting = String(Boolean(this.sent));
    this.paint();
  }

  forget() {
    this.strokes = [];
    this.cells.fill(0);
    this.penDown = false;
    this.fresh = false;
  }

  clear() {
    this.forget();
    this.send();
  }

  undo() {
    const strokes = this.strokes.slice(0, -1);
    this.forget();
    for (const stroke of strokes) {
      this.strokes.push([]);
      for (const place of stroke) this.add(place);
    }
    this.send();
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.lift();
    this.drawing = true;
    this.strokes.push([]);
    this.move(event);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const box = this.canvas.getBoundingClientRect();
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) {
      this.cursor = [clamp(((one.clientX - box.left) / box.width) * CELLS), clamp(((one.clientY - box.top) / box.height) * CELLS)];
      this.add(this.cursor);
    }
    this.send();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const by = event.shiftKey ? FAR : MOVE;
    const way = { ArrowRight: [by, 0], ArrowLeft: [-by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key];
    if (event.altKey || event.metaKey) return;
    if (event.ctrlKey) {
      if (event.key !== "z") return;
      this.undo();
    } else if (way) {
      this.cursor = /** @type {Place} */ (this.cursor.map((at, i) => clamp(at + way[i])));
      if (this.penDown) this.write();
    } else if (event.key === " " || event.key === "Enter") {
      this.penDown = !this.penDown;
      if (this.penDown) {
        this.strokes.push([]);
        this.write();
      }
    } else if (event.key === "Escape" && this.penDown) this.penDown = false;
    else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.tell();
    this.paint();
  }

  write() {
    this.add(this.cursor);
    this.send();
  }

  lift() {
    this.penDown = false;
    $("slate-status").textContent = "";
    this.paint();
  }

  /** The stroke goes on to there. @param {Place} to */
  add(to) {
    const stroke = /** @type {Place[]} */ (this.strokes.at(-1));
    const from = stroke.at(-1) ?? to;
    stroke.push([...to]);
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const long = dx * dx + dy * dy;
    const range = (/** @type {number} */ axis) => [
      Math.max(0, Math.floor(Math.min(from[axis], to[axis]) - RADIUS)), Math.min(CELLS - 1, Math.ceil(Math.max(from[axis], to[axis]) + RADIUS)),
    ];
    const [[left, right], [top, bottom]] = [range(0), range(1)];
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const [px, py] = [x + 0.5 - from[0], y + 0.5 - from[1]];
        const share = long ? Math.max(0, Math.min(1, (px * dx + py * dy) / long)) : 0;
        if (Math.hypot(px - share * dx, py - share * dy) <= RADIUS) this.cells[y * CELLS + x] = 1;
      }
    }
  }

  /** To the server, once it has answered the last one. */
  send() {
    this.paint();
    const now = performance.now();
    this.fresh = Boolean(this.sent) && now - this.sent < PATIENCE;
    if (this.fresh) return;
    this.sent = now;
    this.canvas.dataset.waiting = "true";
    this.known = false;
    this.post(this.strokes.length ? this.encoded() : "");
  }

  encoded() {
    const bytes = new Uint8Array((CELLS * CELLS) / 8);
    for (let i = 0; i < this.cells.length; i++) bytes[i >> 3] |= this.cells[i] << (7 - (i & 7));
    return btoa(String.fromCharCode(...bytes));
  }

  /** Where the cursor is, and the pen, in words. */
  tell() {
    const [x, y] = this.cursor.map((at) => whole(Math.round(at / MOVE)));
    $("slate-status").textContent = this.canvas.matches(":focus-visible") ? t(this.penDown ? "slate_down" : "slate_up", { x, y }) : "";
  }

  paint() {
    const { canvas } = this;
    const size = canvas.clientWidth, ratio = devicePixelRatio || 1;
    const context = canvas.getContext("2d");
    if (!context || !size) return;
    canvas.width = canvas.height = size * ratio;
    context.scale((size * ratio) / CELLS, (size * ratio) / CELLS);
    const style = getComputedStyle(canvas);
    context.fillStyle = style.getPropertyValue("--field");
    context.fillRect(0, 0, CELLS, CELLS);
    if (this.strokes.length) this.paintStrokes(context, style.getPropertyValue("--ink"));
    else if (this.answer?.source) this.paintPicture(context);
    else this.paintHint(context, style);
    if (canvas.matches(":focus-visible")) this.paintCursor(context, style);
  }

  /** @param {CanvasRenderingContext2D} context @param {string} ink */
  paintStrokes(context, ink) {
    Object.assign(context, { strokeStyle: ink, lineWidth: 2 * RADIUS, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const place of stroke) context.lineTo(...place);
      context.stroke();
    }
  }

  /** What lies there that was not written here now. @param {CanvasRenderingContext2D} context */
  paintPicture(context) {
    const { pixels, width } = /** @type {Answer} */ (this.answer);
    paintPixels(this.picture, pixels, width);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.picture, 0, 0, CELLS, CELLS);
  }

  /** @param {CanvasRenderingContext2D} context @param {CSSStyleDeclaration} style */
  paintHint(context, style) {
    context.fillStyle = style.getPropertyValue("--soft");
    context.font = "8px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText(t("slate_empty"), CELLS / 2, CELLS / 2);
  }

  /** @param {CanvasRenderingContext2D} context @param {CSSStyleDeclaration} style */
  paintCursor(context, style) {
    const [edge, pen] = ["--field", this.penDown ? "--teal" : "--plum"].map((name) => style.getPropertyValue(name));
    crosshair(context, this.cursor, RADIUS, 8, [[edge, 2.4], [pen, 1.2]]);
  }
}

/** @param {number} at */
function clamp(at) {
  return Math.max(0, Math.min(CELLS, at));
}
