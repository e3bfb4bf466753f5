// Language, colours, hidden parts, and the controls that the table makes.

import { useScheme } from "./colours.js";
import { POINT_FIELDS, TRAINING_FIELDS, buildFields, refreshFields, showFields } from "./controls.js";
import { chooseDataset, missing } from "./datasets.js";
import { $ } from "./desk.js";
import { buildGallery } from "./gallery.js";
import { t, useLanguage } from "./i18n.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Part} Part */

const LOOKS = ["language", "theme", "show_test", "discretize", "hide"];
const page = document.body;

/** @param {Desk} desk @returns {Part} */
export function looks(desk) {
  const { state } = desk;
  $("regenerate").onclick = () => state.set({ data_seed: (state.values.data_seed + 1) % 2147483647 });
  $("theme").onclick = () => state.set({ theme: document.documentElement.dataset.scheme === "dark" ? "light" : "dark" });
  $("language").onclick = () => state.set({ language: state.values.language === "fa" ? "en" : "fa" });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    dress(desk);
    desk.redraw();
  });
  state.listeners.push((names) => {
    if (LOOKS.some((name) => names.has(name))) {
      dress(desk);
      desk.redraw();
    }
    showFields(state.values, desk.run, page);
  });
  return {
    begin: () => dressControls(desk),
    taken() {
      refreshFields(page, state);
      showFields(state.values, desk.run, page);
    },
  };
}

/** Everything as the state says. @param {Desk} desk */
export function dress(desk) {
  const { language, theme } = desk.state.values;
  useLanguage(language);
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.scheme = dark ? "dark" : "light";
  useScheme(dark);
  $("language").textContent = language === "fa" ? "English" : "فارسی";
  $("language").lang = language === "fa" ? "en" : "fa";
  dressControls(desk);
  for (const part of desk.parts) part.dress?.();
}

/** @param {Desk} desk */
function dressControls({ state, run }) {
  const names = state.rows.get("dataset")?.choices ?? [];
  const choosable = names.filter((/** @type {string} */ name) => name !== "own" || run?.own);
  const gone = missing(state);
  buildGallery($("datasets"), choosable, state.values.dataset, (name) => chooseDataset(state, name), gone);
  $("missing").hidden = !gone.length;
  $("missing").textContent = gone.map((name) => t(`missing_${name}`)).join(" ");
  const active = document.activeElement?.getAttribute("data-setting");
  if (!active) {
    buildFields($("point-controls"), POINT_FIELDS, state);
    buildFields($("training-controls"), TRAINING_FIELDS, state);
  }
  for (const element of page.querySelectorAll("[data-control]")) {
    element.classList.toggle("put-away", state.values.hide.includes(/** @type {HTMLElement} */ (element).dataset.control));
  }
  showFields(state.values, run, page);
}
