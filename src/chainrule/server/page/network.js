// The network: a picture for every unit, links as thick as their weights, biases, flags.
// Pictures and links are drawn on one canvas; a button over every unit makes it usable by
// pointer, touch, keyboard and screen reader alike.

import { isRtl, n, t, whole } from "./i18n.js";
import { imageLayout } from "./image_layout.js";
import { className } from "./images.js";
import { distance, layout } from "./layout.js";
import { FEATURES, FEATURE_SIGNS, STATES } from "./names.js";
import { Painter, links } from "./painter.js";

/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./layout.js").Place} Place */
/** @typedef {import("./layout.js").Pager} Pager */

const NARROW = 572;

export class NetworkView {
  /**
   * @param {HTMLElement} stage @param {HTMLCanvasElement} canvas @param {HTMLElement} nodes
   * @param {{look: (unit: number|null) => void, open: (layer: number, unit: number, from?: number) => void,
   *   toggle: (feature: string) => void, write: () => void, draw: (column: number) => void, layer: (index: number) => HTMLElement,
   *   addLayer: () => HTMLElement}} actions
   */
  constructor(stage, canvas, nodes, actions) {
    this.stage = stage;
    this.painter = new Painter(canvas);
    this.nodes = nodes;
    this.actions = actions;
    /** @type {Run|null} */
    this.run = null;
    /** @type {Frame|null} */
    this.frame = null;
    /** @type {Place[]} */
    this.places = [];
    /** @type {number[]} */
    this.first = [];
    this.discretize = false;
    /** @type {import("./types.js").Answer|null} */
    this.answer = null;
    /** @type {string|null} */
    this.lit = null;
    this.flagged = "";
    this.label = document.createElement("span");
    this.label.className = "wire-label";
    this.width = 0;
    new ResizeObserver(() => {
      if (stage.parentElement && stage.parentElement.clientWidth !== this.width) this.rebuild();
    }).observe(/** @type {HTMLElement} */ (stage.parentElement));
    stage.addEventListener("pointermove", (event) => this.pointer(event));
    stage.addEventListener("pointerleave", () => this.label.remove());
    stage.addEventListener("click", (event) => this.click(event));
  }

  /** @param {Run} run */
  show(run) {
    if (run.sizes.join() !== this.run?.sizes.join()) this.first = [];
    this.run = run;
    this.frame = null;
    this.restyle();
  }

  restyle() {
    this.painter.restyle(this.run?.is_plane ?? true);
    this.rebuild();
  }

  rebuild() {
    const run = this.run;
    if (!run) return;
    const box = /** @type {HTMLElement} */ (this.stage.parentElement);
    this.width = box.clientWidth;
    this.nodes.classList.toggle("narrow", this.width < NARROW);
    const focused = document.activeElement?.getAttribute("data-key");
    const room = this.width - 12, narrow = this.width < NARROW;
    const shape = run.image ? imageLayout(run, room, narrow, isRtl()) : layout(run, room, narrow, isRtl(), this.first);
    this.places = shape.places;
    this.stage.style.width = `${shape.width}px`;
    this.stage.style.height = `${shape.height}px`;
    this.nodes.replaceChildren(
      ...shape.pills.flatMap((one) => pill(one)), ...this.places.map((place) => this.button(place)),
      ...this.tags(), ...this.heads(shape), ...shape.pagers.map((pager) => this.pager(pager)),
    );
    if (focused) /** @type {HTMLElement|null} */ (this.nodes.querySelector(`[data-key="${focused}"]`))?.focus();
    this.painter.resize(shape.width, shape.height);
    this.flagged = "";
    this.paint();
    if (this.frame) this.flags();
  }

  /** @param {Place} place */
  button(place) {
    const button = document.createElement("button");
    button.className = place.layer === 0 ? "node feature" : "node";
    button.dataset.key = `${place.layer}.${place.unit}`;
    setBox(button, place.x, place.y, place.size, place.size);
    if (place.layer === 0 && this.run?.image) {
      button.setAttribute("aria-label", t("input_image"));
      button.title = t("input_image");
      button.onclick = () => this.actions.write();
      return button;
    }
    if (place.layer === 0 && !this.run?.is_plane) {
      button.setAttribute("aria-label", t("feature_label", { name: this.inputName(place.unit) }));
      button.onclick = () => this.actions.draw(place.unit);
      return button;
    }
    if (place.layer === 0) {
      button.setAttribute("aria-pressed", String(place.active));
      button.setAttribute("aria-label", t("feature_label", { name: FEATURE_SIGNS[place.unit] }));
      button.onclick = () => this.actions.toggle(FEATURES[place.unit]);
      return button;
    }
    button.setAttribute("aria-label", this.unitName(place.layer, place.unit));
    button.setAttribute("aria-haspopup", "dialog");
    button.onclick = () => this.actions.open(place.layer, place.unit);
    const look = (/** @type {boolean} */ on) => this.look(on ? place : null, button);
    button.onpointerenter = (event) => event.pointerType !== "touch" && look(true);
    button.onpointerleave = () => look(false);
    button.onfocus = () => button.matches(":focus-visible") && look(true);
    button.onblur = () => look(false);
    return button;
  }

  /** @param {Place|null} place @param {HTMLElement} button */
  look(place, button) {
    button.classList.toggle("focused", place !== null);
    this.actions.look(place ? place.index : null);
  }

  /** @param {number} layer @param {number} unit */
  unitName(layer, unit) {
    const run = /** @type {Run} */ (this.run);
    if (layer < run.sizes.length - 1) return t("unit_label", { layer: n(layer), unit: n(unit + 1) });
    const name = run.kind === "classes" ? className(run, unit) : "";
    return name ? t("output_of", { name }) : t("output_unit");
  }

