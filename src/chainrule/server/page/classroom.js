// The lessons to choose from, a teacher's own file among them, and what of them has been done.

import { LessonPanel, said } from "./lesson.js";
import { t, whole } from "./i18n.js";

/** @typedef {import("./types.js").Lesson} Lesson */

const OWN = "own";
const NONE = "none";

export class Classroom {
  /**
   * @param {{panel: HTMLElement, dialog: HTMLDialogElement, open: HTMLElement}} parts
   * @param {import("./state.js").State} state
   * @param {import("./connection.js").Connection} connection
   * @param {{notify: (text: string, said?: string) => void, run: () => number}} page
   */
  constructor({ panel, dialog, open }, state, connection, page) {
    Object.assign(this, { dialog, state, connection, page });
    this.dialog = dialog;
    this.state = state;
    this.connection = connection;
    this.page = page;
    /** @type {Lesson[]} */
    this.lessons = [];
    /** @type {Lesson|null} */
    this.own = null;
    this.panel = new LessonPanel(panel, {
      go: (step) => this.enter(this.state.values.lesson, step),
      leave: () => this.leave(),
      next: () => this.following()?.id && this.enter(this.following()?.id ?? NONE, 0),
      done: (lesson, step) => this.mark(lesson, step),
      isDone: (lesson, step) => !lesson.steps[step].goal.length || this.marked(lesson).includes(step),
      following: () => this.following(),
    });
    open.onclick = () => this.choose();
    state.listeners.push((names) => {
      if (names.has("language") || names.has("lesson") || names.has("lesson_step")) this.refresh();
    });
  }

  /** Loads the lessons; `begins`: the address asks for one and says nothing of settings. @param {boolean} begins */
  async load(begins) {
    const answer = await this.connection.request("api/lessons");
    if (!answer.ok) return;
    ({ lessons: this.lessons, own: this.own } = await answer.json());
    if (this.current() === null && this.state.values.lesson !== NONE) this.leave();
    else if (begins && this.current()) this.enter(this.state.values.lesson, this.state.values.lesson_step);
    else this.refresh();
  }

  current() {
    const name = this.state.values.lesson;
    return name === OWN ? this.own : (this.lessons.find((one) => one.id === name) ?? null);
  }

  /** The lesson that comes after the one shown. */
  following() {
    const at = this.lessons.findIndex((one) => one.id === this.state.values.lesson);
    return at < 0 ? null : (this.lessons[at + 1] ?? null);
  }

  /** To a step of a lesson; one with settings brings the page there, from the start. @param {string} name @param {number} step */
  enter(name, step) {
    const lesson = name === OWN ? this.own : this.lessons.find((one) => one.id === name);
    if (!lesson) return;
    const at = Math.max(0, Math.min(step, lesson.steps.length - 1));
    const settings = lesson.steps[at].settings;
    const looks = at === 0 || settings ? lesson.page : {};
    const stale = settings ? this.page.run() : -1;
    if (settings) this.connection.send({ type: "leave" });
    this.state.set({ lesson: name, lesson_step: at, ...looks, ...settings });
    if (settings) this.connection.send({ type: "reset" });
    this.panel.show(lesson, at, stale);
    this.focus();
  }

  focus() {
    const heading = /** @type {HTMLElement|null} */ (this.panel.panel.querySelector("[data-lesson=heading]"));
    heading?.focus({ preventScroll: true });
    this.panel.panel.scrollIntoView({ block: "nearest" });
  }

  leave() {
    this.state.set({ lesson: NONE, lesson_step: 0, hide: this.current()?.page.hide.length ? [] : this.state.values.hide });
    this.panel.show(null, 0);
  }

  /** The panel in line with the state, without touching the run. */
  refresh() {
    const stale = this.panel.staleRun;
    this.panel.show(this.current(), this.state.values.lesson_step, stale);
  }

  choose() {
    const list = document.createElement("div");
    list.className = "list";
    list.append(...this.lessons.map((lesson) => this.entry(lesson, lesson.id)));
    if (this.own) list.append(this.entry(this.own, OWN));
    const title = document.createElement("h2");
    title.id = "lessons-title";
    title.textContent = t("lessons");
    const close = document.createElement("button");
    close.textContent = t("close");
    close.dataset.lesson = "close";
    close.onclick = () => this.dialog.close();
    const actions = document.createElement("div");
    actions.className = "actions";
    actions.append(close);
    this.dialog.replaceChildren(title, list, this.filePicker(), actions);
    if (!this.dialog.open) this.dialog.showModal();
  }

  /** @param {Lesson} lesson @param {string} name */
  entry(lesson, name) {
    const made = document.createElement("button");
    made.dataset.lesson = name;
    const done = lesson.steps.filter((one, i) => !one.goal.length || this.marked(lesson).includes(i)).length;
    const all = done === lesson.steps.length;
    const mark = document.createElement("span");
    mark.className = all ? "mark done" : "mark";
    mark.textContent = all ? t("lesson_done") : t("lesson_so_far", { done: whole(done), of: whole(lesson.steps.length) });
    const title = said("b", lesson.title);
    made.append(title, mark);
    if (lesson.summary) made.append(said("span", lesson.summary));
    made.onclick = () => {
      this.dialog.close();
      this.enter(name, 0);
    };
    return made;
  }

  filePicker() {
    const label = document.createElement("label");
    label.className = "file";
    const input = document.createElement("input");
    input.type = "file";
    input.accept = ".json,application/json";
    input.dataset.lesson = "file";
    input.onchange = () => {
      const file = input.files?.[0];
      input.value = "";
      if (file) this.take(file);
    };
    label.append(t("lesson_file"), input);
    return label;
  }

  /** A teacher's file: the server reads it, strictly. @param {File} file */
  async take(file) {
    if (this.dialog.open) this.dialog.close();
    const answer = await this.connection.request("api/lesson", { method: "POST", body: await file.arrayBuffer() });
    const told = await answer.json().catch(() => ({ error: answer.statusText }));
    if (!answer.ok) {
      this.page.notify(t("refused"), told.error);
      return;
    }
    this.page.notify("");
    this.own = told.lesson;
    this.enter(OWN, 0);
  }

  /** The steps of a lesson whose goal has been met in this browser. @param {Lesson} lesson @returns {number[]} */
  marked(lesson) {
    const steps = memory()[this.key(lesson)];
    return Array.isArray(steps) ? steps : [];
  }

  /** @param {Lesson} lesson @param {number} step */
  mark(lesson, step) {
    remember({ ...memory(), [this.key(lesson)]: [...this.marked(lesson), step] });
  }

  /** @param {Lesson} lesson */
  key(lesson) {
    return lesson === this.own ? `own ${lesson.id}` : lesson.id;
  }
}

/** @type {Record<string, number[]>} */
let remembered = {};

/** @returns {Record<string, number[]>} */
function memory() {
  try {
    const stored = JSON.parse(localStorage.getItem("lessons") ?? "{}");
    return stored && typeof stored === "object" ? stored : {};
  } catch {
    return remembered; // a page that may not store remembers until it is closed
  }
}

/** @param {Record<string, number[]>} marks */
function remember(marks) {
  remembered = marks;
  try {
    localStorage.setItem("lessons", JSON.stringify(marks));
  } catch {
    // kept above
  }
}
