// Which two columns of many the pictures are drawn over; the others stand at their medians.

import { t } from "./i18n.js";

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./state.js").State} State */

/** @param {HTMLElement} box @param {Run} run @param {State} state */
export function buildPlane(box, run, state) {
  box.hidden = run.is_plane || run.image !== null;
  box.replaceChildren();
  if (box.hidden) return;
  for (const [name, text] of [["across", "own_x1"], ["up", "own_x2"]]) {
    const label = document.createElement("label");
    label.className = "field";
    const pick = document.createElement("select");
    pick.dataset.plane = name;
    for (const [i, axis] of run.axes.entries()) pick.append(new Option(axis, String(i)));
    pick.value = String(state.values[name]);
    pick.onchange = () => state.set({ [name]: Number(pick.value) });
    label.append(t(text), pick);
    box.append(label);
  }
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = t("plane_hint");
  box.append(hint);
}

/** Brings the two choices in line with the state. @param {HTMLElement} box @param {State} state */
export function refreshPlane(box, state) {
  for (const pick of box.querySelectorAll("select")) pick.value = String(state.values[pick.dataset.plane ?? ""]);
}
