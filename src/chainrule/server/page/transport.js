// Playing, pausing, single epochs, starting again, stepping inside: by button and by key.

import { $ } from "./desk.js";
import { n, t, whole } from "./i18n.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Part} Part */

/** The bar's buttons and counters. @param {Desk} desk @returns {Part} */
export function transport(desk) {
  $("play").onclick = () => desk.send({ type: desk.playing ? "pause" : "play" });
  $("reset").onclick = () => desk.send({ type: "reset" });
  $("epoch").onclick = () => desk.send({ type: "step" });
  $("inside").onclick = () => desk.send($("step").hidden ? { type: "inside", position: 0, row: 0 } : { type: "leave" });
  addEventListener("keydown", key);
  return {
    status(status) {
      $("play").setAttribute("aria-pressed", String(status.playing));
      $("play").setAttribute("aria-label", t(status.playing ? "pause" : "play"));
      $("inside").setAttribute("aria-expanded", String(status.inside));
      document.body.classList.toggle("stepping", status.inside);
    },
    show(frame) {
      $("epochs").textContent = whole(frame.epochs + 1e-9);
      $("epochs").dataset.steps = String(frame.steps);
      $("rate").textContent = frame.playing && frame.epochRate ? n(frame.epochRate, 2) : "—";
      $("batches").textContent = frame.playing && frame.batchRate ? t("batches_per_second", { count: n(frame.batchRate, 2) }) : "";
      $("fingerprint").textContent = frame.fingerprint;
    },
  };
}

/** @param {KeyboardEvent} event */
function key(event) {
  const busy = /** @type {HTMLElement} */ (event.target).closest("input, select, textarea, button, summary, dialog, .step, [role=button]");
  if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " ") $("play").click();
  else if (event.key === "r") $("reset").click();
  else if (event.key === "e") $("epoch").click();
  else if (event.key === "i") $("inside").click();
  else return;
  event.preventDefault();
}
