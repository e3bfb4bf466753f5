// Points drawn by hand: with mouse, finger or keyboard. They are a setting, so the address holds them.

import { crosshair } from "./canvas.js";
import { classColour, css } from "./colours.js";
import { $ } from "./desk.js";
import { n, t, whole } from "./i18n.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {[number, number, number]} Point places on the lattice, 0 … 240, and the class */

const [PLACES, STEP, CLASSES, ERASE] = [240, 0.05, 8, "erase"];
const MOST = 1000;
const LEAST = 4;
const SPACING = 7; // steps between the points of a stroke
const REACH = 10; // steps around the eraser
const SEND_MS = 300;
const MOST_UNDONE = 50;

/**
 * @param {Desk} desk @param {import("./heatmap.js").Heatmap} heatmap
 * @returns {import("./types.js").Part}
 */
export function drawing(desk, heatmap) {
  const pad = new Pad(desk, heatmap);
  desk.state.listeners.push((names) => {
    if (names.has("pen")) pad.pens();
  });
  return {
    begin: () => pad.begin(),
    binary: { CRD1: () => pad.active && pad.isBusy() && pad.showPoints() },
    dress: () => pad.pens(),
    redraw: () => pad.paint(),
  };
}

class Pad {
  /** @param {Desk} desk @param {import("./heatmap.js").Heatmap} heatmap */
  constructor(desk, heatmap) {
    this.desk = desk;
    this.heatmap = heatmap;
    this.canvas = /** @type {HTMLCanvasElement} */ ($("pad"));
    this.active = false;
    /** @type {Point[]} */
    this.points = [];
    /** @type {string[]} */
    this.undone = [];
    this.cursor = [PLACES / 2, PLACES / 2];
    this.stroking = false;
    /** Drawn but not sent: too little to learn from. */
    this.waits = false;
    this.sent = 0;
    const { canvas } = this;
    canvas.onpointerdown = (event) => this.down(event);
    canvas.onpointermove = (event) => this.stroking && this.stroke(event);
    canvas.onpointerup = canvas.onpointercancel = () => this.up();
    canvas.onkeydown = (event) => this.key(event);
    canvas.onfocus = canvas.onblur = () => this.paint();
    new ResizeObserver(() => this.paint()).observe(canvas);
  }

  /** Whether what is drawn here is more than what the server has. */
  isBusy() {
    return this.stroking || this.waits;
  }

  begin() {
    const settings = this.desk.run?.settings ?? {};
    this.active = this.heatmap.showAll = settings.dataset === "drawn";
    this.canvas.hidden = !this.active;
    $("pens").hidden = !this.active;
    if (!this.active) {
      this.waits = false;
      $("draw-status").textContent = "";
      return;
    }
    if (!this.isBusy()) this.points = decode(this.desk.state.values.drawing);
    this.tell();
    this.paint();
  }

