// What was chosen or typed but not sent, by place, block and action. Survives redraws; forgotten with its place.

const kept = new Map();

/** The values of a place (`message C1 123.4`, `view V1`). */
export function valuesOf(place) {
  let values = kept.get(place);
  if (!values) {
    values = new Map();
    kept.set(place, values);
  }
  return {
    get: (block, action) => values.get(`${block} ${action}`),
    set: (block, action, value) => values.set(`${block} ${action}`, value),
  };
}

/** Forgets a place. */
export function forget(place) {
  kept.delete(place);
}
