// The drawer below the network: one panel at a time, opened by its button and by the address.

import { $ } from "./desk.js";
import { histograms } from "./histograms.js";
import { t } from "./i18n.js";
import { mistakes } from "./mistakes.js";
import { space } from "./space.js";
import { surface } from "./surface.js";
import { timeline } from "./timeline.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Part} Part */
/** @typedef {import("./types.js").Panel} Panel */

/**
 * The panels in the order of their buttons, each a row here, a name in `PANEL_NAMES` of state.js and
 * a text `panel_NAME`. A closed panel costs nothing: it asks the server for what it shows when it opens.
 * @type {Record<string, (box: HTMLElement, desk: Desk) => Panel>}
 */
export const PANELS = { timeline, surface, histograms, space, mistakes };

/** Whether a panel has something to show: the plane is warped of points, mistakes are shown of images. @param {string} name @param {import("./types.js").Run|null} run */
const fits = (name, run) => (name === "space" ? !run?.image : name !== "mistakes" || Boolean(run?.image));

/** @param {Desk} desk @returns {Part[]} the drawer and its panels */
export function drawer(desk) {
  const names = Object.keys(PANELS);
  /** @type {Record<string, Panel>} */
  const panels = {};
  let open = "none";
  for (const name of names) {
    const box = document.createElement("div");
    box.id = `panel-${name}`;
    box.className = `panel ${name}`;
    box.setAttribute("role", "group");
    box.hidden = true;
    $("panels").append(box);
    panels[name] = PANELS[name](box, desk);
  }
  desk.state.listeners.push((changed) => changed.has("panel") && turn());

  function buttons() {
    $("panel-buttons").replaceChildren(...names.map((name) => {
      const button = document.createElement("button");
      button.dataset.panel = name;
      button.textContent = t(`panel_${name}`);
      button.setAttribute("aria-controls", `panel-${name}`);
      button.onclick = () => desk.state.set({ panel: desk.state.values.panel === name ? "none" : name });
      $(`panel-${name}`).setAttribute("aria-label", t(`panel_${name}`));
      return button;
    }));
  }

  function turn() {
    const wanted = fits(desk.state.values.panel, desk.run) ? desk.state.values.panel : "none";
    $("drawer").hidden = !names.length || desk.state.values.hide.includes("panels");
    for (const button of $("panel-buttons").children) {
      button.setAttribute("aria-expanded", String(button.dataset.panel === wanted));
      button.hidden = !fits(button.dataset.panel, desk.run);
    }
    if (open === wanted || !desk.run) return;
    if (panels[open]) {
      panels[open].close();
      $(`panel-${open}`).hidden = true;
    }
    open = wanted;
    desk.send({ type: "watch", panel: open === "none" ? "" : open });
    if (panels[open]) {
      $(`panel-${open}`).hidden = false;
      panels[open].open();
    }
  }

  const dressed = () => {
    const focused = document.activeElement?.getAttribute("data-panel");
    buttons();
    turn();
    if (focused) $("panel-buttons").querySelector(`[data-panel="${focused}"]`)?.focus();
  };
  const began = () => {
    if (open !== "none") desk.send({ type: "watch", panel: open });
    turn();
  };
  return [{ dress: dressed, begin: began }, ...Object.values(panels)];
}
