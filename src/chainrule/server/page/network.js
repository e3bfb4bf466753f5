// The network: a picture for every unit, links as thick as their weights, biases, flags.
// Pictures and links are drawn on one canvas; a button over every unit makes it usable by
// pointer, touch, keyboard and screen reader alike.

import { css, paintValues, shade } from "./colours.js";
import { isRtl, n, t } from "./i18n.js";
import { layout, linkPath, parameterIndex } from "./layout.js";

/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./layout.js").Place} Place */

export const FEATURES = ["x1", "x2", "x1_squared", "x2_squared", "x1_x2", "sin_x1", "sin_x2"];
export const FEATURE_SIGNS = ["x₁", "x₂", "x₁²", "x₂²", "x₁x₂", "sin x₁", "sin x₂"];
export const STATES = ["fine", "dead", "saturated", "exploding"];
const MOST_LINKS = 1400;

export class NetworkView {
  /**
   * @param {HTMLElement} stage @param {HTMLCanvasElement} canvas @param {HTMLElement} nodes
   * @param {{look: (unit: number|null) => void, open: (layer: number, unit: number, from?: number) => void,
   *   toggle: (feature: string) => void, layer: (index: number) => HTMLElement,
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
    this.discretize = false;
    /** @type {string|null} */
    this.lit = null;
    this.atlas = document.createElement("canvas");
    this.featureAtlas = drawFeatures();
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
    this.run = run;
    this.frame = null;
    this.rebuild();
  }

  restyle() {
    this.featureAtlas = drawFeatures();
    this.rebuild();
  }

  rebuild() {
    const run = this.run;
    if (!run) return;
    const box = /** @type {HTMLElement} */ (this.stage.parentElement);
    this.width = box.clientWidth;
    const focused = document.activeElement?.getAttribute("data-key");
    const shape = layout(run.sizes, run.settings.features, this.width - 12, isRtl());
    this.places = shape.places;
    this.stage.style.width = `${shape.width}px`;
    this.stage.style.height = `${shape.height}px`;
    this.nodes.replaceChildren(...this.places.map((place) => this.button(place)), ...this.tags(), ...this.heads(shape));
    if (focused) /** @type {HTMLElement|null} */ (this.nodes.querySelector(`[data-key="${focused}"]`))?.focus();
    const ratio = devicePixelRatio || 1;
    this.canvas.width = shape.width * ratio;
    this.canvas.height = shape.height * ratio;
    this.canvas.style.width = `${shape.width}px`;
    this.canvas.style.height = `${shape.height}px`;
    this.paint();
  }

  /** @param {Place} place */
  button(place) {
    const button = document.createElement("button");
    button.className = place.layer === 0 ? "node feature" : "node";
    button.dataset.key = `${place.layer}.${place.unit}`;
    setBox(button, place.x, place.y, place.size, place.size);
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

  /** The names of the inputs beside their pictures, and of the outputs. */
  tags() {
    return this.places.filter((place) => place.layer === 0).map((place) => {
      const tag = document.createElement("bdi");
      tag.className = place.active ? "tag" : "tag off";
      tag.textContent = FEATURE_SIGNS[place.unit];
      const width = 44;
      setBox(tag, isRtl() ? place.x + place.size + 7 : place.x - width - 7, place.y + place.size / 2 - 9, width, 18);
      tag.style.textAlign = isRtl() ? "left" : "right";
      return tag;
    });
  }

  /** @param {ReturnType<typeof layout>} shape */
  heads(shape) {
    return shape.heads.map(({ x, layer, last }) => {
      const head = last ? this.actions.addLayer() : this.actions.layer(layer);
      setBox(head, x - 46, 0, 92, 84);
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
    if (links.length > MOST_LINKS) {
      links.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
      links.length = MOST_LINKS;
    }
    const dim = this.lit !== null;
    for (const { weight, from, to } of links) {
      const size = Math.min(Math.abs(weight), 20);
      context.lineWidth = Math.min(9, 0.5 + 2.2 * size);
      const alpha = dim && this.lit !== `W${to.layer}` ? 0.08 : Math.min(0.9, 0.22 + 0.5 * size);
      context.strokeStyle = css(shade(weight < 0 ? -1 : 1), alpha);
      context.stroke(linkPath(from, to));
    }
  }

  /** Every link with its weight. */
  *links() {
    const { run, frame } = /** @type {{run: Run, frame: Frame}} */ (/** @type {any} */ (this));
    const layers = run.sizes.map((_, layer) => this.places.filter((p) => p.layer === layer && p.active));
    for (let layer = 1; layer < layers.length; layer++) {
      for (const to of layers[layer]) {
        for (const [i, from] of layers[layer - 1].entries()) {
          yield { weight: frame.theta[parameterIndex(run, `W${layer}`, [i, to.unit])], from, to, i };
        }
      }
    }
  }

  /** @param {CanvasRenderingContext2D} context */
  paintUnits(context) {
    const frame = this.frame;
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
        context.drawImage(this.featureAtlas, 0, 50 * place.unit, 50, 50, x, y, size, size);
      } else if (frame) {
        const side = frame.thumbSide;
        context.drawImage(this.atlas, 0, side * place.index, side, side, x, y, size, size);
      }
      context.restore();
      context.strokeStyle = getComputedStyle(this.canvas).getPropertyValue("--line");
      context.lineWidth = 1;
      context.beginPath();
      context.roundRect(x, y, size, size, Math.min(7, size / 5));
      context.stroke();
      if (place.layer > 0 && frame) this.paintBias(context, place, frame);
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

  /** @param {CanvasRenderingContext2D} context @param {Place} place @param {Frame} frame */
  paintBias(context, place, frame) {
    const bias = frame.theta[parameterIndex(/** @type {Run} */ (this.run), `b${place.layer}`, [place.unit])];
    const side = Math.max(4, Math.min(10, place.size / 4));
    const x = isRtl() ? place.x + place.size - side + 3 : place.x - 3;
    context.fillStyle = css(shade(bias));
    context.strokeStyle = getComputedStyle(this.canvas).getPropertyValue("--soft");
    context.lineWidth = 1;
    context.beginPath();
    context.rect(x, place.y + place.size - side + 3, side, side);
    context.fill();
    context.stroke();
  }

  /** Marks units that are dead, saturated or exploding. */
  flags() {
    for (const flag of this.nodes.querySelectorAll(".flag")) flag.remove();
    const frame = /** @type {Frame} */ (this.frame);
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
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const bounds = this.stage.getBoundingClientRect();
    const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
    const ratio = devicePixelRatio || 1;
    context.lineWidth = 12;
    let best = null;
    for (const link of this.links()) {
      if (!context.isPointInStroke(linkPath(link.from, link.to), x * ratio, y * ratio)) continue;
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
    this.paint();
  }
}

/** What each input says everywhere, top row first like every picture. */
function drawFeatures() {
  const canvas = document.createElement("canvas");
  canvas.width = 50;
  canvas.height = 50 * FEATURES.length;
  const image = new ImageData(50, canvas.height);
  const values = /** @type {((a: number, b: number) => number)[]} */ ([
    (a) => a, (_, b) => b, (a) => a * a, (_, b) => b * b, (a, b) => a * b, (a) => Math.sin(a), (_, b) => Math.sin(b),
  ]);
  const bytes = new Uint8Array(2500 * FEATURES.length);
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

/** @param {HTMLElement} element @param {number} x @param {number} y @param {number} w @param {number} h */
function setBox(element, x, y, w, h) {
  Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
}
