// The loss surface: the loss in two directions around where the run stands, and the way it came.

import { colour, fit } from "./canvas.js";
import { css, shade } from "./colours.js";
import { contours } from "./contours.js";
import { choiceText } from "./controls.js";
import { readSurface } from "./frame.js";
import { n, percent, t } from "./i18n.js";
import { button, element, field } from "./make.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Surface} Surface */

const LEVELS = 11;

/** @param {HTMLElement} box @param {Desk} desk @returns {import("./types.js").Panel} */
export function surface(box, desk) {
  const { state } = desk;
  /** @type {Surface|null} */
  let given = null;
  /** @type {[number, number]|null} the place that is read, as column and row */
  let read = null;

  const controls = element("div", { class: "fields strip" });
  const canvas = element("canvas", { tabindex: "0", role: "img", "data-surface": "canvas", "aria-describedby": "surface-text" });
  const caption = element("figcaption", { class: "hint", id: "surface-text" });
  const ends = element("p", { class: "legend ends", "aria-hidden": "true" });
  const hint = element("p", { class: "hint" });
  box.append(controls, element("figure", { class: "terrain" }, canvas, element("div", { class: "told" }, caption, ends, hint)));
  new ResizeObserver(() => draw()).observe(canvas);
  for (const kind of ["pointerdown", "pointermove"]) canvas.addEventListener(kind, (event) => point(/** @type {PointerEvent} */ (event)));
  canvas.addEventListener("pointerleave", () => look(null));
  canvas.addEventListener("blur", () => look(null));
  canvas.addEventListener("keydown", key);
  state.listeners.push((names) => {
    if (box.hidden || !(names.has("surface") || names.has("surface_seed"))) return;
    ask();
    render();
  });

  function ask() {
    desk.send({ type: "surface", directions: state.values.surface, seed: state.values.surface_seed });
  }

  function render() {
    const pick = element("select", { "data-surface": "directions" });
    for (const one of state.rows.get("surface")?.choices ?? []) pick.append(new Option(choiceText("surface", one), one));
    pick.value = state.values.surface;
    pick.onchange = () => state.set({ surface: pick.value });
    const dice = button("surface_others", () => state.set({ surface_seed: (state.values.surface_seed + 1) % 1000 }));
    dice.hidden = state.values.surface !== "random";
    const focused = document.activeElement?.getAttribute("data-surface");
    controls.replaceChildren(field(t("surface_directions"), pick), dice);
    if (focused === "directions") pick.focus();
    hint.textContent = t("surface_hint");
    canvas.setAttribute("aria-label", t("surface_label"));
    draw();
  }

  /** @param {PointerEvent} event */
  function point(event) {
    if (!given) return;
    const size = given.points - 1;
    const at = (/** @type {number} */ share) => Math.max(0, Math.min(size, Math.round(share * size)));
    look([at(event.offsetX / canvas.clientWidth), at(1 - event.offsetY / canvas.clientHeight)]);
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step || !given) return;
    event.preventDefault();
    const most = given.points - 1;
    const from = read ?? [Math.round(most / 2), Math.round(most / 2)];
    look([Math.max(0, Math.min(most, from[0] + step[0])), Math.max(0, Math.min(most, from[1] + step[1]))]);
    caption.setAttribute("aria-live", "polite");
  }

  /** @param {[number, number]|null} place */
  function look(place) {
    read = place;
    draw();
  }

  function draw() {
    const context = fit(canvas);
    if (!context) return;
    if (!given) {
      caption.textContent = t("surface_waiting");
      return;
    }
    const terrain = scaled(given);
    paint(context, terrain, given.points);
    context.strokeStyle = colour(canvas, "--soft");
    context.lineWidth = 0.6;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const last = given.points - 1;
    const cell = (/** @type {number} */ c, /** @type {number} */ r) => [(c / last) * width, (1 - r / last) * height];
    context.globalAlpha = 0.6;
    context.beginPath();
    for (const [a, b] of contours(terrain.heights, given.points, LEVELS)) {
      context.moveTo(...point2(cell(a[0], a[1])));
      context.lineTo(...point2(cell(b[0], b[1])));
    }
    context.stroke();
    context.globalAlpha = 1;
    way(context, given, width, height);
    if (read) mark(context, cell(read[0], read[1]));
    say(given, terrain);
  }

  /** @param {CanvasRenderingContext2D} context @param {number[]} at */
  function mark(context, [x, y]) {
    context.strokeStyle = colour(canvas, "--ink");
    context.lineWidth = 1.5;
    context.strokeRect(x - 5, y - 5, 10, 10);
  }

  /** @param {CanvasRenderingContext2D} context @param {Surface} one @param {number} width @param {number} height */
  function way(context, { way: path, count, a, b }, width, height) {
    const x = (/** @type {number} */ v) => ((v - a[0]) / (a[1] - a[0])) * width;
    const y = (/** @type {number} */ v) => (1 - (v - b[0]) / (b[1] - b[0])) * height;
    const places = Array.from({ length: count }, (_, i) => [x(path[3 * i]), y(path[3 * i + 1])]);
    context.strokeStyle = context.fillStyle = colour(canvas, "--ink");
    context.lineWidth = 1.8;
    context.beginPath();
    for (const place of places) context.lineTo(...point2(place));
    context.stroke();
    for (const [i, place] of places.entries()) {
      context.beginPath();
      context.arc(place[0], place[1], i === count - 1 ? 6 : 2, 0, 7);
      context.fill();
    }
    const [first] = places;
    context.fillStyle = colour(canvas, "--card");
    context.fillRect(first[0] - 4.5, first[1] - 4.5, 9, 9);
    context.strokeRect(first[0] - 4.5, first[1] - 4.5, 9, 9);
  }

  /** @param {Surface} one @param {{low: number, high: number}} terrain */
  function say(one, { low, high }) {
    const { points, heights, a, b, way: path, count } = one;
    const along = (/** @type {[number, number]} */ ends, /** @type {number} */ i) => ends[0] + ((ends[1] - ends[0]) * i) / (points - 1);
    const shares = one.isPath ? t("surface_shares", { first: percent(one.shares[0]), second: percent(one.shares[1]) }) : t("surface_both_random");
    const place = read
      ? t("surface_reading", { a: n(along(a, read[0])), b: n(along(b, read[1])), loss: n(heights[read[1] * points + read[0]], 4) })
      : t("surface_way", { count: n(count), epoch: n(path[3 * count - 1]) });
    caption.textContent = `${place} ${shares}`;
    const swatch = (/** @type {number} */ v) => {
      const mark = element("i");
      mark.style.background = css(shade(v));
      return mark;
    };
    const [least, most] = [low, high].map((value) => element("span", {}, document.createTextNode(n(value))));
    ends.replaceChildren(element("span", {}, document.createTextNode(t("surface_loss"))), swatch(0.9), least, swatch(-0.9), most);
  }

  return {
    open() {
      given = null;
      render();
      ask();
    },
    close: () => void (given = null),
    begin: () => {
      given = null;
      if (!box.hidden) ask();
    },
    binary: {
      CRL1(data) {
        const came = readSurface(data);
        if (box.hidden || came.run !== desk.run?.run) return;
        given = came;
        draw();
      },
    },
    redraw: () => void (box.hidden || render()),
  };
}

