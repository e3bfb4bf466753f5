// The card of one unit: its bias and weights to read and edit, and what is wrong with it, if anything.

import { paintValues } from "./colours.js";
import { n, percent, t } from "./i18n.js";
import { parameterIndex } from "./layout.js";
import { FEATURES, FEATURE_SIGNS, STATES } from "./names.js";
import { fullColour, paintUnit } from "./weights.js";

/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Run} Run */

/**
 * Why a unit is flagged, as a sentence with its numbers.
 * @param {Run} run @param {Frame} frame @param {number} index of the unit among all hidden ones
 * @param {number} layer
 */
export function diagnosis(run, frame, index, layer) {
  const state = STATES[frame.states[index] ?? 0];
  if (state === "fine") return "";
  const { activation } = run.columns[layer - 1];
  const key = state === "dead" && activation.includes("relu") ? "dead_relu" : state;
  return t(`why_${key}`, { share: percent(frame.reasons[index]), size: n(frame.reasons[index]), activation });
}

/**
 * @param {HTMLDialogElement} dialog @param {Run} run @param {Frame} frame
 * @param {{layer: number, unit: number, index: number, from?: number, title: string}} which
 * @param {(parameter: string, index: number[], value: number) => void} edit
 */
export function openCard(dialog, run, frame, which, edit) {
  const { layer, unit } = which;
  const form = document.createElement("form");
  form.method = "dialog";
  const title = document.createElement("h3");
  title.id = "card-title";
  title.textContent = which.title;
  const reason = document.createElement("p");
  reason.className = "hint";
  const reach = run.image ? t("weights_range", { full: n(fullColour(run, frame.theta, layer), 2) }) : "";
  reason.textContent = [diagnosis(run, frame, which.index, layer), reach].filter(Boolean).join(" ");
  const picture = document.createElement("canvas");
  picture.width = picture.height = frame.side;
  picture.setAttribute("aria-hidden", "true");
  Object.assign(dialog.dataset, { layer, unit });
  picture.classList.toggle("weights-image", Boolean(run.image));
  const weights = document.createElement("div");
  weights.className = "weights";
  const column = run.columns[layer - 1];
  if (column.biases) weights.append(field(t("bias"), column.biases, [unit]));
  const shape = run.parameters.find(({ name }) => name === column.weights)?.shape ?? [0];
  const listed = run.image && layer === 1 ? 0 : shape[0]; // the weights on pixels are looked at, not listed
  for (let i = 0; i < listed; i++) {
    weights.append(field(t("weight_from", { name: sourceName(run, layer, i) }), column.weights, [i, unit]));
  }
  const actions = document.createElement("div");
  actions.className = "actions";
  const close = document.createElement("button");
  close.textContent = t("close");
  close.className = "primary-text";
  actions.append(close);
  form.append(title, picture, reason, weights, actions);
  dialog.replaceChildren(form);
  dialog.showModal();
  if (run.image) paintCard(dialog, run, frame, false);
  const before = which.from === undefined ? 0 : which.from + (column.biases ? 1 : 0);
  const first = weights.querySelectorAll("input")[before];
  first?.focus();
  first?.select();

  /** @param {string} text @param {string} parameter @param {number[]} index */
  function field(text, parameter, index) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "number";
    input.step = "any";
    input.dir = "ltr";
    input.dataset.parameter = parameter;
    input.value = String(Number(frame.theta[parameterIndex(run, parameter, index)].toPrecision(6)));
    input.onchange = () => {
      if (Number.isFinite(input.valueAsNumber)) edit(parameter, index, input.valueAsNumber);
    };
    input.onkeydown = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      input.blur();
      dialog.close();
    };
    label.append(text, input);
    return label;
  }
}

/**
 * The picture of the unit whose card is open, as large as there is room for.
 * @param {HTMLDialogElement} dialog @param {Run} run @param {Frame} frame @param {boolean} discretize
 */
export function paintCard(dialog, run, frame, discretize) {
  const canvas = dialog.open ? dialog.querySelector("canvas") : null;
  if (canvas && run.image) paintUnit(canvas, run, frame.theta, Number(dialog.dataset.layer), Number(dialog.dataset.unit), discretize);
  const context = frame.focusPlane ? canvas?.getContext("2d") : null;
  if (!context || !frame.focusPlane) return;
  const image = new ImageData(frame.side, frame.side);
  paintValues(frame.focusPlane, image.data, discretize);
  context.putImageData(image, 0, 0);
}

/** @param {Run} run @param {number} layer @param {number} i */
function sourceName(run, layer, i) {
  if (layer > 1) return t("unit_short", { layer: n(layer - 1), unit: n(i + 1) });
  if (!run.is_plane) return run.axes[i];
  return FEATURE_SIGNS[FEATURES.indexOf(run.settings.features[i])];
}
