// The large picture with its points, legend, switches and reading under the pointer; the loss curve.

import { Chart } from "./chart.js";
import { $ } from "./desk.js";
import { readPoints } from "./frame.js";
import { Heatmap, drawLegend } from "./heatmap.js";
import { n, t } from "./i18n.js";
import { buildPlane, refreshPlane } from "./plane.js";
import { scoreText } from "./scores.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Part} Part */
/** @typedef {import("./types.js").Run} Run */

/**
 * @param {Desk} desk @param {import("./network.js").NetworkView} network
 * @returns {Part & {heatmap: Heatmap, chart: Chart}}
 */
export function result(desk, network) {
  const heatmap = new Heatmap($("heat"), $("dots"));
  const chart = new Chart($("chart"), $("chart-text"));
  $("show_test").onchange = () => desk.state.set({ show_test: $("show_test").checked });
  $("discretize").onchange = () => desk.state.set({ discretize: $("discretize").checked });
  probe(desk, heatmap);

  /** What the large picture shows now. */
  function shown() {
    if (desk.run?.image) return t("output_of_images");
    if (!desk.frame || desk.frame.focus < 0) return t("output_of_network");
    const place = network.places.find((one) => one.layer > 0 && one.index === desk.frame?.focus);
    return place ? network.unitName(place.layer, place.unit) : "";
  }

  return {
    heatmap,
    chart,
    binary: {
      CRD1(data) {
        heatmap.points = readPoints(data);
        heatmap.drawPoints();
      },
    },
    begin(run) {
      heatmap.run = run;
      drawLegend($("legend"), run, run.kind !== "classes");
      buildPlane($("plane"), run, desk.state);
    },
    taken(moved) {
      if (moved) heatmap.drawPoints();
      refreshPlane($("plane"), desk.state);
    },
    show(frame) {
      if (!desk.run?.image) heatmap.draw(frame);
      chart.show(frame.curve);
      const name = shown();
      $("shown").textContent = name;
      const score = scoreText(/** @type {Run} */ (desk.run), frame.scores[1]);
      $("heat").setAttribute("aria-label", `${name}. ${t("heat_label", { score })}`);
    },
    dress() {
      const { show_test: test, discretize } = desk.state.values;
      $("show_test").checked = heatmap.showTest = test;
      $("discretize").checked = heatmap.discretize = discretize;
    },
    redraw() {
      if (desk.run) drawLegend($("legend"), desk.run, desk.run.kind !== "classes");
      heatmap.redraw();
      chart.draw();
    },
  };
}

/** What the picture says under the pointer. @param {Desk} desk @param {Heatmap} heatmap */
function probe(desk, heatmap) {
  $("heat").addEventListener("pointerleave", (/** @type {PointerEvent} */ event) => {
    if (event.pointerType !== "touch") $("probe").hidden = true; // a finger leaves with every tap
  });
  for (const kind of ["pointerdown", "pointermove"]) {
    $("heat").addEventListener(kind, (/** @type {PointerEvent} */ event) => {
      const size = $("heat").clientWidth;
      const found = heatmap.valueAt(event.offsetX / size, event.offsetY / size);
      if (!found || !desk.run) return;
      const label = $("probe");
      label.hidden = false;
      label.textContent = found.label >= 0 ? desk.run.classes[found.label] : n(found.value, 2);
      label.style.left = `${Math.min(event.offsetX + 12, size - 70)}px`;
      label.style.top = `${Math.max(0, event.offsetY - 28)}px`;
    });
  }
}
