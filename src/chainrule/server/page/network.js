// The network: a picture for every unit, links as thick as their weights, biases, flags.
// Pictures and links are drawn on one canvas; a button over every unit makes it usable by
// pointer, touch, keyboard and screen reader alike.

import { css, paintValues, shade } from "./colours.js";
import { isRtl, n, t, whole } from "./i18n.js";
import { distance, layout, linkPath, parameterIndex } from "./layout.js";

/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./layout.js").Place} Place */
/** @typedef {import("./layout.js").Pager} Pager */

export const FEATURES = ["x1", "x2", "x1_squared", "x2_squared", "x1_x2", "sin_x1", "sin_x2"];
export const FEATURE_SIGNS = ["x₁", "x₂", "x₁²", "x₂²", "x₁x₂", "sin x₁", "sin x₂"];
export const STATES = ["fine", "dead", "saturated", "exploding"];
const MOST_LINKS = 900;
const NARROW = 572;

export class NetworkView {
  /**
   * @param {HTMLElement} stage @param {HTMLCanvasElement} canvas @param {HTMLElement} nodes
   * @param {{look: (unit: number|null) => void, open: (layer: number, unit: number, from?: number) => void,
   *   toggle: (feature: string) => void, draw: (column: number) => void, layer: (index: number) => HTMLElement,
   *   addLayer: () => HTMLElement}} actions
   */
  constructor(stage, canvas, nodes, actions) {
    Object.assign(this, { stage, canvas, nodes });
    this.stage = stage;
    this.canvas = canvas;
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
    /** @type {string|null} */
    this.lit = null;
    this.atlas = document.createElement("canvas");
    this.featureAtlas = drawFeatures();
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
    this.featureAtlas = this.run && !this.run.is_plane ? drawColumns() : drawFeatures();
    this.rebuild();
  }

