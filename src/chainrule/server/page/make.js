// Elements made in one line, for the panels.

import { t } from "./i18n.js";

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, string>} [attributes] @param {...Node} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A button with the text of that name. @param {string} key @param {() => void} act */
export function button(key, act) {
  const made = element("button", { type: "button", "data-act": key.replace(/^[^_]*_/, "") });
  made.textContent = t(key);
  made.onclick = act;
  return made;
}

/** A control under its name. @param {string} name @param {HTMLElement} control */
export function field(name, control) {
  const text = element("span");
  text.textContent = name;
  return element("label", { class: "field" }, element("span", { class: "top" }, text), control);
}
