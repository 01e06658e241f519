// Ruler: a line that is drawn over the picture, whose length in pixels is reported to Python.

const SHORTEST_PX = 3; // image pixels; a shorter line was a click
const RULER_HINT = "Draw along the scale bar, from end to end. Shift keeps the line level, Esc ends.";

class Ruler {
  constructor(picture, camera, model, report) {
    Object.assign(this, { picture, camera, model, report, line: null, drawing: false });
    this.layer = picture.root.querySelector(".ruler");
    this.hint = picture.root.querySelector(".hint");
    const { stage } = picture;
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerup", () => this.up());
    stage.addEventListener("pointercancel", () => this.clear());
    model.listen((change) => this.on(change));
    picture.listenToDrawing(() => this.draw());
  }

  get active() {
    return this.model.tool === "ruler";
  }

  on(change) {
    if (change === "image") this.clear();
    if (change !== "tool") return;
    this.hint.textContent = this.active ? RULER_HINT : "";
    this.hint.hidden = !this.active;
    this.picture.stage.classList.toggle("measuring", this.active);
    // A line that was reported stays to be seen beside the question about its length.
    if (this.active || this.drawing) this.clear();
  }

  place(event) {
    const { x, y } = this.picture.placeOf(event);
    const point = this.camera.toImage(x, y);
    const { width, height } = this.camera.image;
    return { x: clamp(point.x, 0, width), y: clamp(point.y, 0, height) };
  }

  down(event) {
    if (!this.active || event.button !== 0) return;
    const start = this.place(event);
    this.line = { start, end: start };
    this.drawing = true;
    this.picture.stage.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.drawing) return;
    const end = this.place(event);
    this.line.end = event.shiftKey ? level(this.line.start, end) : end;
    this.picture.render();
  }

  up() {
    if (!this.drawing) return;
    this.drawing = false;
    const { start, end } = this.line;
    const length = lengthOf(this.line);
    if (length < SHORTEST_PX) return this.clear();
    this.report.line({ image: this.model.data.image, start: [start.x, start.y], end: [end.x, end.y], length });
    return undefined;
  }

  clear() {
    this.line = null;
    this.drawing = false;
    this.picture.render();
  }

  draw() {
    if (!this.line) return this.layer.replaceChildren();
    const [start, end] = [this.line.start, this.line.end].map(({ x, y }) => this.camera.toScreen(x, y));
    const ends = { x1: start.x, y1: start.y, x2: end.x, y2: end.y };
    const text = svg("text", { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 - 14 });
    text.textContent = `${Math.round(lengthOf(this.line))} px`;
    const dots = [start, end].map(({ x, y }) => svg("circle", { cx: x, cy: y, r: 4 }));
    const lines = [svg("line", { class: "halo", ...ends }), svg("line", { class: "line", ...ends })];
    return this.layer.replaceChildren(...lines, ...dots, text);
  }
}

function lengthOf({ start, end }) {
  return Math.hypot(end.x - start.x, end.y - start.y);
}

// The end on the horizontal or the vertical through the start, whichever is nearer.
function level(start, end) {
  const flat = Math.abs(end.x - start.x) >= Math.abs(end.y - start.y);
  return flat ? { x: end.x, y: start.y } : { x: start.x, y: end.y };
}
