// What the network makes of the image on the pad: the image as it sees it, every layer, ten answers.

import { colour, fit } from "./canvas.js";
import { css, shade } from "./colours.js";
import { $ } from "./desk.js";
import { n, t, whole } from "./i18n.js";
import { NOTHING, TEST_ROW, areProbabilities, className, outputShare, outputText, paintPixels } from "./images.js";
import { element } from "./make.js";

/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {import("./types.js").Run} Run */

/** The image, and where it is from. @param {Run} run @param {Answer} answer */
export function showSeen(run, answer) {
  paintPixels($("seen"), answer.pixels, answer.width);
  const text = answer.source === NOTHING ? t("seen_nothing")
    : answer.source === TEST_ROW ? t("seen_test", { row: whole(answer.row), truth: className(run, answer.truth) })
      : t("seen_written");
  if ($("seen-text").textContent !== text) $("seen-text").textContent = text;
  $("seen").setAttribute("aria-label", `${t("seen")}: ${text}`);
}

/** A row of the ten outputs: the digit, a bar, the number. @param {Run} run @param {Answer|null} answer */
export function showAnswers(run, answer) {
  const outputs = answer?.layers.at(-1);
  const list = $("answers");
  const count = run.sizes[run.sizes.length - 1];
  if (list.children.length !== count) {
    list.replaceChildren(...Array.from({ length: count }, (_, k) => element("li", { "data-answer": String(k) },
      element("span", { class: "digit" }), element("i", { "aria-hidden": "true" }, element("i")), element("b"))));
  }
  $("answers-title").textContent = t(areProbabilities(run) ? "answers_probabilities" : "answers_outputs");
  for (const [k, item] of [...list.children].entries()) {
    const [digit, bar, number] = item.children;
    const value = outputs ? outputs[k] : NaN;
    digit.textContent = className(run, k);
    number.textContent = outputs ? outputText(run, value) : "—";
    bar.firstElementChild.style.inlineSize = `${100 * outputShare(run, value)}%`;
    item.classList.toggle("wins", Boolean(outputs) && answer?.predicted === k);
    item.classList.toggle("truth", answer?.source === TEST_ROW && answer.truth === k);
  }
}

/** Of every hidden layer a bar a neuron: above the line what it says for, below against. @param {Run} run @param {Answer|null} answer */
export function showLayers(run, answer) {
  const box = $("responses");
  const count = run.sizes.length - 2;
  if (box.children.length !== count) {
    box.replaceChildren(...Array.from({ length: count }, (_, i) => element("figure", { "data-response": String(i + 1) },
      element("figcaption", { class: "hint" }), element("canvas", { role: "img" }))));
  }
  for (const [i, figure] of [...box.children].entries()) {
    const values = answer?.layers.length ? answer.layers[i] : new Float32Array(run.sizes[i + 1]);
    const low = values.reduce((a, b) => Math.min(a, b), 0), high = values.reduce((a, b) => Math.max(a, b), 0);
    const text = t("response", { layer: whole(i + 1), low: n(low, 2), high: n(high, 2) });
    figure.firstElementChild.textContent = text;
    figure.lastElementChild.setAttribute("aria-label", text);
    paintBars(figure.lastElementChild, values, Math.max(1, high, -low));
  }
}

/** @param {HTMLCanvasElement} canvas @param {Float32Array} values @param {number} largest */
function paintBars(canvas, values, largest) {
  const context = fit(canvas);
  if (!context) return;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const wide = width / values.length, middle = height / 2;
  for (const [i, value] of values.entries()) {
    const long = (Math.min(1, Math.abs(value) / largest) || 0) * (middle - 1);
    context.fillStyle = css(shade(value < 0 ? -0.9 : 0.9));
    context.fillRect(i * wide + wide * 0.1, value < 0 ? middle : middle - long, wide * 0.8, long);
  }
  context.fillStyle = colour(canvas, "--line");
  context.fillRect(0, middle - 0.5, width, 1);
}
