// The lesson beside the desk: its text, its goal as far as it is met, the way through its steps.
// Texts of a lesson are somebody's: they become text of the page and nothing else.

import { inState, isMet, now, wanted } from "./goals.js";
import { languageNow, t, whole } from "./i18n.js";

/** @typedef {import("./types.js").Lesson} Lesson */
/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Inside} Inside */

export class LessonPanel {
  /**
   * @param {HTMLElement} panel
   * @param {{go: (step: number) => void, leave: () => void, next: () => void,
   *   done: (lesson: Lesson, step: number) => void, isDone: (lesson: Lesson, step: number) => boolean,
   *   following: (lesson: Lesson) => Lesson|null}} actions
   */
  constructor(panel, actions) {
    this.panel = panel;
    this.actions = actions;
    /** @type {Lesson|null} */
    this.lesson = null;
    this.step = 0;
    this.past = fresh();
    /** Frames of this run and of those before it say nothing about the step. */
    this.staleRun = -1;
    this.phase = "";
    this.seen = "";
  }

  /** @param {Lesson|null} lesson @param {number} step @param {number} staleRun */
  show(lesson, step, staleRun = -1) {
    const isSame = lesson === this.lesson && step === this.step;
    this.lesson = lesson;
    this.step = lesson ? Math.min(step, lesson.steps.length - 1) : 0;
    this.panel.hidden = lesson === null;
    document.body.classList.toggle("teaching", lesson !== null);
    if (!isSame) this.past = fresh();
    this.staleRun = staleRun;
    this.render();
  }

  /** What Step inside shows now counts for goals about it. @param {Inside} inside */
  stepped(inside) {
    const { position, forward, last, phase } = inside;
    if (this.phase === "update" && position === 0) this.past.updates += 1; // the next mini-batch
    this.phase = phase;
    this.past.forward = Math.max(this.past.forward, Math.min(1, position / forward));
    this.past.backward = Math.max(this.past.backward, Math.min(1, (position - forward) / (last - 1 - forward)));
  }

  /** @param {import("./types.js").Explained} explained */
  explained(explained) {
    if (explained.relative_error < 1e-4) this.past.checked += 1;
  }

  /** Step inside was left. */
  left() {
    this.phase = "";
  }

  /** The goal, measured anew. @param {Run} run @param {Record<string, any>} settings @param {Frame|null} frame */
  measure(run, settings, frame) {
    const step = this.lesson?.steps[this.step];
    if (!this.lesson || !step || !frame || run.run <= this.staleRun || frame.run !== run.run) return;
    this.past.mostDead = Math.max(this.past.mostDead, inState(frame.states, 1));
    const facts = { run, settings, frame, past: this.past };
    const met = step.goal.map((condition) => isMet(condition, facts));
    const isDone = this.actions.isDone(this.lesson, this.step);
    if (!isDone && met.every(Boolean)) {
      this.actions.done(this.lesson, this.step);
      this.render();
    }
    for (const [i, condition] of step.goal.entries()) {
      const item = this.panel.querySelectorAll(".goal li")[i];
      if (!item) continue;
      item.classList.toggle("met", met[i]);
      const [mark, text, value] = item.children;
      mark.textContent = met[i] ? "✓" : "○";
      text.textContent = wanted(condition, run.kind === "value");
      value.textContent = t("goal_now", { value: now(condition, facts) });
    }
  }

  render() {
    const lesson = this.lesson;
    if (!lesson) {
      this.panel.replaceChildren();
      return;
    }
    const step = lesson.steps[this.step];
    const text = element("div", { class: "said" }), aim = element("div", { class: "aim" });
    text.append(...this.texts(step));
    if (step.goal.length) aim.append(this.goal(lesson));
    aim.append(this.status(lesson), this.ways(lesson));
    const focused = this.panel.contains(document.activeElement) && document.activeElement?.getAttribute("data-lesson");
    this.panel.replaceChildren(this.head(lesson), this.progress(lesson), text, aim);
    if (focused) /** @type {HTMLElement|null} */ (this.panel.querySelector(`[data-lesson="${focused}"]`))?.focus();
  }

  /** @param {Lesson} lesson */
  head(lesson) {
    const head = element("div", { class: "headline" });
    const title = said("h2", lesson.title);
    title.id = "lesson-title";
    const close = button("leave", "×", () => this.actions.leave());
    close.className = "plain";
    close.setAttribute("aria-label", t("lesson_leave"));
    close.title = t("lesson_leave");
    head.append(title, close);
    return head;
  }

