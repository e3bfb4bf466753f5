// What stands above each layer: neurons more or fewer, its activation, away with it; one more layer.

import { n, t, whole } from "./i18n.js";

/** @typedef {import("./state.js").State} State */

/** @typedef {import("./types.js").Run} Run */

/** @param {number} layer from 1 @param {State} state @param {Run} run */
export function layerHead(layer, state, run) {
  if (run.is_own) return ownHead(layer, run);
  const sizes = state.values.hidden_layer_sizes;
  const most = state.rows.get("hidden_layer_sizes")?.most ?? 1;
  const box = document.createElement("div");
  box.className = "layer";
  box.dataset.control = "layers";
  box.hidden = state.values.hide.includes("layers");
  const row = document.createElement("div");
  row.className = "row";
  const count = document.createElement("b");
  count.textContent = whole(sizes[layer - 1]);
  row.append(
    button("−", `fewer.${layer}`, t("fewer_units", { layer: n(layer) }), sizes[layer - 1] > 1, () => resize(-1)),
    count,
    button("+", `more.${layer}`, t("more_units", { layer: n(layer) }), sizes[layer - 1] < most, () => resize(1)),
  );
  const last = document.createElement("div");
  last.className = "row";
  last.append(activation(layer, state), button("×", `drop.${layer}`, t("remove_layer", { layer: n(layer) }), true, drop));
  box.append(row, last);
  return box;

  /** @param {number} by */
  function resize(by) {
    const now = state.values.hidden_layer_sizes.slice();
    now[layer - 1] = Math.max(1, Math.min(most, now[layer - 1] + by));
    state.set({ hidden_layer_sizes: now });
  }

  function drop() {
    state.set({
      hidden_layer_sizes: state.values.hidden_layer_sizes.filter((/** @type {number} */ _, /** @type {number} */ i) => i !== layer - 1),
      activations: state.values.activations.filter((/** @type {string} */ _, /** @type {number} */ i) => i !== layer - 1),
    });
  }
}

/** Above a layer that came from Python: what it is, nothing to change. @param {number} layer @param {Run} run */
function ownHead(layer, run) {
  const box = document.createElement("div");
  box.className = "layer";
  const count = document.createElement("b");
  count.textContent = whole(run.sizes[layer]);
  const name = document.createElement("bdi");
  name.textContent = run.columns[layer - 1].activation.replaceAll("_", " ");
  box.append(count, name);
  return box;
}

/** @param {number} layer @param {State} state */
function activation(layer, state) {
  const box = document.createElement("select");
  box.dataset.key = `activation.${layer}`;
  box.setAttribute("aria-label", t("activation_of", { layer: n(layer) }));
  for (const name of state.rows.get("activations")?.choices ?? []) box.append(new Option(name.replace("_", " "), name));
  box.value = state.values.activations[layer - 1];
  box.onchange = () => {
    const now = state.values.activations.slice();
    now[layer - 1] = box.value;
    state.set({ activations: now });
  };
  return box;
}

/** @param {State} state @param {Run} run */
export function addLayerHead(state, run) {
  if (run.is_own) return document.createElement("div");
  const sizes = state.values.hidden_layer_sizes;
  const row = state.rows.get("hidden_layer_sizes");
  const box = document.createElement("div");
  box.className = "layer";
  box.dataset.control = "layers";
  box.hidden = state.values.hide.includes("layers");
  const add = button("+", "add", t("add_layer"), sizes.length < (row?.longest ?? 0), () => {
    const activations = state.values.activations;
    state.set({
      hidden_layer_sizes: [...state.values.hidden_layer_sizes, 2],
      activations: [...activations, activations.at(-1) ?? "tanh"],
    });
  });
  add.textContent = t("add_layer");
  add.className = "small";
  add.style.width = "auto";
  box.append(add);
  return box;
}

/**
 * @param {string} sign @param {string} key @param {string} label @param {boolean} enabled
 * @param {() => void} action
 */
function button(sign, key, label, enabled, action) {
  const made = document.createElement("button");
  made.textContent = sign;
  made.dataset.key = key;
  made.setAttribute("aria-label", label);
  made.title = label;
  made.disabled = !enabled;
  made.onclick = action;
  return made;
}
