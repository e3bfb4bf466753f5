// Controls made from the table: one field a setting, each tied to the state and to nothing else.

import { n, t, has } from "./i18n.js";

/** @typedef {import("./state.js").State} State */

const RANGES = new Set(["noise", "train_percent", "momentum"]);
const DICE = new Set(["seed", "data_seed"]);
export const POINT_FIELDS = ["n_classes", "noise", "train_percent", "batch_size", "data_seed"];
export const TRAINING_FIELDS = [
  "loss", "solver", "learning_rate", "momentum", "regularization", "strength", "dropout", "init",
  "seed", "speed", "stop_epoch",
];

/**
 * @param {HTMLElement} box @param {string[]} names @param {State} state
 */
export function buildFields(box, names, state) {
  box.replaceChildren(...names.map((name) => field(name, state)));
}

/** @param {string} name @param {State} state */
function field(name, state) {
  const row = state.rows.get(name);
  if (!row) throw new Error(`no setting ${name}`);
  const label = document.createElement("label");
  label.className = "field";
  label.dataset.control = name;
  const top = document.createElement("span");
  top.className = "top";
  const text = document.createElement("span");
  text.textContent = t(`setting_${name}`);
  top.append(text);
  label.append(top);
  if (row.kind === "choice") {
    label.append(select(name, row.choices, state));
  } else {
    label.append(number(name, row, state, top));
  }
  return label;
}

/** @param {string} name @param {any[]} choices @param {State} state */
function select(name, choices, state) {
  const box = document.createElement("select");
  box.dataset.setting = name;
  for (const one of choices) {
    const option = document.createElement("option");
    option.value = String(one);
    option.textContent = choiceText(name, one);
    box.append(option);
  }
  box.value = String(state.values[name]);
  box.onchange = () => state.set({ [name]: choices.find((one) => String(one) === box.value) });
  return box;
}

/** @param {string} name @param {any} value */
export function choiceText(name, value) {
  const key = `${name}_${value}`;
  if (has(key)) return t(key);
  return has(`choice_${value}`) ? t(`choice_${value}`) : typeof value === "number" ? n(value) : String(value);
}

/**
 * @param {string} name @param {import("./types.js").Setting} row @param {State} state
 * @param {HTMLElement} top
 */
function number(name, row, state, top) {
  const input = document.createElement("input");
  input.dataset.setting = name;
  input.type = RANGES.has(name) ? "range" : "number";
  input.min = String(row.least);
  input.max = String(row.most);
  input.step = row.kind === "integer" ? "1" : RANGES.has(name) ? "0.01" : "any";
  input.value = shownValue(state.values[name]);
  input.inputMode = row.kind === "integer" ? "numeric" : "decimal";
  const shown = document.createElement("b");
  if (RANGES.has(name)) {
    shown.textContent = n(state.values[name]);
    top.append(shown);
    input.oninput = () => (shown.textContent = n(input.valueAsNumber));
  }
  input.onchange = () => {
    const value = input.valueAsNumber;
    const whole = row.kind !== "integer" || Number.isInteger(value);
    if (value >= row.least && value <= row.most && whole) state.set({ [name]: value });
    else input.value = String(state.values[name]);
  };
  if (!DICE.has(name)) return input;
  const both = document.createElement("span");
  both.className = "with-button";
  const dice = document.createElement("button");
  dice.type = "button";
  dice.textContent = "⚄";
  dice.dataset.dice = name;
  dice.setAttribute("aria-label", t(`dice_${name}`));
  dice.title = t(`dice_${name}`);
  dice.onclick = () => state.set({ [name]: Math.floor(Math.random() * 1e6) });
  both.append(input, dice);
  return both;
}

/** A value as a field shows it: a number to six digits. @param {any} value */
function shownValue(value) {
  const isFraction = typeof value === "number" && !Number.isInteger(value);
  return String(isFraction ? Number(value.toPrecision(6)) : value);
}

/**
 * Which settings mean something now, given the others.
 * @param {Record<string, any>} values @param {import("./types.js").Run|null} run
 * @param {HTMLElement} page
 */
export function showFields(values, run, page) {
  const classes = run?.kind !== "value";
  const fullBatch = ["cg", "lbfgs"].includes(values.solver);
  const shown = /** @type {Record<string, boolean>} */ ({
    n_classes: ["blobs", "arms", "rings"].includes(values.dataset),
    noise: !["own", "drawn", "digits", "mnist"].includes(values.dataset),
    data_seed: values.dataset !== "mnist",
    learning_rate: !fullBatch,
    batch_size: !fullBatch,
    momentum: ["momentum", "nesterov"].includes(values.solver),
    strength: values.regularization !== "none",
    dropout: !fullBatch && !run?.is_own && values.hidden_layer_sizes.length > 0,
    init: !run?.is_own,
  });
  for (const [name, visible] of Object.entries(shown)) {
    for (const box of page.querySelectorAll(`.field[data-control="${name}"]`)) {
      /** @type {HTMLElement} */ (box).hidden = !visible || values.hide.includes(name);
    }
  }
  const allowed = classes
    ? ["cross_entropy", "one_vs_all", "squared_error"]
    : ["squared_error", "absolute_error", "huber", "quantile"];
  for (const option of page.querySelectorAll("select[data-setting=loss] option")) {
    const one = /** @type {HTMLOptionElement} */ (option);
    one.hidden = one.disabled = !allowed.includes(one.value);
  }
}

/** Brings what is shown in line with the state. @param {HTMLElement} page @param {State} state */
export function refreshFields(page, state) {
  for (const element of page.querySelectorAll("[data-setting]")) {
    const input = /** @type {HTMLInputElement} */ (element);
    const value = shownValue(state.values[input.dataset.setting ?? ""]);
    if (input.value !== value && document.activeElement !== input) input.value = value;
    const shown = input.closest(".field")?.querySelector("b");
    if (shown && input.type === "range") shown.textContent = n(input.valueAsNumber);
  }
}