  /** One mark a step, filled where its goal has been met. @param {Lesson} lesson */
  progress(lesson) {
    const count = lesson.steps.length;
    const box = element("div", { class: "progress" });
    const marks = element("span", { class: "marks", "aria-hidden": "true" });
    for (let i = 0; i < count; i++) {
      const mark = element("i", { class: this.actions.isDone(lesson, i) ? "done" : "" });
      if (i === this.step) mark.classList.add("here");
      marks.append(mark);
    }
    box.append(marks, element("span", { class: "hint" }, t("lesson_step", { step: whole(this.step + 1), of: whole(count) })));
    return box;
  }

  /** @param {import("./types.js").LessonStep} step */
  texts(step) {
    const heading = said("h3", step.title ?? "");
    heading.tabIndex = -1;
    heading.dataset.lesson = "heading";
    heading.hidden = step.title === null;
    const parts = [heading, ...paragraphs(step.text)];
    if (step.hint === null) return parts;
    const more = element("details", { class: "more" });
    more.append(element("summary", { "data-lesson": "hint" }, t("lesson_hint")), ...paragraphs(step.hint));
    return [...parts, more];
  }

  /** @param {Lesson} lesson */
  goal(lesson) {
    const box = element("div", { class: "goal" });
    box.append(element("h3", {}, t("lesson_goal")));
    const list = element("ul");
    for (const _ of lesson.steps[this.step].goal) {
      const item = element("li");
      item.append(element("span", { class: "mark", "aria-hidden": "true" }, "○"), element("span"), element("span", { class: "now" }));
      list.append(item);
    }
    box.append(list);
    return box;
  }

  /** Says once, also to a screen reader, that the goal is met. @param {Lesson} lesson */
  status(lesson) {
    const box = element("p", { class: "reached", role: "status" });
    const isDone = this.actions.isDone(lesson, this.step);
    const all = lesson.steps.every((_, i) => this.actions.isDone(lesson, i));
    const text = all && this.step === lesson.steps.length - 1 ? t("lesson_all_done") : isDone && lesson.steps[this.step].goal.length ? t("lesson_reached") : "";
    box.hidden = !text;
    if (text === this.seen) box.textContent = text;
    else setTimeout(() => (box.textContent = text)); // said when it changes, not when it is built
    this.seen = text;
    return box;
  }

  /** @param {Lesson} lesson */
  ways(lesson) {
    const box = element("div", { class: "ways" });
    const isLast = this.step === lesson.steps.length - 1;
    const isDone = this.actions.isDone(lesson, this.step);
    const back = button("back", t("previous"), () => this.actions.go(this.step - 1));
    back.disabled = this.step === 0;
    box.append(back);
    const again = lesson.steps[this.step].settings;
    if (again) box.append(button("again", t("lesson_again"), () => this.actions.go(this.step)));
    const following = isLast ? this.actions.following(lesson) : null;
    let next = null;
    if (!isLast) next = button("next", t(isDone ? "next" : "lesson_skip"), () => this.actions.go(this.step + 1));
    else if (following) next = button("next", t("lesson_following"), () => this.actions.next());
    else next = button("next", t("lesson_finish"), () => this.actions.leave());
    next.classList.toggle("call", isDone);
    box.append(next);
    return box;
  }
}

function fresh() {
  return { mostDead: 0, forward: 0, backward: 0, checked: 0, updates: 0 };
}

/** A text in the page's language, or in the one there is. @param {import("./types.js").Texts} texts @returns {[string, string]} */
export function inLanguage(texts) {
  if (typeof texts === "string") return [texts, ""];
  const found = languageNow() in texts ? languageNow() : Object.keys(texts)[0];
  return [texts[found], found];
}

/** An element that says a lesson's text. @param {string} tag @param {import("./types.js").Texts} texts */
export function said(tag, texts) {
  const [text, lang] = inLanguage(texts);
  const made = element(tag, lang ? { lang, dir: lang === "fa" ? "rtl" : "ltr" } : { dir: "auto" });
  made.textContent = text;
  return made;
}

/** @param {import("./types.js").Texts} texts */
function paragraphs(texts) {
  const [text, lang] = inLanguage(texts);
  return text.split(/\n{2,}/).map((part) => said("p", lang ? { [lang]: part } : part));
}

/** @param {string} name @param {string} text @param {() => void} action */
function button(name, text, action) {
  const made = /** @type {HTMLButtonElement} */ (element("button", { "data-lesson": name }, text));
  made.onclick = action;
  return made;
}

/** @param {string} tag @param {Record<string, string>} [attributes] @param {string} [text] */
function element(tag, attributes = {}, text = "") {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}