/** @param {number[]} place @returns {[number, number]} */
const point2 = (place) => [place[0], place[1]];

/**
 * Heights from 0, the lowest, to 1, by their logarithm where they span much.
 * @param {Surface} surface
 */
function scaled({ heights }) {
  const finite = Array.from(heights).filter(Number.isFinite);
  const low = Math.min(...finite), high = Math.max(...finite);
  const steep = low > 0 && high > 20 * low;
  const f = steep ? Math.log : (/** @type {number} */ v) => v;
  const span = f(high) - f(low) || 1;
  return { low, high, heights: Float32Array.from(heights, (v) => (Number.isFinite(v) ? (f(v) - f(low)) / span : 1)) };
}

/** Low teal, high plum. @param {CanvasRenderingContext2D} context @param {{heights: Float32Array}} terrain @param {number} points */
function paint(context, { heights }, points) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = points;
  const image = new ImageData(points, points);
  for (let r = 0; r < points; r++) {
    for (let c = 0; c < points; c++) {
      const rgb = shade(0.9 - 1.8 * heights[r * points + c]);
      image.data.set([...rgb, 255], 4 * ((points - 1 - r) * points + c));
    }
  }
  tile.getContext("2d")?.putImageData(image, 0, 0);
  const { clientWidth: width, clientHeight: height } = context.canvas;
  context.imageSmoothingEnabled = true;
  // the points of the grid lie in the middles of pixels, and on the edges of the picture
  context.drawImage(tile, 0.5, 0.5, points - 1, points - 1, 0, 0, width, height);
}
