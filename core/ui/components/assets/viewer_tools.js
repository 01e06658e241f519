// Tools: turn wheel, pointers, keys and buttons into changes of the model and the camera.

const ZOOM_STEP = 1.4;
const PAN_STEP = 80; // screen pixels a key press
const DRAG_FROM = 4; // screen pixels; a hand that trembles less than this has clicked

// Everything the user can do, by name; buttons and keys only name it. `report` tells Python.
function actions({ model, camera, picture, report }) {
  const move = (change) => () => {
    change();
    picture.render();
  };
  const choose = (number) => {
    model.setSelected(number);
    report.selected(number);
  };
  return {
    zoomIn: move(() => camera.zoom(ZOOM_STEP)),
    zoomOut: move(() => camera.zoom(1 / ZOOM_STEP)),
    fit: move(() => camera.fit()),
    actual: move(() => camera.zoom(1 / camera.scale)),
    pan: (dx, dy) => move(() => camera.pan(dx * PAN_STEP, dy * PAN_STEP))(),
    navigate: (step) => report.navigate(step),
    toggle: (name) => model.toggle(name),
    compare: (side) => model.compare(side),
    nextCompared: () => model.compare({ before: "both", both: "after", after: "before" }[model.compared]),
    useTool: (name) => model.setTool(name === model.tool ? null : name),
    choose,
    press: (number) => choose(number === model.selected ? null : number),
    inspect: (number) => {
      choose(number);
      camera.zoomTo(model.objects.get(number).box);
      picture.render();
    },
  };
}

// Number of the outline or row that an event happened on, or null.
function numberAt(event) {
  const found = event.target.closest?.("[data-number]");
  return found ? Number(found.dataset.number) : null;
}

// Outlines and rows answer alike: pointing ties them together, a click selects, a double click zooms.
function listenToObjects(place, model, act, isDrag = () => false) {
  place.addEventListener("pointerover", (event) => model.hover(numberAt(event)));
  place.addEventListener("pointerleave", () => model.hover(null));
  place.addEventListener("click", (event) => {
    const number = numberAt(event);
    // The second click of a double click would undo the first.
    if (number !== null && event.detail < 2 && !isDrag()) act.press(number);
  });
  place.addEventListener("mousedown", (event) => {
    if (event.detail > 1) event.preventDefault(); // a double click would mark the text under it
  });
  place.addEventListener("dblclick", (event) => {
    const number = numberAt(event);
    if (number !== null) act.inspect(number);
  });
}

