// The network to look at and to edit: units, their cards, inputs switched on and off.

import { openCard, paintCard } from "./card.js";
import { $ } from "./desk.js";
import { t, whole } from "./i18n.js";
import { addLayerHead, layerHead } from "./layers.js";
import { FEATURES } from "./names.js";
import { NetworkView } from "./network.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Part} Part */
/** @typedef {import("./types.js").Run} Run */

/** @param {Desk} desk @returns {Part & {network: NetworkView}} */
export function editing(desk) {
  const { state } = desk;
  const network = new NetworkView($("stage"), $("wires"), $("nodes"), {
    look: (unit) => $("card").open || look(unit),
    open: openUnit,
    toggle: toggleFeature,
    write: () => $("slate").focus(),
    draw: drawColumn,
    layer: (index) => layerHead(index, state, /** @type {Run} */ (desk.run)),
    addLayer: () => addLayerHead(state, /** @type {Run} */ (desk.run)),
  });
  $("card").onclose = () => look(null);

  /** @param {number|null} unit */
  function look(unit) {
    if (!desk.run?.image) desk.send({ type: "look", unit });
  }

  /** @param {number} layer @param {number} unit @param {number} [from] */
  function openUnit(layer, unit, from) {
    if (!desk.run || !desk.frame) return;
    const place = network.places.find((one) => one.layer === layer && one.unit === unit);
    const which = { layer, unit, from, index: place?.index ?? 0, title: network.unitName(layer, unit) };
    look(which.index);
    openCard($("card"), desk.run, desk.frame, which, (parameter, index, value) => {
      desk.send({ type: "edit", parameter, index, value });
    });
  }

  /** @param {string} feature */
  function toggleFeature(feature) {
    const chosen = new Set(state.values.features);
    if (!chosen.delete(feature)) chosen.add(feature);
    if (chosen.size) state.set({ features: FEATURES.filter((one) => chosen.has(one)) });
    else desk.notify(t("one_feature"));
  }

  /** Of points with many columns: draw this one across, and up what was across. @param {number} column */
  function drawColumn(column) {
    if (column !== state.values.across) state.set({ across: column, up: state.values.across });
  }

  /** @param {Run} run */
  function summarize(run) {
    const count = run.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const places = { sizes: run.sizes.map(whole).join(" – "), count: whole(count), learnt: whole(run.learnt), tests: whole(run.tests) };
    $("summary").textContent = t(run.image ? "summary_images" : "summary", places);
  }

  return {
    network,
    begin(run) {
      network.show(run);
      summarize(run);
    },
    taken: (moved) => moved && network.restyle(),
    show(frame) {
      network.draw(frame);
      paintCard($("card"), /** @type {Run} */ (desk.run), frame, state.values.discretize);
    },
    dress: () => void (network.discretize = state.values.discretize),
    redraw() {
      if (!desk.run) return;
      network.restyle();
      summarize(desk.run);
    },
  };
}
