// Runs the part of the page around this component again after something in the lab has changed, as the tables of
// the page have noticed (grid.js), at most once in a while.
const REST = 1500; // ms
const waiting = new Map(); // by the key of the component: a part that is drawn anew meanwhile goes on waiting

export default function (component) {
  const { key } = component.data;
  const changed = () => {
    if (waiting.has(key)) return;
    waiting.set(key, setTimeout(() => {
      waiting.delete(key);
      component.setTriggerValue("changed", Date.now());
    }, REST));
  };
  window.addEventListener("spheroscope:changed", changed);
  return () => window.removeEventListener("spheroscope:changed", changed);
}
