// What a reviewer says of the image on the page: buttons, keys, and the reasons to exclude. Each verdict names the
// image that was seen, so one that comes twice, or too late, says nothing of the next.

const FIELDS = "input, textarea, select, [contenteditable='true'], [role=slider], [role=combobox], [role=listbox]";
const KEYS = { Enter: "right", e: "correct", x: "exclude", u: "unsure", Backspace: "undo", z: "undo" };
const LONGEST_LOOK = 120; // seconds; who takes longer has been elsewhere
const desks = new WeakMap();

class Desk {
  constructor(root) {
    this.root = root;
    this.menu = root.querySelector(".menu");
    this.buttons = [...root.querySelectorAll("[data-verdict]")];
    for (const button of this.buttons) {
      button.addEventListener("click", () => this.act(button.dataset.verdict));
    }
    this.menu.addEventListener("keydown", (event) => this.onMenuKey(event));
    this.menu.addEventListener("focusout", () => this.toggleMenu(false));
    const onKey = (event) => this.onKey(event);
    window.addEventListener("keydown", onKey);
    this.close = () => window.removeEventListener("keydown", onKey);
    // The button that led here is about to go; while it has the focus, Enter would press it once more.
    if (document.activeElement?.matches("button:not(:focus-visible)")) document.activeElement.blur();
  }

  update(component) {
    this.component = component;
    const { data } = component;
    if (data.turn === this.data?.turn) return;
    this.data = data;
    this.since = performance.now();
    this.busy = false;
    this.toggleMenu(false);
    this.draw();
    for (const address of data.ahead) new Image().src = address; // the next picture, into the browser's cache
  }

  draw() {
    const { image, reasons, done, total, left, undo } = this.data;
    this.root.querySelector("h2").textContent = image.name;
    this.root.querySelector(".found").textContent = image.found;
    this.root.querySelector(".left").textContent = left;
    this.root.querySelector("ul").replaceChildren(...reasons.map(({ text, kind }) => line(text, kind)));
    const bar = this.root.querySelector(".progress");
    bar.setAttribute("aria-valuemax", total);
    bar.setAttribute("aria-valuenow", done);
    bar.firstElementChild.style.width = `${(100 * done) / Math.max(1, total)}%`;
    this.root.querySelector(".main span").textContent = image.right;
    for (const button of this.buttons) {
      button.disabled = this.busy || (button.dataset.verdict === "undo" && !undo);
    }
    this.menu.replaceChildren(...this.data.exclusions.map((reason, place) => this.item(reason, place)));
    this.pointAt(0);
  }

  item(reason, place) {
    const made = document.createElement("button");
    made.type = "button";
    made.tabIndex = -1;
    made.id = `reason-${place}`;
    made.setAttribute("role", "menuitem");
    made.append(reason, key(place + 1));
    // The menu keeps the focus, or it would close before the click arrives.
    made.addEventListener("pointerdown", (event) => event.preventDefault());
    made.addEventListener("click", () => this.say("excluded", reason));
    return made;
  }

  act(verdict) {
    if (this.busy || (verdict === "undo" && !this.data.undo)) return;
    if (verdict === "exclude") this.toggleMenu(this.menu.hidden);
    else this.say(verdict);
  }

  say(state, reason = "") {
    if (this.busy) return;
    this.busy = true;
    this.toggleMenu(false);
    for (const button of this.buttons) button.disabled = true;
    const seconds = Math.min(LONGEST_LOOK, (performance.now() - this.since) / 1000);
    const { id, version } = this.data.image;
    this.component.setTriggerValue("action", { image: id, version, state, reason, seconds });
  }

  toggleMenu(open) {
    if (open === !this.menu.hidden) return;
    this.menu.hidden = !open;
    this.root.querySelector("[aria-haspopup]").setAttribute("aria-expanded", String(open));
    if (open) this.menu.focus();
    else this.menu.blur();
  }

  pointAt(place) {
    const items = [...this.menu.children];
    this.place = (place + items.length) % items.length;
    items.forEach((item, at) => item.classList.toggle("active", at === this.place));
    this.menu.setAttribute("aria-activedescendant", `reason-${this.place}`);
  }

  onMenuKey(event) {
    const keys = {
      ArrowDown: () => this.pointAt(this.place + 1),
      ArrowUp: () => this.pointAt(this.place - 1),
      Enter: () => this.menu.children[this.place].click(),
      Escape: () => this.toggleMenu(false),
      x: () => this.toggleMenu(false),
    };
    const numbered = this.menu.children[Number(event.key) - 1];
    const run = numbered ? () => numbered.click() : keys[event.key];
    event.stopPropagation(); // no key says anything else while a reason is chosen
    if (!run) return;
    event.preventDefault();
    run();
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const verdict = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const focused = event.composedPath()[0];
    if (!verdict || document.querySelector("[role=dialog]") || focused.matches?.(FIELDS)) return;
    // Who came to a button by the keyboard presses it with Enter; who clicked one is through with it.
    if (verdict === "right" && focused.matches?.("a, button, [role=button], tr") && focused.matches(":focus-visible")) return;
    event.preventDefault();
    this.act(verdict);
  }
}

function line(text, kind) {
  const made = document.createElement("li");
  made.className = kind;
  made.textContent = text;
  return made;
}

function key(name) {
  const made = document.createElement("kbd");
  made.textContent = name;
  return made;
}

export default function (component) {
  const root = component.parentElement.querySelector(".review");
  if (!desks.has(root)) desks.set(root, new Desk(root));
  const desk = desks.get(root);
  desk.update(component);
  return () => {
    // Streamlit also ends runs that a newer one has overtaken; those must not close the desk.
    if (desk.component !== component) return;
    desks.delete(root);
    desk.close();
  };
}
