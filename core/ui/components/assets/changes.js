// Runs the part of the page around this component again after something in the lab has changed, as the tables of
// the page have noticed (grid.js), at most once in a while. Parts take turns: of two that ask in the same moment,
// Streamlit runs one.
const REST = 1500; // ms
const TURN = 400; // ms between two parts
const waiting = new Map(); // by the key of the component: a part that is drawn anew meanwhile goes on waiting
let lastTurn = 0;

export default function (component) {
  const { key } = component.data;
  const changed = () => {
    if (waiting.has(key)) return;
    const now = Date.now();
    lastTurn = Math.max(now + REST, lastTurn + TURN);
    waiting.set(key, setTimeout(() => {
      waiting.delete(key);
      component.setTriggerValue("changed", Date.now());
    }, lastTurn - now));
  };
  window.addEventListener("spheroscope:changed", changed);
  return () => window.removeEventListener("spheroscope:changed", changed);
}
