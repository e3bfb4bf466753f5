// How the outputs and gradients of every layer are distributed, moment after moment of the run.

import { colour, fit } from "./canvas.js";
import { n, percent, t } from "./i18n.js";
import { element } from "./make.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Histograms} Histograms */
/** @typedef {import("./types.js").Histogram} Histogram */

/** @param {HTMLElement} box @param {Desk} desk @returns {import("./types.js").Panel} */
export function histograms(box, desk) {
  /** @type {Histograms|null} */
  let given = null;
  const table = element("div", { class: "distributions" });
  const hint = element("p", { class: "hint" });
  box.append(table, hint);
  new ResizeObserver(() => draw()).observe(table);

  /** The layers in words: hidden ones by number, the last one as the output. @param {number} i */
  const layerName = (i) => (given && i === given.layers.length - 1 ? t("histograms_scores") : t("histograms_layer", { layer: n(i + 1) }));

  function build() {
    hint.textContent = given ? t("histograms_hint") : t("surface_waiting");
    if (!given) {
      table.replaceChildren();
      return;
    }
    if (table.children.length !== 2 * given.layers.length) {
      table.replaceChildren(...given.layers.flatMap((_, i) => ["outputs", "gradients"].map((what) => element("figure", { "data-histogram": `${i}.${what}` },
        element("figcaption", {}, element("b"), element("span", { class: "hint" })),
        element("canvas", { role: "img" })))));
    }
    draw();
  }

  function draw() {
    if (!given) return;
    for (const [i, layer] of given.layers.entries()) {
      for (const what of /** @type {("outputs"|"gradients")[]} */ (["outputs", "gradients"])) {
        const figure = table.querySelector(`[data-histogram="${i}.${what}"]`);
        const [title, text, canvas] = ["b", ".hint", "canvas"].map((one) => figure?.querySelector(one));
        if (!(title && text && canvas instanceof HTMLCanvasElement)) continue;
        const { low, high } = layer[what];
        title.textContent = `${layerName(i)}: ${t(`histograms_${what}`)}`;
        const zero = what === "outputs" && layer.zero > 0.005 ? ` ${t("histograms_zero", { share: percent(layer.zero) })}` : "";
        text.textContent = t("histograms_range", { low: n(low), high: n(high) }) + zero;
        canvas.setAttribute("aria-label", `${title.textContent}. ${text.textContent}`);
        paint(canvas, given.epochs, layer[what]);
      }
    }
  }

  /** A column a moment, dark where many of the numbers are. @param {HTMLCanvasElement} canvas @param {number[]} epochs @param {Histogram} histogram */
  function paint(canvas, epochs, { bins, shares, low, high }) {
    const context = fit(canvas);
    if (!context) return;
    const bytes = Uint8Array.from(atob(shares), (sign) => sign.charCodeAt(0));
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const [wide, tall] = [width / epochs.length, height / bins];
    context.fillStyle = colour(canvas, "--plum");
    for (let column = 0; column < epochs.length; column++) {
      for (let bin = 0; bin < bins; bin++) {
        const share = bytes[column * bins + bin] / 255;
        if (!share) continue;
        context.globalAlpha = Math.min(1, Math.cbrt(share) * 1.15); // a root: tails are to be seen beside the crowd
        context.fillRect(column * wide, height - (bin + 1) * tall, wide + 0.5, tall + 0.5);
      }
    }
    context.globalAlpha = 0.7;
    if (low < 0 && high > 0) {
      context.fillStyle = colour(canvas, "--soft");
      context.fillRect(0, height * (1 - -low / (high - low)), width, 1);
    }
    context.globalAlpha = 1;
  }

  return {
    open: build,
    close() {
      given = null;
      build();
    },
    begin() {
      given = null;
      if (!box.hidden) build();
    },
    messages: {
      histograms(message) {
        if (box.hidden || message.run !== desk.run?.run) return;
        given = message;
        build();
      },
    },
    redraw: () => void (box.hidden || build()),
  };
}
