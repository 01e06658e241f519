// Hand: pointers and wheel while somebody corrects. A mouse, a pen or one finger draws; two fingers, the middle
// button, or the space bar held move the picture. Once a pen has been seen, fingers only move it.

const TAP_PX = 4; // screen pixels; what moves less was a click

class EditorHand {
  constructor(editor, pointers) {
    Object.assign(this, { editor, pointers, stroke: null, at: null, space: false, pen: false });
    const { stage } = editor.picture;
    pointers.takes = (event) => (editor.on ? this.pans(event) : event.button === 0 && !editor.model.tool);
    stage.addEventListener("pointerdown", (event) => editor.on && this.down(event));
    stage.addEventListener("pointermove", (event) => editor.on && this.move(event));
    stage.addEventListener("pointerup", (event) => editor.on && this.up(event));
    stage.addEventListener("pointercancel", () => this.cancel());
    stage.addEventListener("pointerleave", () => this.leave());
    stage.addEventListener("contextmenu", (event) => editor.on && event.preventDefault());
    stage.addEventListener("wheel", (event) => editor.on && event.shiftKey && this.wheel(event), { passive: false });
  }

  // Whether a pointer moves the picture rather than draws.
  pans(event) {
    const touch = event.pointerType === "touch";
    if (this.space || event.button === 1) return true;
    if (touch && (this.pen || this.stroke || this.pointers.held.size > 0)) return true;
    return event.button === 0 && this.editor.tool === "hand";
  }

  place(event) {
    const { x, y } = this.editor.picture.placeOf(event);
    return this.editor.camera.toImage(x, y);
  }

  down(event) {
    if (event.pointerType === "pen") this.pen = true;
    if (event.button === 1) event.preventDefault(); // no scrolling by the middle button
    if (this.pans(event)) return this.giveWay();
    if (this.editor.bar.asking) return undefined;
    const right = event.button === 2;
    if ((event.button !== 0 && !(right && this.editor.tool === "click")) || this.stroke) return undefined;
    event.preventDefault();
    this.editor.picture.stage.focus({ preventScroll: true });
    this.editor.picture.stage.setPointerCapture(event.pointerId);
    const point = this.place(event);
    this.at = point;
    this.stroke = { points: [point], erase: event.shiftKey, right, id: event.pointerId, from: performance.now(), screen: this.editor.picture.placeOf(event), travelled: 0 };
    this.editor.strokeBegins(this.stroke);
    return this.editor.overlay.render();
  }

  // A second finger: what the first one drew was not meant, both move the picture.
  giveWay() {
    const { stroke } = this;
    if (!stroke) return;
    this.pointers.held.set(stroke.id, stroke.screen);
    this.cancel();
  }

  move(event) {
    this.at = this.place(event);
    if (this.stroke?.id === event.pointerId) {
      for (const each of event.getCoalescedEvents?.() ?? [event]) this.extend(each);
      if (event.getCoalescedEvents?.().length === 0) this.extend(event);
    } else if (!this.stroke) {
      this.editor.pointsAt(this.at);
    }
    this.editor.erasing = event.shiftKey;
    this.editor.overlay.render();
  }

  extend(event) {
    const { stroke } = this;
    const screen = this.editor.picture.placeOf(event);
    const step = Math.hypot(screen.x - stroke.screen.x, screen.y - stroke.screen.y);
    if (step < 0.5) return;
    stroke.travelled += step;
    stroke.screen = screen;
    stroke.points.push(this.place(event));
  }

  up(event) {
    const { stroke } = this;
    if (!stroke) {
      if (event.button === 0 && this.editor.tool === "hand" && !this.pointers.dragged && !this.space) this.editor.selectAt(this.place(event));
      return;
    }
    if (stroke.id !== event.pointerId) return;
    this.stroke = null;
    stroke.tap = stroke.travelled < TAP_PX;
    stroke.ms = Math.round(performance.now() - stroke.from);
    this.editor.strokeEnds(stroke);
    this.editor.overlay.render();
  }

  leave() {
    if (this.stroke) return;
    this.at = null;
    if (this.editor.on) this.editor.overlay.render();
  }

  cancel() {
    this.stroke = null;
    this.editor.overlay.render();
  }

  // With Shift the wheel changes the size of the brush; browsers then turn it sideways.
  wheel(event) {
    event.preventDefault();
    const turn = event.deltaY || event.deltaX;
    this.editor.act.setSize(this.editor.size * Math.exp(-clamp(turn, -200, 200) * 0.002));
  }
}
