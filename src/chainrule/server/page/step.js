// Step inside: the panel that walks one mini-batch through the graph, node by node.

import { $ } from "./desk.js";
import { drawGraph, operationName } from "./graph.js";
import { has, n, t, whole } from "./i18n.js";

/** @typedef {import("./types.js").Inside} Inside */
/** @typedef {import("./types.js").Explained} Explained */
/** @typedef {import("./types.js").GraphNode} GraphNode */

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * @param {Desk} desk @param {import("./network.js").NetworkView} network
 * @param {import("./heatmap.js").Heatmap} heatmap @returns {import("./types.js").Part}
 */
export function stepping(desk, network, heatmap) {
  const step = new StepPanel($("step"), {
    send: (message) => desk.send(message),
    light: (parameter) => network.light(parameter),
    mark: (point) => {
      heatmap.marked = point;
      heatmap.drawPoints();
    },
  });
  return {
    messages: { inside: (message) => step.show(message), explained: (message) => step.explain(message) },
    status: (status) => status.inside || step.close(),
    redraw: () => step.inside && step.render(),
  };
}

export class StepPanel {
  /**
   * @param {HTMLElement} panel
   * @param {{send: (message: Record<string, any>) => void, light: (parameter: string|null) => void,
   *   mark: (point: number[]|null) => void}} actions
   */
  constructor(panel, actions) {
    this.panel = panel;
    this.actions = actions;
    /** @type {Inside|null} */
    this.inside = null;
    /** @type {string|null} */
    this.chosen = null;
    /** @type {Explained|null} */
    this.explained = null;
    this.width = 0;
    panel.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => {
      if (this.inside && panel.clientWidth !== this.width) this.render();
    }).observe(panel);
  }

  /** @param {Inside} inside */
  show(inside) {
    const opened = this.panel.hidden;
    if (!opened && this.inside?.position !== inside.position) this.explained = null;
    this.inside = inside;
    this.chosen = inside.current ?? this.chosen;
    this.panel.hidden = false;
    this.render();
    this.actions.mark(inside.point);
    const current = this.node(this.chosen);
    const parameter = current && [current.name, ...current.inputs].find((name) => /^W\d+$/.test(name));
    this.actions.light(parameter ?? null);
    if (opened) {
      this.panel.scrollIntoView({ block: "nearest" });
      /** @type {HTMLElement|null} */ (this.panel.querySelector("[data-act=next]"))?.focus();
    }
  }

  close() {
    if (this.panel.hidden) return;
    this.panel.hidden = true;
    this.panel.replaceChildren();
    this.inside = this.explained = this.chosen = null;
    this.actions.mark(null);
    this.actions.light(null);
  }

  /** @param {Explained} explained */
  explain(explained) {
    this.explained = explained;
    this.render();
    this.panel.querySelector(".verdict")?.scrollIntoView({ block: "nearest" });
  }

  /** @param {string|null} name */
  node(name) {
    return this.inside?.nodes.find((one) => one.name === name) ?? null;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (/** @type {HTMLElement} */ (event.target).matches("input, select") || !this.inside) return;
    if (event.key === "ArrowRight") this.move(this.inside.position + 1);
    else if (event.key === "ArrowLeft") this.move(this.inside.position - 1);
    else if (event.key === "Escape") this.actions.send({ type: "leave" });
    else return;
    event.preventDefault();
  }

  /** @param {number} position */
  move(position) {
    const last = this.inside?.last ?? 0;
    this.actions.send({ type: "inside", position: Math.max(0, Math.min(last, position)), row: null });
  }

  render() {
    const inside = /** @type {Inside} */ (this.inside);
    const focused = document.activeElement?.getAttribute("data-act");
    const earlier = this.panel.querySelector(".graph-box");
    const [left, top] = [earlier?.scrollLeft ?? 0, earlier?.scrollTop ?? 0];
    this.width = this.panel.clientWidth;
    const title = element("h2", { id: "step-title" }, t("step_inside"));
    const lesson = element("p", { class: "lesson", "aria-live": "polite" }, this.sentence());
    const graph = element("div", { class: "graph-box", tabindex: "0", role: "group", "aria-label": t("graph") });
    graph.append(drawGraph(this.width - 36, {
      inside, chosen: this.chosen, choose: (name) => this.choose(name),
      explain: (node) => this.explainFirst(node), describe: (node) => this.describe(node),
    }));
    const both = element("div", { class: "both" });
    both.append(graph, this.detail());
    this.panel.replaceChildren(title, this.tools(), lesson, both);
    graph.scrollTo({ left, top });
    this.reveal(graph);
    if (focused) /** @type {HTMLElement|null} */ (this.panel.querySelector(`[data-act="${focused}"]`))?.focus();
  }

  /** Scrolls the graph so that the node that ran is seen. @param {HTMLElement} graph */
  reveal(graph) {
    const box = /** @type {SVGGraphicsElement|null} */ (graph.querySelector(".current"));
    if (!box) return;
    const { x, y, width, height } = box.getBBox();
    if (x < graph.scrollLeft + 40) graph.scrollLeft = x - 120;
    if (x + width > graph.scrollLeft + graph.clientWidth - 40) graph.scrollLeft = x + width + 160 - graph.clientWidth;
    if (y < graph.scrollTop + 10) graph.scrollTop = y - 110;
    if (y + height > graph.scrollTop + graph.clientHeight - 60) graph.scrollTop = y + height + 110 - graph.clientHeight;
  }

  /** The numerical check of a node's first gradient, from a click on the drawing. @param {GraphNode} node */
  explainFirst(node) {
    this.choose(node.name);
    this.actions.send({ type: "explain", name: node.name, index: this.index(node, 0) });
  }

  tools() {
    const { position, last, forward, phase, rows, row } = /** @type {Inside} */ (this.inside);
    const box = element("div", { class: "tools", role: "toolbar", "aria-label": t("step_inside") });
    /** @type {[string, string, () => void, boolean][]} */
    const buttons = [
      ["previous", "previous", () => this.move(position - 1), position > 0],
      ["next", "next", () => this.move(position + 1), position < last],
      ["forward", "to_loss", () => this.move(forward), position < forward],
      ["backward", "to_update", () => this.move(last), position < last],
      ["update", "make_update", () => this.actions.send({ type: "update" }), position === last],
      ["leave", "leave", () => this.actions.send({ type: "leave" }), true],
    ];
    for (const [act, text, action, enabled] of buttons) {
      const button = /** @type {HTMLButtonElement} */ (element("button", { "data-act": act }, t(text)));
      button.disabled = !enabled;
      button.onclick = action;
      box.append(button);
    }
    const rowLabel = element("label", { class: "check" }, `${t("row_of_batch")} `);
    const picker = /** @type {HTMLSelectElement} */ (element("select", { "data-act": "row" }));
    for (let i = 0; i < Math.min(rows, 200); i++) picker.append(new Option(whole(i + 1), String(i), false, i === row));
    picker.onchange = () => this.actions.send({ type: "inside", position: null, row: Number(picker.value) });
    rowLabel.append(picker);
    const place = element("span", { class: "phase", "data-phase": phase }, t(`phase_${phase}`, { at: whole(position), of: whole(last) }));
    box.append(rowLabel, place);
    return box;
  }

  /** What happens at this position, in a sentence. */
  sentence() {
    const { position, phase, current, forward } = /** @type {Inside} */ (this.inside);
    if (position === 0) return t("lesson_start");
    if (phase === "update") return t("lesson_update");
    const node = /** @type {GraphNode} */ (this.node(current));
    const [a, b] = node.inputs.map((name) => this.node(name)?.shown ?? name);
    const said = t(`${phase}_${this.kindOf(node)}`, { name: node.shown, a, b, op: operationName(node.op ?? "") });
    if (position === forward) return `${said} ${t("lesson_loss")}`;
    return position === forward + 1 ? `${t("lesson_backward_first")} ${said}` : said;
  }

  /** What there is to say about an operation. @param {GraphNode} node */
  kindOf(node) {
    if (node.inputs.some((name) => this.node(name)?.kind === "target")) return "loss";
    if (node.op === "add" && this.node(node.inputs[1])?.kind !== "parameter") return "total";
    if (has(`forward_${node.op}`)) return node.op;
    return node.inputs.length === 1 ? "activation" : "other";
  }

  /** @param {string} name */
  choose(name) {
    this.chosen = name;
    this.explained = null;
    this.render();
    /** @type {HTMLElement|null} */ (this.panel.querySelector(`[data-node="${name}"]`))?.focus();
  }

  /** @param {GraphNode} node */
  describe(node) {
    const what = [t(`kind_${node.kind}`)];
    if (node.value) what.push(`${t("value")} ${node.value.slice(0, 3).map((v) => n(v)).join(", ")}`);
    if (node.gradient) what.push(`${t("gradient")} ${node.gradient.slice(0, 3).map((v) => n(v)).join(", ")}`);
    return what.join(". ");
  }

  detail() {
    const inside = /** @type {Inside} */ (this.inside);
    const all = element("div", { class: "details" });
    const box = element("div", { class: "explain" });
    if (inside.phase === "update" && inside.update) all.append(this.updates());
    all.append(box);
    const node = this.node(this.chosen);
    if (!node) {
      box.append(element("p", { class: "hint" }, t("choose_node")));
      return all;
    }
    box.append(element("h3", {}, `${node.shown} · ${node.op ? operationName(node.op) : t(`kind_${node.kind}`)}`));
    if (node.name === inside.current) {
      box.append(...inside.formulas.map((formula) => element("p", { class: "formula" }, formula)));
    }
    if (node.value) box.append(this.numbers(node));
    if (this.explained?.name === node.name) all.append(this.verdict(this.explained));
    else if (node.gradient) box.append(element("p", { class: "hint" }, t("click_gradient")));
    return all;
  }

  /** Every element of a node: its value, its gradient. @param {GraphNode} node */
  numbers(node) {
    const box = element("div", { class: "numbers", tabindex: "0", role: "group", "aria-label": node.name });
    const table = element("table");
    const head = element("tr");
    for (const text of ["", t("value"), `∂L/∂${node.shown}`]) head.append(element("th", { scope: "col" }, text));
    table.append(head);
    const flatValue = node.value ?? [], flatGradient = node.gradient ?? [];
    for (const [i, value] of flatValue.entries()) {
      const row = element("tr");
      const index = this.index(node, i);
      row.append(
        element("th", { scope: "row" }, index.length ? `[${index.map((one) => one + 1).join(", ")}]` : ""),
        element("td", { class: "value" }, n(value, 4)),
      );
      const cell = element("td");
      if (flatGradient.length) {
        const label = t("check_gradient_of", { name: node.name, index: index.map((one) => one + 1).join(", ") });
        const button = element("button", { "data-gradient": `${node.name}:${index.join(",")}`, "aria-label": `${label}: ${n(flatGradient[i], 4)}` }, n(flatGradient[i], 4));
        button.onclick = () => this.actions.send({ type: "explain", name: node.name, index });
        cell.append(button);
      }
      row.append(cell);
      table.append(row);
    }
    box.append(table);
    const hidden = this.count(node) - flatValue.length;
    if (hidden > 0) box.append(element("p", { class: "hint" }, t("and_more", { count: whole(hidden) })));
    return box;
  }

  /** How many numbers a node has, for one row. @param {GraphNode} node */
  count(node) {
    return node.shape.slice(node.has_rows ? 1 : 0).reduce((/** @type {number} */ size, one) => size * Number(one), 1);
  }

  /** The index of element i of what is shown: without the row. @param {GraphNode} node @param {number} i */
  index(node, i) {
    const sizes = node.shape.slice(node.has_rows ? 1 : 0).map(Number);
    if (!sizes.length) return [];
    return sizes.length === 1 ? [i] : [Math.floor(i / sizes[1]), i % sizes[1]];
  }

  /** The formula of one gradient with its numbers, and the numerical check. @param {Explained} e */
  verdict(e) {
    const box = element("div", { class: "explain" });
    for (const part of e.parts) {
      box.append(element("p", { class: "hint" }, t("through", { name: part.via })), element("p", { class: "formula" }, part.rule));
      const terms = part.terms.map(([a, b]) => `${n(a, 4)} × ${n(b, 4)}`).join("  +  ");
      box.append(element("p", { class: "terms", tabindex: "0" }, `${terms}  =  ${n(part.total, 5)}`));
    }
    if (e.parts.length > 1) {
      const sum = e.parts.map((part) => n(part.total, 4)).join("  +  ");
      box.append(element("p", { class: "terms" }, `∂L/∂${this.node(e.name)?.shown} = ${sum}  =  ${n(e.exact, 5)}`));
    }
    const agrees = e.relative_error < 1e-4;
    const verdict = element("div", { class: agrees ? "verdict" : "verdict off" });
    const list = element("dl");
    const rows = [
      ["by_chain_rule", n(e.exact, 7), "exact"], ["by_central", n(e.central, 7), "central"],
      ["by_forward", n(e.forward, 7), "forward"], ["relative_error", n(e.relative_error, 2), "error"],
    ];
    for (const [key, value, name] of rows) {
      list.append(element("dt", {}, t(key)), element("dd", { "data-check": name }, value));
    }
    verdict.append(element("p", {}, t(agrees ? "check_agrees" : "check_differs")), list);
    box.append(verdict);
    return box;
  }

  /** Every parameter before and after. */
  updates() {
    const update = /** @type {NonNullable<Inside["update"]>} */ (this.inside?.update);
    const box = element("div", { class: "numbers", tabindex: "0", role: "group", "aria-label": t("phase_update") });
    box.append(element("p", { class: "formula" }, update.rule), element("p", { class: "hint" }, t("eta_is", { rate: n(update.learning_rate) })));
    const table = element("table");
    const head = element("tr");
    for (const key of ["", "before", "gradient", "after"]) head.append(element("th", { scope: "col" }, key && t(key)));
    table.append(head);
    for (const [name, { before, gradient, after }] of Object.entries(update.parameters)) {
      for (let i = 0; i < Math.min(before.length, 64); i++) {
        const row = element("tr");
        row.append(element("th", { scope: "row" }, before.length > 1 ? `${name} ${i + 1}` : name));
        for (const value of [before[i], gradient[i], after[i]]) row.append(element("td", {}, n(value, 4)));
        table.append(row);
      }
    }
    box.append(table);
    return box;
  }
}

/** @param {string} tag @param {Record<string, string>} [attributes] @param {string} [text] */
function element(tag, attributes = {}, text = "") {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}
