// The keys of the page, listed by `?` or the button, from wherever the focus is but in fields.
const FIELDS = "input, textarea, select, [contenteditable=true]";

const running = new WeakMap(); // what ends the listeners of an earlier run

export default function ({ data, parentElement }) {
  const dialog = parentElement.querySelector("dialog");
  const list = parentElement.querySelector("dl");
  const close = () => dialog.close();
  const show = () => (dialog.open ? close() : dialog.showModal());
  list.replaceChildren(...data.keys.flatMap(([keys, what]) => [term(keys), description(what)]));
  parentElement.querySelector(".open").onclick = show;
  parentElement.querySelector(".close").onclick = close;
  running.get(dialog)?.abort();
  const end = new AbortController();
  running.set(dialog, end);
  const onKey = (event) => {
    if (event.key !== "?" || event.composedPath()[0].closest?.(FIELDS)) return;
    event.preventDefault();
    show();
  };
  document.addEventListener("keydown", onKey, { signal: end.signal });
  window.addEventListener("spheroscope:keys", show, { signal: end.signal });
  mendNavigation();
  return () => end.abort();
}

// Streamlit's navigation is a list with other things than items in it, which no screen reader can count.
function mendNavigation() {
  const list = document.querySelector("ul[data-testid=stSidebarNavItems]");
  if (list) [list, ...list.querySelectorAll("li, ul")].forEach((item) => item.setAttribute("role", "none"));
}

function term(keys) {
  const made = document.createElement("dt");
  keys.split(" ").forEach((name, place) => {
    const key = document.createElement("kbd");
    key.textContent = name;
    made.append(place ? " " : "", key);
  });
  return made;
}

function description(text) {
  const made = document.createElement("dd");
  made.textContent = text;
  return made;
}
