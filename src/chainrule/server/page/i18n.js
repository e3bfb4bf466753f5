// Texts by language, and numbers as that language writes them.

const LANGUAGES = ["en", "fa"];
/** @type {Record<string, Record<string, string>>} */
const texts = {};
let language = "en";

/** Loads every language once. */
export async function loadTexts() {
  await Promise.all(LANGUAGES.map(async (one) => {
    texts[one] = await (await fetch(`${one}.json`)).json();
  }));
}

/** The language in use. */
export const languageNow = () => language;

/** @param {string} to */
export function useLanguage(to) {
  language = to;
  document.documentElement.lang = to;
  document.documentElement.dir = to === "fa" ? "rtl" : "ltr";
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = t(/** @type {HTMLElement} */ (element).dataset.text ?? "");
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", t(/** @type {HTMLElement} */ (element).dataset.label ?? ""));
  }
  for (const element of document.querySelectorAll("[data-title]")) {
    element.setAttribute("title", t(/** @type {HTMLElement} */ (element).dataset.title ?? ""));
  }
}

/**
 * The text of that name, its {places} filled.
 * @param {string} key @param {Record<string, string|number>} [places]
 */
export function t(key, places = {}) {
  const text = texts[language]?.[key] ?? texts.en?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(places[name] ?? ""));
}

/** @param {string} key */
export function has(key) {
  return key in (texts[language] ?? {});
}

export const isRtl = () => document.documentElement.dir === "rtl";

/**
 * A number in the language's digits, to so many significant ones.
 * @param {number|null|string} value @param {number} [digits]
 */
export function n(value, digits = 3) {
  if (typeof value === "string") return value;
  if (value === null || Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const far = size !== 0 && (size < 1e-4 || size >= 1e7);
  const locale = language === "fa" ? "fa-IR" : "en-GB";
  return new Intl.NumberFormat(locale, far
    ? { notation: "scientific", maximumSignificantDigits: digits }
    : { maximumSignificantDigits: Math.max(digits, size >= 1 ? Math.ceil(Math.log10(size + 1)) : 0) },
  ).format(value);
}

/** @param {number} value a whole number */
export function whole(value) {
  return new Intl.NumberFormat(language === "fa" ? "fa-IR" : "en-GB", { maximumFractionDigits: 0 })
    .format(Math.floor(value));
}

/** @param {number} share */
export function percent(share) {
  if (!Number.isFinite(share)) return "—";
  return new Intl.NumberFormat(language === "fa" ? "fa-IR" : "en-GB",
    { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(share);
}
