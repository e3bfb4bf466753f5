// Choosing what to learn from: images come with settings that suit them, and give back the earlier ones.

/** @typedef {import("./state.js").State} State */

/** @type {WeakMap<State, Record<string, any>>} settings that images have put aside */
const aside = new WeakMap();

/** @param {State} state @param {string} name */
export function chooseDataset(state, name) {
  const { values, images } = state;
  const start = images[name]?.start;
  if (!start) {
    state.set({ ...(values.dataset in images ? aside.get(state) : {}), dataset: name });
    return;
  }
  if (!(values.dataset in images)) {
    aside.set(state, Object.fromEntries(Object.keys(start).map((one) => [one, values[one]])));
  }
  if (name !== values.dataset) state.set({ ...start, dataset: name });
}

/** The sets whose files are not on this machine. @param {State} state @returns {string[]} */
export const missing = ({ images }) => Object.keys(images).filter((name) => !images[name].available);
