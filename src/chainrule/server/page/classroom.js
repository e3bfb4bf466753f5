// The lessons to choose from, a teacher's own file among them, and what of them has been done.

import { $ } from "./desk.js";
import { LessonPanel, said } from "./lesson.js";
import { t, whole } from "./i18n.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Lesson} Lesson */

const OWN = "own";
const NONE = "none";

/**
 * @param {Desk} desk @param {boolean} addressed whether the address says anything about learning
 * @returns {import("./types.js").Part & {take: (file: File) => void}}
 */
export function classroom(desk, addressed) {
  const room = new Classroom(desk);
  let begins = !addressed && desk.state.values.lesson !== desk.state.start.lesson;
  $("lessons-open").onclick = () => room.choose();
  return {
    take: (file) => room.take(file),
    messages: {
      welcome: (message) => {
        room.load(begins && !message.resumed);
        begins = false;
      },
      inside: (message) => room.measured(() => room.panel.stepped(message)),
      explained: (message) => room.measured(() => room.panel.explained(message)),
    },
    status: (status) => status.inside || room.panel.left(),
    show: () => room.measured(),
    redraw: () => room.refresh(),
  };
}

class Classroom {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.dialog = /** @type {HTMLDialogElement} */ ($("lessons"));
    /** @type {Lesson[]} */
    this.lessons = [];
    /** @type {Lesson|null} */
    this.own = null;
    this.panel = new LessonPanel($("lesson"), {
      go: (step) => this.enter(this.desk.state.values.lesson, step),
      leave: () => this.leave(),
      next: () => this.enter(this.following()?.id ?? NONE, 0),
      done: (lesson, step) => this.mark(lesson, step),
      isDone: (lesson, step) => !lesson.steps[step].goal.length || this.marked(lesson).includes(step),
      following: () => this.following(),
    });
  }

  /** Loads the lessons and shows the one of the state; `begins`: from its first settings. @param {boolean} begins */
  async load(begins) {
    const answer = await this.desk.connection?.request("api/lessons");
    if (!answer?.ok) return;
    ({ lessons: this.lessons, own: this.own } = await answer.json());
    const { lesson, lesson_step: step } = this.desk.state.values;
    if (this.current() === null && lesson !== NONE) this.leave();
    else if (begins && this.current()) this.enter(lesson, step);
    else this.refresh();
  }

  /** What counts for the goal has changed. @param {() => void} [change] */
  measured(change) {
    change?.();
    if (this.desk.run) this.panel.measure(this.desk.run, this.desk.state.values, this.desk.frame);
  }

  current() {
    const name = this.desk.state.values.lesson;
    return name === OWN ? this.own : (this.lessons.find((one) => one.id === name) ?? null);
  }

  /** The lesson that comes after the one shown. */
  following() {
    const at = this.lessons.findIndex((one) => one.id === this.desk.state.values.lesson);
    return at < 0 ? null : (this.lessons[at + 1] ?? null);
  }

  /** To a step of a lesson; one with settings brings the page there, from the start. @param {string} name @param {number} step */
  enter(name, step) {
    const lesson = name === OWN ? this.own : this.lessons.find((one) => one.id === name);
    if (!lesson) return;
    const at = Math.max(0, Math.min(step, lesson.steps.length - 1));
    const settings = lesson.steps[at].settings;
    const looks = at === 0 || settings ? lesson.page : {};
    const stale = settings ? (this.desk.run?.run ?? 0) : -1;
    if (settings) this.desk.send({ type: "leave" });
    this.desk.state.set({ lesson: name, lesson_step: at, ...looks, ...settings });
    if (settings) this.desk.send({ type: "reset" });
    this.panel.show(lesson, at, stale);
    this.measured();
    this.focus();
  }

  focus() {
    const heading = /** @type {HTMLElement|null} */ (this.panel.panel.querySelector("[data-lesson=heading]"));
    heading?.focus({ preventScroll: true });
    this.panel.panel.scrollIntoView({ block: "nearest" });
  }

  leave() {
    const hide = this.current()?.page.hide.length ? [] : this.desk.state.values.hide;
    this.desk.state.set({ lesson: NONE, lesson_step: 0, hide });
    this.panel.show(null, 0);
  }

  /** The panel in line with the state, without touching the run. */
  refresh() {
    this.panel.show(this.current(), this.desk.state.values.lesson_step, this.panel.staleRun);
    this.measured();
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
    const answer = await this.desk.connection?.request("api/lesson", { method: "POST", body: await file.arrayBuffer() });
    const told = await answer?.json().catch(() => ({ error: answer.statusText }));
    if (!answer?.ok) {
      this.desk.notify(t("refused"), told?.error);
      return;
    }
    this.desk.notify("");
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
