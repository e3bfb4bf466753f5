// Runs that learn from images: the pad and what the network says to it, in place of the plane.

import { $ } from "./desk.js";
import { readAnswer } from "./frame.js";
import { t } from "./i18n.js";
import { TEST_ROW, WRITTEN } from "./images.js";
import { showAnswers, showLayers, showSeen } from "./reading.js";
import { Slate } from "./slate.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Answer} Answer */

/**
 * @param {Desk} desk @param {import("./network.js").NetworkView} network
 * @returns {import("./types.js").Part}
 */
export function digits(desk, network) {
  const slate = new Slate((ink) => desk.send({ type: "write", ink }));
  /** @type {Answer|null} what lies on the pad */
  let answer = null;
  /** @type {Answer|null} the image that Step inside looks at */
  let inside = null;
  $("slate-clear").onclick = () => slate.clear();
  $("slate-undo").onclick = () => slate.undo();
  $("slate-next").onclick = () => desk.send({ type: "pick", row: following() });
  new ResizeObserver(() => show()).observe($("responses"));

  /** The test row after the one that lies there. */
  function following() {
    const tests = desk.run?.tests ?? 1;
    return answer?.source === TEST_ROW ? (answer.row + 1) % tests : 0;
  }

  function show() {
    const run = desk.run;
    if (!run?.image) return;
    const shown = inside ?? answer;
    showAnswers(run, shown);
    showLayers(run, shown);
    if (shown) showSeen(run, shown);
    if (inside) $("seen-text").textContent = t("seen_inside");
    $("slate-undo").disabled = !slate.strokes.length;
    network.respond(shown);
  }

  return {
    begin(run) {
      answer = inside = null;
      const isImage = Boolean(run.image);
      $("writing").hidden = !isImage;
      $("picture").hidden = isImage;
      $("regenerate").hidden = run.settings.dataset === "mnist";
      for (const [id, key] of [["network-hint", "network_hint"], ["regenerate", "regenerate"]]) {
        $(id).dataset.text = isImage ? `${key}_images` : key;
        $(id).textContent = t($(id).dataset.text);
      }
      slate.take(null);
      network.respond(null);
      show();
    },
    messages: {
      inside({ pixels }) {
        const image = desk.run?.image;
        inside = image && pixels ? { run: desk.run?.run ?? 0, source: WRITTEN, row: 0, truth: -1, predicted: -1, width: image.width, pixels: Float32Array.from(pixels), layers: [] } : null;
        show();
      },
    },
    status(status) {
      if (status.inside || !inside) return;
      inside = null;
      show();
    },
    binary: {
      CRA1(data) {
        const came = readAnswer(data);
        if (came.run !== desk.run?.run) return;
        answer = came;
        slate.take(came);
        show();
      },
    },
    redraw() {
      slate.paint();
      show();
    },
  };
}