  rebuild() {
    const run = this.run;
    if (!run) return;
    const box = /** @type {HTMLElement} */ (this.stage.parentElement);
    this.width = box.clientWidth;
    this.nodes.classList.toggle("narrow", this.width < NARROW);
    const focused = document.activeElement?.getAttribute("data-key");
    const shape = layout(run, this.width - 12, this.width < NARROW, isRtl(), this.first);
    this.places = shape.places;
    this.stage.style.width = `${shape.width}px`;
    this.stage.style.height = `${shape.height}px`;
    this.nodes.replaceChildren(
      ...shape.pills.flatMap((one) => pill(one)), ...this.places.map((place) => this.button(place)),
      ...this.tags(), ...this.heads(shape), ...shape.pagers.map((pager) => this.pager(pager)),
    );
    if (focused) /** @type {HTMLElement|null} */ (this.nodes.querySelector(`[data-key="${focused}"]`))?.focus();
    const ratio = devicePixelRatio || 1;
    this.canvas.width = shape.width * ratio;
    this.canvas.height = shape.height * ratio;
    this.canvas.style.width = `${shape.width}px`;
    this.canvas.style.height = `${shape.height}px`;
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
    const name = run.kind === "classes" ? run.classes[unit] : "";
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
    return this.places.filter((place) => place.layer === 0).map((place) => {
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

  paint() {
    const context = this.canvas.getContext("2d");
    if (!context || !this.run) return;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.frame) this.paintLinks(context);
    this.paintUnits(context);
  }

  /** @param {CanvasRenderingContext2D} context */
  paintLinks(context) {
    const links = [...this.links()];
    let least = 0;
    if (links.length > MOST_LINKS) {
      const sizes = Float32Array.from(links, (link) => Math.abs(link.weight)).sort();
      least = sizes[sizes.length - MOST_LINKS];
    }
    const dim = this.lit !== null;
    for (const { weight, from, to } of links) {
      if (Math.abs(weight) < least) continue;
      const size = Math.min(Math.abs(weight), 20);
      context.lineWidth = Math.min(9, 0.5 + 2.2 * size);
      const alpha = dim && this.lit !== this.run?.columns[to.layer - 1].weights ? 0.08 : Math.min(0.9, 0.22 + 0.5 * size);
      context.strokeStyle = css(shade(weight < 0 ? -1 : 1), alpha);
      context.stroke(linkPath(from, to));
    }
  }

  /** Every link with its weight. */
  *links() {
    const { run, frame } = /** @type {{run: Run, frame: Frame}} */ (/** @type {any} */ (this));
    const layers = run.sizes.map((_, layer) => this.places.filter((p) => p.layer === layer && p.active));
    for (let layer = 1; layer < layers.length; layer++) {
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

  /** @param {CanvasRenderingContext2D} context */
  paintUnits(context) {
    const frame = this.frame;
    const style = getComputedStyle(this.canvas);
    const [line, soft] = [style.getPropertyValue("--line"), style.getPropertyValue("--soft")];
    if (frame) this.fillAtlas(frame);
    context.imageSmoothingEnabled = true;
    for (const place of this.places) {
      const { x, y, size } = place;
      context.save();
      context.beginPath();
      context.roundRect(x, y, size, size, Math.min(7, size / 5));
      context.clip();
      context.globalAlpha = place.active ? 1 : 0.35;
      if (place.layer === 0) {
        const run = /** @type {Run} */ (this.run);
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
      if (place.layer > 0 && frame) this.paintBias(context, place, frame, soft);
    }
  }

  /** @param {Frame} frame */
  fillAtlas(frame) {
    const side = frame.thumbSide, height = Math.max(1, side * frame.thumbCount);
    if (this.atlas.width !== side || this.atlas.height !== height) {
      this.atlas.width = side;
      this.atlas.height = height;
    }
    const image = new ImageData(side, height);
    paintValues(frame.thumbs, image.data, this.discretize);
    this.atlas.getContext("2d")?.putImageData(image, 0, 0);
  }

  /** @param {CanvasRenderingContext2D} context @param {Place} place @param {Frame} frame @param {string} rim */
  paintBias(context, place, frame, rim) {
    const run = /** @type {Run} */ (this.run);
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
    if (!this.frame || event.target !== this.nodes) return null;
    const bounds = this.stage.getBoundingClientRect();
    const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
    const reach = "pointerType" in event && event.pointerType === "touch" ? 14 : 6;
    let best = null;
    for (const link of this.links()) {
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

/** Of points with many columns: the tile of an input that is drawn across, up, or not at all. */
const [ACROSS, UP, STILL] = [0, 1, 2];

/** @param {Run} run @param {number} column */
function drawnTile(run, column) {
  return column === run.settings.across ? ACROSS : column === run.settings.up ? UP : STILL;
}

/** What the inputs of points with many columns say: those drawn, and those at their medians. */
function drawColumns() {
  return tiles([(a) => a / 5, (_, b) => b / 5, () => 0]);
}

/** What each input says everywhere, top row first like every picture. */
function drawFeatures() {
  return tiles([
    (a) => a, (_, b) => b, (a) => a * a, (_, b) => b * b, (a, b) => a * b, (a) => Math.sin(a), (_, b) => Math.sin(b),
  ]);
}

/** Pictures of functions of the two coordinates, one below the other. @param {((a: number, b: number) => number)[]} values */
function tiles(values) {
  const canvas = document.createElement("canvas");
  canvas.width = 50;
  canvas.height = 50 * values.length;
  const image = new ImageData(50, canvas.height);
  const bytes = new Uint8Array(2500 * values.length);
  for (const [f, value] of values.entries()) {
    for (let i = 0; i < 2500; i++) {
      const a = -6 + (12 * ((i % 50) + 0.5)) / 50, b = 6 - (12 * (Math.floor(i / 50) + 0.5)) / 50;
      bytes[2500 * f + i] = Math.min(255, Math.floor(Math.max(-1, Math.min(1, value(a, b))) * 128) + 128);
    }
  }
  paintValues(bytes, image.data, false);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
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