  /** The palette: a class a button, the eraser, undo, clear. */
  pens() {
    const { pen } = this.desk.state.values;
    const names = [...Array(CLASSES).keys(), ERASE];
    const focused = document.activeElement?.getAttribute("data-pen");
    const group = document.createElement("div");
    group.className = "palette";
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", t("pens"));
    group.append(...names.map((name) => this.pen(name, pen)));
    group.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const next = names[(names.indexOf(pen) + step + names.length) % names.length];
      this.desk.state.set({ pen: next });
      $("pens").querySelector(`[data-pen="${next}"]`)?.focus();
    };
    const actions = [["undo", () => this.undo()], ["clear", () => this.change([])]].map(([name, act]) => {
      const button = document.createElement("button");
      button.className = "small";
      button.dataset.pen = String(name);
      button.textContent = t(`draw_${name}`);
      button.onclick = /** @type {() => void} */ (act);
      return button;
    });
    $("pens").replaceChildren(group, ...actions);
    if (focused) $("pens").querySelector(`[data-pen="${focused}"]`)?.focus();
    if (this.active) this.tell();
  }

  /** @param {number|string} name @param {number|string} chosen */
  pen(name, chosen) {
    const button = document.createElement("button");
    button.setAttribute("role", "radio");
    button.setAttribute("aria-checked", String(name === chosen));
    button.setAttribute("aria-label", name === ERASE ? t("draw_eraser") : t("draw_class", { name: whole(Number(name)) }));
    button.title = button.getAttribute("aria-label") ?? "";
    button.tabIndex = name === chosen ? 0 : -1;
    button.dataset.pen = String(name);
    if (name === ERASE) button.textContent = "⌫";
    else {
      const mark = document.createElement("i");
      mark.style.background = css(classColour(Number(name)));
      button.append(mark);
    }
    button.onclick = () => this.desk.state.set({ pen: name });
    return button;
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.remember();
    this.stroking = true;
    this.last = null;
    this.stroke(event);
  }

  /** @param {PointerEvent} event */
  stroke(event) {
    const size = this.canvas.clientWidth;
    this.cursor = [event.offsetX / size, 1 - event.offsetY / size].map((share) => clamp(Math.round(share * PLACES)));
    const last = this.last;
    const far = !last || Math.hypot(this.cursor[0] - last[0], this.cursor[1] - last[1]) >= SPACING;
    if (this.desk.state.values.pen === ERASE) this.eraseAt(REACH);
    else if (far) {
      this.last = [...this.cursor];
      this.add();
    }
    this.showPoints();
    if (performance.now() - this.sent > SEND_MS) this.send();
  }

  up() {
    if (!this.stroking) return;
    this.stroking = false;
    this.send();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const by = event.shiftKey ? 20 : 5;
    const move = { ArrowRight: [by, 0], ArrowLeft: [-by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] }[event.key];
    if (event.altKey || event.metaKey) return;
    if (event.ctrlKey) {
      if (event.key !== "z") return;
      this.undo();
    } else if (move) this.cursor = this.cursor.map((place, i) => clamp(place + move[i]));
    else if (event.key === " " || event.key === "Enter") this.apply(this.desk.state.values.pen);
    else if (event.key === "Delete" || event.key === "Backspace") this.apply(ERASE);
    else if (/^[0-7]$/.test(event.key)) this.desk.state.set({ pen: Number(event.key) });
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.tell();
    this.paint();
  }

  /** The pen at the cursor. @param {number|string} pen */
  apply(pen) {
    this.remember();
    if (pen === ERASE) this.eraseAt(REACH);
    else this.add();
    this.showPoints();
    this.send();
  }

  add() {
    const [x, y] = this.cursor;
    if (this.points.length >= MOST) return;
    this.points = [...this.points.filter((one) => one[0] !== x || one[1] !== y), [x, y, Number(this.desk.state.values.pen)]];
  }

  /** @param {number} reach */
  eraseAt(reach) {
    const [x, y] = this.cursor;
    this.points = this.points.filter((one) => Math.hypot(one[0] - x, one[1] - y) > reach);
  }

  /** @param {Point[]} points */
  change(points) {
    this.remember();
    this.points = points;
    this.showPoints();
    this.send();
  }

  remember() {
    this.undone = [...this.undone.slice(1 - MOST_UNDONE), encode(this.points)];
  }

  undo() {
    const before = this.undone.pop();
    if (before === undefined) return;
    this.points = decode(before);
    this.showPoints();
    this.send();
  }

  /** To the server, once there is enough to learn from. */
  send() {
    this.sent = performance.now();
    const classes = new Set(this.points.map((one) => one[2]));
    this.waits = this.points.length < LEAST || classes.size < 2;
    this.tell();
    if (this.waits || encode(this.points) === this.desk.state.values.drawing) return;
    this.desk.state.set({ drawing: encode(this.points) });
  }

  /** Where the cursor is and how much is drawn, in words. */
  tell() {
    const count = this.points.length;
    const [x, y] = this.cursor.map((place) => n(Math.round((place * STEP - 6) * 100) / 100));
    const { pen } = this.desk.state.values;
    const tool = pen === ERASE ? t("draw_eraser") : t("draw_class", { name: whole(Number(pen)) });
    const parts = [t("draw_status", { x, y, tool, count: whole(count) })];
    if (this.waits) parts.push(t("draw_more"));
    if (count >= MOST) parts.push(t("draw_full"));
    $("draw-status").textContent = parts.join(" ");
  }

  showPoints() {
    const values = Float32Array.from(this.points.flatMap(([x, y, k]) => [x * STEP - 6, y * STEP - 6, k]));
    this.heatmap.points = { run: -1, count: this.points.length, nTrain: this.points.length, classes: true, values };
    this.heatmap.drawPoints();
    this.paint();
  }

  /** The cursor, while the keyboard is here. */
  paint() {
    const { canvas } = this;
    const size = canvas.clientWidth, ratio = devicePixelRatio || 1;
    const context = canvas.getContext("2d");
    if (!context || !size) return;
    canvas.width = canvas.height = size * ratio;
    context.scale(ratio, ratio);
    if (document.activeElement !== canvas || !canvas.matches(":focus-visible")) return;
    const { pen } = this.desk.state.values;
    const ink = pen === ERASE ? "rgb(168 32 47)" : css(classColour(Number(pen)));
    const at = /** @type {[number, number]} */ ([(this.cursor[0] / PLACES) * size, (1 - this.cursor[1] / PLACES) * size]);
    crosshair(context, at, 9, 15, [["rgb(255 255 255 / 90%)", 5], [ink, 2.5]]);
  }
}

/** @param {number} place */
function clamp(place) {
  return Math.max(0, Math.min(PLACES, place));
}

/** @param {Point[]} points */
function encode(points) {
  return btoa(String.fromCharCode(...points.flat())).replaceAll("+", "-").replaceAll("/", "_");
}

/** @param {string} text @returns {Point[]} */
function decode(text) {
  const bytes = Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
  return Array.from({ length: bytes.length / 3 }, (_, i) => /** @type {Point} */ (bytes.slice(3 * i, 3 * i + 3)));
}