// Drag with one pointer, pinch with two; mouse, pen and fingers are the same here.
class Pointers {
  constructor(picture, camera, model) {
    Object.assign(this, { picture, camera, model, stage: picture.stage });
    this.held = new Map();
    this.travelled = 0;
    this.stage.addEventListener("pointerdown", (event) => this.down(event));
    this.stage.addEventListener("pointermove", (event) => this.move(event));
    this.stage.addEventListener("pointerleave", () => picture.showCursor(null));
    for (const end of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(end, (event) => this.up(event));
    }
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  get dragged() {
    return this.travelled >= DRAG_FROM;
  }

  place(event) {
    return this.picture.placeOf(event);
  }

  // Whether a pointer moves the picture; a tool has it to itself.
  takes(event) {
    return event.button === 0 && !this.model.tool;
  }

  down(event) {
    if (!this.takes(event)) return;
    if (this.held.size === 0) this.travelled = 0;
    this.held.set(event.pointerId, this.place(event));
  }

  move(event) {
    const now = this.place(event);
    this.picture.showCursor(now);
    const before = this.held.get(event.pointerId);
    if (!before) return;
    this.travelled += Math.hypot(now.x - before.x, now.y - before.y);
    // Captured only once it is a drag: a captured click would miss the outline under it.
    if (this.dragged) this.capture(event.pointerId);
    if (this.held.size > 1) this.pinch(event.pointerId, before, now);
    else if (this.dragged) this.camera.pan(now.x - before.x, now.y - before.y);
    if (this.held.size > 1 || this.dragged) this.held.set(event.pointerId, now);
    this.picture.render();
  }

  capture(pointerId) {
    this.stage.classList.add("dragging");
    if (!this.stage.hasPointerCapture(pointerId)) this.stage.setPointerCapture(pointerId);
  }

  // The other finger is the fixed point of a pinch.
  pinch(pointerId, before, now) {
    const [, other] = [...this.held].find(([id]) => id !== pointerId);
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(now.x - other.x, now.y - other.y);
    if (was > 0) this.camera.zoom(is / was, other.x, other.y);
  }

  up(event) {
    this.held.delete(event.pointerId);
    if (this.held.size === 0) this.stage.classList.remove("dragging");
  }

  // A picture that is as small as it gets lets the wheel scroll the page.
  wheel(event) {
    if (this.model.editing && event.shiftKey) return; // that is the size of the brush
    if (event.deltaY > 0 && this.camera.atLeast && !this.model.editing) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    const { x, y } = this.place(event);
    this.camera.zoom(Math.exp(-clamp(event.deltaY * lines, -200, 200) * 0.002), x, y);
    this.picture.render();
  }
}

function listenToButtons(root, model, act) {
  root.querySelectorAll("[data-act]").forEach((button) => {
    button.addEventListener("click", () => act[button.dataset.act]());
  });
  root.querySelectorAll("[data-toggle]").forEach((button) => {
    const name = button.dataset.toggle;
    button.addEventListener("click", () => act.toggle(name));
    model.listen(() => button.setAttribute("aria-pressed", String(model.show[name])));
  });
  root.querySelectorAll("[data-tool]").forEach((button) => {
    button.addEventListener("click", () => act.useTool(button.dataset.tool));
    model.listen(() => {
      button.hidden = !model.data.canCalibrate;
      button.setAttribute("aria-pressed", String(model.tool === button.dataset.tool));
    });
  });
  listenToComparison(root.querySelector(".compared"), model, act);
}

function listenToComparison(group, model, act) {
  group.querySelectorAll("[data-compare]").forEach((button) => {
    const side = button.dataset.compare;
    button.addEventListener("click", () => act.compare(side));
    model.listen(() => {
      const { comparison } = model.data;
      group.hidden = !comparison;
      if (comparison?.[side]) button.textContent = comparison[side];
      button.setAttribute("aria-pressed", String(side === model.compared));
    });
  });
}

// What Escape ends: the tool, else the selection; it is left to the page where there is neither.
function escape(model, act) {
  if (model.tool) return () => act.useTool(model.tool);
  return model.selected === null ? undefined : () => act.choose(null);
}

// What a key does, or undefined.
function keyAction(event, model, act) {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  if (event.shiftKey && arrows[event.key]) return () => act.pan(...arrows[event.key]);
  const keys = {
    "+": act.zoomIn,
    "=": act.zoomIn,
    "-": act.zoomOut,
    0: act.fit,
    1: act.actual,
    o: () => act.toggle("outlines"),
    c: () => act.toggle("contrast"),
    n: () => act.toggle("numbers"),
    ArrowLeft: () => act.navigate(-1),
    ArrowRight: () => act.navigate(1),
    l: model.data.canCalibrate ? () => act.useTool("ruler") : undefined,
    b: model.data.comparison ? () => act.nextCompared() : undefined,
    Escape: escape(model, act),
  };
  return keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
}

const TYPED_INTO = "input, textarea, select, [contenteditable='true'], [role=slider], [role=combobox], [role=listbox]";
const MOVED_IN = `${TYPED_INTO}, [role=tab], [role=radio], [role=radiogroup], [role=menu], [role=dialog] *, iframe`;

// Keys work wherever the focus is, but where they are typed or move something else.
// They are taken before the page sees them: Streamlit has its own meaning for C.
function listenToKeys(root, model, act, editor) {
  const listener = (event) => {
    const focused = event.composedPath()[0];
    const theirs = focused instanceof Element && focused.matches(MOVED_IN);
    if (theirs || document.querySelector("[role=dialog]") || root.getClientRects().length === 0) return;
    const run = editor.keyAction(event) ?? keyAction(event, model, act);
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  };
  const released = (event) => event.key === " " && editor.releaseSpace();
  window.addEventListener("keydown", listener, true);
  window.addEventListener("keyup", released, true);
  return () => {
    window.removeEventListener("keydown", listener, true);
    window.removeEventListener("keyup", released, true);
  };
}

function listenToRows(table, act) {
  table.body.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr");
    const keys = {
      ArrowDown: () => table.step(row, true),
      ArrowUp: () => table.step(row, false),
      Enter: () => act.press(Number(row.dataset.number)),
      " ": () => act.press(Number(row.dataset.number)),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}
