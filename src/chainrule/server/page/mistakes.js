// The worst mistakes on the images to test on, a page at a time; one chosen goes on the pad.

import { $ } from "./desk.js";
import { readMistakes } from "./frame.js";
import { n, percent, t, whole } from "./i18n.js";
import { className, outputText, paintPixels } from "./images.js";
import { button, element } from "./make.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Mistakes} Mistakes */
/** @typedef {import("./types.js").Run} Run */

const PAGE = 24; // as the server's

/** @param {HTMLElement} box @param {Desk} desk @returns {import("./types.js").Panel} */
export function mistakes(box, desk) {
  /** @type {Mistakes|null} */
  let given = null;
  /** The place that is reached by Tab, and whether it is to be taken up when the next page comes. */
  let at = 0;
  let turning = false;
  const text = element("p", { class: "told-once", "data-mistakes": "text" });
  const list = element("div", { class: "mistake-list", role: "group" });
  const back = button("mistakes_back", () => turn(-1));
  const on = button("mistakes_on", () => turn(1));
  const range = element("span", { class: "hint", "data-mistakes": "range" });
  const hint = element("p", { class: "hint" });
  box.append(text, list, element("div", { class: "turns" }, back, range, on), hint);
  list.onkeydown = (event) => key(event);

  /** @param {number} by pages */
  function turn(by) {
    if (!given) return;
    const first = given.first + by * PAGE;
    if (first >= 0 && first < given.wrong) desk.send({ type: "mistakes", first });
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
    const sign = document.documentElement.dir === "rtl" ? -1 : 1;
    const step = { ArrowRight: sign, ArrowLeft: -sign, ArrowDown: columns, ArrowUp: -columns, Home: -PAGE, End: PAGE }[event.key];
    const page = { PageDown: 1, PageUp: -1 }[event.key];
    if (!given || (!step && !page)) return;
    event.preventDefault();
    event.stopPropagation();
    const count = given.items.length;
    const wanted = at + (step ?? 0);
    const over = Math.abs(step ?? 0) < PAGE ? (wanted >= count ? 1 : wanted < 0 ? -1 : 0) : 0;
    const by = page ?? over;
    const first = given.first + by * PAGE;
    if (by && first >= 0 && first < given.wrong) {
      turning = true;
      at = over ? (over > 0 ? 0 : PAGE - 1) : at;
      turn(by);
    } else focus(Math.max(0, Math.min(count - 1, wanted)));
  }

  /** @param {number} place */
  function focus(place) {
    at = place;
    for (const [i, one] of [...list.children].entries()) /** @type {HTMLElement} */ (one).tabIndex = i === at ? 0 : -1;
    /** @type {HTMLElement|undefined} */ (list.children[at])?.focus();
  }

  function render() {
    const run = desk.run;
    for (const [one, name] of /** @type {[HTMLElement, string][]} */ ([[back, "mistakes_back"], [on, "mistakes_on"], [hint, "mistakes_hint"]])) one.textContent = t(name);
    list.setAttribute("aria-label", t("panel_mistakes"));
    if (!given || !run) {
      text.textContent = t("surface_waiting");
      list.replaceChildren();
      range.textContent = "";
      back.disabled = on.disabled = true;
      return;
    }
    const { wrong, tests, first, items } = given;
    text.textContent = t("mistakes_text", { epoch: n(given.epochs), wrong: whole(wrong), tests: whole(tests), score: percent(1 - wrong / tests), loss: n(given.loss) });
    range.textContent = wrong ? t("mistakes_range", { from: whole(first + 1), to: whole(first + items.length), of: whole(wrong) }) : t("mistakes_none");
    back.disabled = first === 0;
    on.disabled = first + items.length >= wrong;
    fill(run, given);
  }

  /** @param {Run} run @param {Mistakes} page */
  function fill(run, { items, width }) {
    while (list.children.length > items.length) list.lastElementChild?.remove();
    while (list.children.length < items.length) {
      list.append(element("button", { class: "mistake" }, element("canvas", { "aria-hidden": "true" }), element("span", {}, element("b"), element("span", { class: "hint" }))));
    }
    at = Math.min(at, Math.max(0, items.length - 1));
    for (const [i, item] of items.entries()) {
      const one = /** @type {HTMLButtonElement} */ (list.children[i]);
      const [truth, answer] = [className(run, item.truth), className(run, item.predicted)];
      const output = outputText(run, item.output);
      one.dataset.row = String(item.row);
      one.tabIndex = i === at ? 0 : -1;
      one.onclick = () => choose(i);
      paintPixels(/** @type {HTMLCanvasElement} */ (one.firstElementChild), Float32Array.from(item.pixels, (byte) => byte / 255), width);
      const [title, number] = one.lastElementChild?.children ?? [];
      title.textContent = t("mistake", { truth, answer });
      number.textContent = output;
      const places = { row: whole(item.row), truth, answer, output, ofTruth: outputText(run, item.ofTruth), loss: n(item.loss) };
      one.title = t("mistake_label", places);
    }
    if (turning) {
      turning = false;
      focus(Math.min(at, items.length - 1));
    }
  }

  /** @param {number} i */
  function choose(i) {
    at = i;
    if (given) desk.send({ type: "pick", row: given.items[i].row });
    $("writing").scrollIntoView({ block: "nearest" });
  }

  return {
    open: render,
    close: () => void (given = null),
    begin() {
      given = null;
      at = 0;
      if (!box.hidden) render();
    },
    binary: {
      CRM1(data) {
        const came = readMistakes(data);
        if (box.hidden || came.run !== desk.run?.run) return;
        given = came;
        render();
      },
    },
    redraw: () => void (box.hidden || render()),
  };
}
