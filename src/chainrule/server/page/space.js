// The plane as two neurons of a layer see it: its grid, bent, and the points in it.

import { colour, fit } from "./canvas.js";
import { classColour, css, shade } from "./colours.js";
import { readWarp } from "./frame.js";
import { n, t, whole } from "./i18n.js";
import { element, field } from "./make.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Warp} Warp */

const MARGIN = 0.06;

/** @param {HTMLElement} box @param {Desk} desk @returns {import("./types.js").Panel} */
export function space(box, desk) {
  const { state } = desk;
  /** @type {Warp|null} */
  let given = null;
  const controls = element("div", { class: "fields strip" });
  const canvas = element("canvas", { role: "img", "data-space": "canvas", "aria-describedby": "space-text" });
  const caption = element("p", { class: "hint", id: "space-text" });
  const hint = element("p", { class: "hint" });
  box.append(controls, element("figure", { class: "terrain" }, canvas, element("figcaption", { class: "told" }, caption, hint)));
  new ResizeObserver(() => draw()).observe(canvas);
  state.listeners.push((names) => {
    if (box.hidden || !["space_layer", "space_first", "space_second"].some((name) => names.has(name))) return;
    ask();
    render();
  });

  /** Layers that have two neurons, as they are numbered. */
  const layers = () => (desk.run?.sizes.slice(1, -1) ?? []).flatMap((units, i) => (units > 1 ? [i + 1] : []));

  /** What is looked at: what the state says, as far as it is there. */
  function chosen() {
    const { space_layer: layer, space_first: first, space_second: second } = state.values;
    const possible = layers();
    const real = possible.includes(layer) ? layer : (possible[0] ?? 0);
    const units = desk.run?.sizes[real] ?? 0;
    const one = Math.min(first, units) - 1;
    const other = Math.min(second, units) - 1;
    return { layer: real, units, first: one, second: one === other ? (one + 1) % units : other };
  }

  function ask() {
    const { layer, first, second } = chosen();
    if (layer) desk.send({ type: "space", layer, first, second });
  }

  function render() {
    const { layer, units, first, second } = chosen();
    const focused = document.activeElement?.getAttribute("data-space");
    const neurons = Array.from({ length: units }, (_, i) => i + 1);
    controls.replaceChildren(
      select("space_layer", layers(), layer), select("space_first", neurons, first + 1), select("space_second", neurons, second + 1),
    );
    controls.hidden = !layer;
    hint.textContent = t("space_hint");
    canvas.setAttribute("aria-label", t("space_label", { layer: n(layer), first: n(first + 1), second: n(second + 1) }));
    if (focused) /** @type {HTMLElement|null} */ (controls.querySelector(`[data-space=${focused}]`))?.focus();
    draw();
  }

  /** @param {string} name @param {number[]} choices @param {number} value */
  function select(name, choices, value) {
    const made = element("select", { "data-space": name });
    for (const one of choices) made.append(new Option(whole(one), String(one)));
    made.value = String(value);
    made.onchange = () => state.set({ [name]: Number(made.value) });
    return field(t(name), made);
  }

  function draw() {
    const context = fit(canvas);
    if (!context) return;
    const { layer } = chosen();
    if (!layer || !given) {
      caption.textContent = t(layer ? "surface_waiting" : "space_none");
      return;
    }
    const { lines, samples, grid, data, count } = given;
    const size = canvas.clientWidth;
    const [low, high] = reach(given);
    const at = (/** @type {number} */ v, /** @type {number} */ axis) => {
      const share = MARGIN + (1 - 2 * MARGIN) * ((v - low[axis]) / (high[axis] - low[axis] || 1));
      return (axis ? 1 - share : share) * size;
    };
    context.lineWidth = 1;
    for (let line = 0; line < 2 * lines; line++) {
      const middle = line % lines === (lines - 1) / 2;
      context.globalAlpha = middle ? 1 : 0.55;
      context.lineWidth = middle ? 2 : 1;
      context.strokeStyle = colour(canvas, line < lines ? "--teal" : "--plum");
      context.beginPath();
      for (let i = 0; i < samples; i++) {
        const k = 2 * (line * samples + i);
        context.lineTo(at(grid[k], 0), at(grid[k + 1], 1));
      }
      context.stroke();
    }
    context.globalAlpha = 1;
    context.strokeStyle = colour(canvas, "--card");
    context.lineWidth = 0.8;
    for (let i = 0; i < count; i++) {
      const label = data[3 * i + 2];
      context.fillStyle = css(given.classes ? classColour(label) : shade(label));
      context.beginPath();
      context.arc(at(data[3 * i], 0), at(data[3 * i + 1], 1), 3, 0, 7);
      context.fill();
      context.stroke();
    }
    const zero = 2 * (((lines - 1) / 2) * samples + (samples - 1) / 2);
    caption.textContent = t("space_zero", { first: n(grid[zero]), second: n(grid[zero + 1]) });
  }

  return {
    open() {
      given = null;
      render();
      ask();
    },
    close: () => void (given = null),
    begin() {
      given = null;
      if (box.hidden) return;
      render();
      ask();
    },
    binary: {
      CRW1(data) {
        const came = readWarp(data);
        if (box.hidden || came.run !== desk.run?.run) return;
        given = { ...came, classes: desk.run.kind !== "value" };
        draw();
      },
    },
    redraw: () => void (box.hidden || render()),
  };
}

/** From where to where both coordinates go. @param {Warp} warp @returns {[number[], number[]]} */
function reach({ grid, data, count }) {
  const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
  const take = (/** @type {number} */ v, /** @type {number} */ axis) => {
    if (!Number.isFinite(v)) return;
    low[axis] = Math.min(low[axis], v);
    high[axis] = Math.max(high[axis], v);
  };
  for (let i = 0; i < grid.length; i++) take(grid[i], i % 2);
  for (let i = 0; i < count; i++) for (const axis of [0, 1]) take(data[3 * i + axis], axis);
  return [low, high];
}