  /** @param {number} unit */
  inputName(unit) {
    return this.run?.is_plane ? FEATURE_SIGNS[unit] : (this.run?.axes[unit] ?? "");
  }

  /** Turns to the next units of a layer that has more than are drawn. @param {Pager} pager */
  pager({ layer, x, y, width, from, to, count }) {
    const button = document.createElement("button");
    button.className = "small pager";
    button.dataset.key = `pager.${layer}`;
    button.textContent = `${whole(from + 1)}–${whole(to)} / ${whole(count)}`;
    button.setAttribute("aria-label", t("more_of_layer", { from: whole(from + 1), to: whole(to), count: whole(count) }));
    button.title = t("turn_page");
    button.onclick = () => {
      this.first[layer] = to < count ? to : 0;
      this.rebuild();
    };
    setBox(button, x - width / 2, y, width, 26);
    return button;
  }

  /** The names of the inputs beside their pictures, and of the outputs. */
  tags() {
    return this.places.filter((place) => place.layer === 0 && !this.run?.image).map((place) => {
      const tag = document.createElement("bdi");
      tag.className = place.active ? "tag" : "tag off";
      tag.textContent = tag.title = this.inputName(place.unit);
      const beside = isRtl() ? this.stage.clientWidth - place.x - place.size : place.x;
      const width = Math.min(80, beside - 9);
      setBox(tag, isRtl() ? place.x + place.size + 7 : place.x - width - 7, place.y + place.size / 2 - 9, width, 18);
      tag.style.textAlign = isRtl() ? "left" : "right";
      return tag;
    });
  }

  /** @param {ReturnType<typeof layout>} shape */
  heads(shape) {
    return shape.heads.map(({ x, layer, last }) => {
      const head = last ? this.actions.addLayer() : this.actions.layer(layer);
      const half = this.width < NARROW ? 37 : 50;
      setBox(head, x - half, 0, 2 * half, 84);
      return head;
    });
  }

  /** @param {Frame} frame */
  draw(frame) {
    this.frame = frame;
    this.paint();
    this.flags();
  }

  /** What every layer says to the image on the pad. @param {import("./types.js").Answer|null} answer */
  respond(answer) {
    this.answer = answer;
    this.paint();
  }

  paint() {
    if (this.run) this.painter.paint(this.picture());
  }

  /** What the painter needs of this moment. @returns {import("./painter.js").Picture} */
  picture() {
    const { run, frame, places, lit, discretize, answer } = this;
    return { run: /** @type {Run} */ (run), frame, places, lit, discretize, answer };
  }

  /** Marks units that are dead, saturated or exploding. */
  flags() {
    const frame = /** @type {Frame} */ (this.frame);
    const states = frame.states.join("");
    if (states === this.flagged) return;
    this.flagged = states;
    for (const flag of this.nodes.querySelectorAll(".flag")) flag.remove();
    for (const place of this.places) {
      if (place.layer === 0 || place.index >= frame.states.length || !frame.states[place.index]) continue;
      const flag = document.createElement("span");
      flag.className = `flag ${STATES[frame.states[place.index]]}`;
      flag.textContent = ["", "✕", "≈", "!"][frame.states[place.index]];
      flag.setAttribute("aria-hidden", "true");
      const side = Math.max(11, Math.min(17, place.size * 0.4));
      flag.style.fontSize = `${side * 0.65}px`;
      setBox(flag, place.x + place.size - side / 2, place.y - side / 2, side, side);
      this.nodes.append(flag);
    }
  }

  /** @param {PointerEvent|MouseEvent} event */
  linkUnder(event) {
    if (!this.frame || this.run?.image || event.target !== this.nodes) return null;
    const bounds = this.stage.getBoundingClientRect();
    const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
    const reach = "pointerType" in event && event.pointerType === "touch" ? 14 : 6;
    let best = null;
    for (const link of links(this.picture())) {
      if (distance(link.from, link.to, x, y) > reach) continue;
      if (!best || Math.abs(link.weight) > Math.abs(best.weight)) best = link;
    }
    return best && { ...best, x, y };
  }

  /** @param {PointerEvent} event */
  pointer(event) {
    const link = this.linkUnder(event);
    this.nodes.style.cursor = link ? "pointer" : "";
    if (!link) {
      this.label.remove();
      return;
    }
    this.label.textContent = t("weight_is", { value: n(link.weight) });
    this.label.style.left = `${link.x + 10}px`;
    this.label.style.top = `${link.y - 26}px`;
    this.nodes.append(this.label);
  }

  /** @param {MouseEvent} event */
  click(event) {
    const link = this.linkUnder(event);
    if (link) this.actions.open(link.to.layer, link.to.unit, link.i);
  }

  /** Lights the links of one parameter; null: all. @param {string|null} parameter */
  light(parameter) {
    this.lit = parameter;
    const layer = this.run?.columns.findIndex((column) => column.weights === parameter) ?? -1;
    const place = this.places.find((one) => one.layer === layer + 1);
    const box = /** @type {HTMLElement} */ (this.stage.parentElement);
    if (layer >= 0 && place) box.scrollTo({ left: place.x - box.clientWidth * 0.6 });
    this.paint();
  }
}

/**
 * A box for what is no layer of neurons, such as dropout, with a line where it stands.
 * @param {{name: string, x: number, y: number, top: number}} place
 */
function pill({ name, x, y, top }) {
  const line = document.createElement("i");
  line.className = "between";
  setBox(line, x, top, 1, y - top);
  const label = document.createElement("span");
  label.className = "box";
  label.textContent = name;
  setBox(label, x - 46, y + 2, 92, 22);
  return [line, label];
}

/** @param {HTMLElement} element @param {number} x @param {number} y @param {number} w @param {number} h */
function setBox(element, x, y, w, h) {
  Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
}
