// Editor: turns the viewer into an editor and back. What is drawn is shown at once, sent by the outbox, and
// replaced by what the server made of it: its numbers and what it has measured.

const SIZES = { least: 2, usual: 28, most: 300, step: 1.25 }; // the brush's diameter in screen pixels: it follows zoom

const LEAST_SCALE = 0.05;
const SLACK = 60; // screen pixels: what lies under the tools can be moved from under them

class Editor {
  constructor(root, { model, camera, picture, pointers }, report) {
    Object.assign(this, { root, model, camera, picture, report });
    Object.assign(this, { on: false, settings: null, draft: null, outbox: null, tool: "brush", size: SIZES.usual });
    Object.assign(this, { erasing: false, bend: null, way: "add", firstSplit: null, takenBack: [], steps: { undo: 0, redo: 0 } });
    this.act = this.actions();
    this.overlay = new Overlay(picture, camera);
    this.overlay.scene = () => this.on && this.drawScene();
    this.bar = new EditorBar(root, this.act);
    this.hand = new EditorHand(this, pointers);
    picture.listenToDrawing(() => this.on && this.overlay.render());
    model.listen((change) => change === "selection" && this.on && this.prepareBend());
    this.ending = new AbortController();
    const { signal } = this.ending;
    window.addEventListener("beforeunload", (event) => this.outbox?.unsent && event.preventDefault(), { signal });
    window.addEventListener("online", () => this.outbox?.wake?.(), { signal });
  }

  // Everything that buttons and keys do, by name.
  actions() {
    return {
      begin: () => this.begin(),
      useTool: (name) => this.useTool(name),
      setWay: (name) => this.setWay(name),
      setSize: (size) => this.setSize(size),
      undo: () => this.undo(),
      redo: () => this.redo(),
      finish: () => this.finish(),
      discard: () => this.discard(),
      removeSelected: () => this.removeSelected(),
    };
  }

  close() {
    this.ending.abort();
  }

  // Take what Python says of this image; null where it may not be corrected.
  update(settings) {
    const other = settings?.imageId !== this.settings?.imageId;
    const start = settings?.start && (other || !this.settings.start);
    if (other && this.on) this.leave();
    this.settings = settings;
    this.bar.allow(this.canCorrect && !this.on);
    if (start) this.begin();
  }

  // Whether what is shown can be corrected; a picture whose outlines are hidden is only drawn.
  get canCorrect() {
    return Boolean(this.settings) && !this.settings.blind;
  }

  async begin() {
    if (this.on || !this.settings || !this.model.data) return;
    const { data } = this.model;
    this.on = true;
    this.model.beginEditing();
    this.original = new Map(this.model.objects);
    this.draft = new EditorDraft({ width: data.width, height: data.height });
    this.measured = new Map();
    this.start = new Map();
    this.takenBack = [];
    const outbox = this.newOutbox({
      answered: (item, answer) => this.answered(item, answer),
      refused: (item, answer) => this.refused(item, answer),
      changed: () => outbox === this.outbox && this.showState(),
    });
    this.outbox = outbox;
    this.picture.stage.classList.add("editing");
    Object.assign(this.camera, { slack: SLACK, least: LEAST_SCALE });
    this.bar.show(true);
    this.bar.showBlind(Boolean(this.settings.blind));
    this.setSize(this.size);
    this.useTool(this.settings.blind ? "draw" : "brush");
    this.report.editing(true);
    if (!(await this.load())) return;
    this.picture.stage.focus({ preventScroll: true });
    outbox.send();
  }

  // Read the state of the correction from the server, and put on top of it what has not arrived there yet.
  async load() {
    const { outbox } = this;
    this.loading = true;
    const answer = await outbox.request("GET", "");
    if (outbox !== this.outbox || !this.on) return false;
    if (!answer.ok) {
      this.leave();
      this.bar.say(answer.json?.error?.message ?? "The outlines could not be loaded. Try again.");
      return false;
    }
    const state = answer.json;
    outbox.claim(state.caller);
    outbox.base = { version_id: state.version_id, base_revision: state.revision };
    this.steps = { undo: state.undo, redo: state.redo };
    this.others = state.authors.filter((name) => name !== state.caller);
    state.measured.forEach((row) => this.measured.set(row.object, row));
    this.draft.load(state.objects.map((item) => [item.number, fromWire(item)]));
    // Those that are as in the version that is shown look as they do there.
    const same = state.version_id === this.settings.inForce;
    if (!same) this.original = new Map();
    const known = same ? state.objects : [];
    const changed = new Set(state.measured.map((row) => row.object));
    this.start = new Map(known.filter(({ number }) => !changed.has(number)).map((item) => [item.number, fromWire(item)]));
    await this.replay();
    this.loading = false;
    this.showAll();
    return true;
  }

  // Make gestures again that the server has not got; what somebody else has changed meanwhile is asked about.
  async replay() {
    const kept = [];
    for (const item of this.outbox.items) {
      const changes = item.kind === "gesture" ? await this.rebased(item) : [];
      if (changes) kept.push({ ...item, changes });
      if (changes) this.draft.apply(changes);
    }
    this.outbox.items = kept;
    this.outbox.remember();
  }

  // The changes of a gesture as they are to be made now; null where nothing is left to do.
  async rebased(item) {
    if (item.changes.every((change) => this.isThere(change))) return null;
    if (this.draft.fits(item.changes)) return item.changes;
    this.showAll();
    const theirs = item.changes.map(({ number }) => this.draft.objects.get(number) ?? null);
    this.disputed = { mine: item.changes.map(({ after }) => after), theirs };
    this.overlay.render();
    const names = item.changes.map(({ number }) => number).filter((number) => number < NEW_FROM);
    const which = names.length > 0 ? `spheroid ${names.join(", ")}` : "a spheroid in the same place";
    const question = `Somebody else has changed ${which} meanwhile. Yours is yellow, theirs white and dashed.`;
    const choice = await this.bar.ask(question, { mine: "Keep mine", theirs: "Keep theirs" });
    this.disputed = null;
    return choice === "mine" ? this.mine(item.changes) : null;
  }

  isThere({ number, after }) {
    if (number < NEW_FROM) return sameRegion(after, this.draft.objects.get(number) ?? null);
    return [...this.draft.objects.values()].some((region) => sameRegion(region, after));
  }

  // Changes made anew on what is there by now, without pixels that belong to others.
  mine(changes) {
    const numbers = new Set(changes.map(({ number }) => number));
    return changes.flatMap(({ number, after, parents }) => {
      const before = this.draft.objects.get(number) ?? null;
      if (!after) return before ? [{ number, before, after, parents }] : [];
      const there = this.draft.labels.read(after);
      const free = maskOf(after).map((inside, place) => (inside && (there[place] === 0 || numbers.has(there[place])) ? 1 : 0));
      const [region] = regionsOfParts(free, after);
      if (!region) return [];
      const gone = !before && number < NEW_FROM;
      return gone ? [this.draft.newOne(region)] : [{ number, before, after: region, parents }];
    });
  }

  async answered(item, answer) {
    this.steps = { undo: answer.undo, redo: answer.redo };
    const { base } = this.outbox;
    if (answer.objects.length > 0 && answer.revision !== base.base_revision + 1) {
      this.outbox.items = this.renumbered(item, answer);
      return this.load(); // somebody else has been here, too
    }
    base.base_revision = answer.objects.length > 0 ? answer.revision : base.base_revision;
    this.outbox.items = this.renumbered(item, answer);
    answer.measured.forEach((row) => this.measured.set(row.object, row));
    const waiting = new Set(this.outbox.items.flatMap(({ changes }) => changes.map(({ number }) => number)));
    const theirs = answer.objects.filter(({ number }) => !waiting.has(number));
    const changes = theirs.map((object) => {
      const before = this.draft.objects.get(object.number) ?? null;
      return { number: object.number, before, after: fromWire(object), parents: [] };
    });
    this.draft.apply(changes.filter(({ before, after }) => !sameRegion(before, after)));
    this.show(answer.objects.map(({ number }) => number));
    return undefined;
  }

  // Give the new spheroids of a gesture the server's numbers, here and in what waits; returns what waits.
  renumbered(item, { objects }) {
    const sent = new Set(item.changes.map(({ number }) => number));
    const names = new Map();
    for (const { number, after } of item.changes.filter((change) => change.number >= NEW_FROM)) {
      const match = objects.find((object) => !sent.has(object.number) && ![...names.values()].includes(object.number) && sameRegion(fromWire(object), after));
      if (!match) continue;
      names.set(number, match.number);
      this.draft.rename(number, match.number);
      if (this.model.selected === number) this.model.selected = match.number;
      this.remove(number);
    }
    const named = (number) => names.get(number) ?? number;
    return this.outbox.items.map((other) => ({
      ...other,
      changes: other.changes.map((change) => ({ ...change, number: named(change.number), parents: (change.parents ?? []).map(named) })),
    }));
  }

  // What the server will not take: look at what is there, and try once more where somebody else was first.
  async refused(item, { status, json }) {
    const message = json?.error?.message ?? "This change was not stored.";
    if (status === 404) {
      this.outbox.stopped = true;
      this.leave();
      this.bar.say(message, Infinity);
      return undefined;
    }
    if (json?.ended) return this.correctionEnded(json);
    const again = item.kind === "gesture" && !item.refusals && status !== 403;
    if (again) item.refusals = 1;
    else this.outbox.items.shift();
    await this.load();
    if (!again) this.bar.say(message);
    return undefined;
  }

  get busy() {
    return this.loading || this.outbox.items.some(({ kind }) => kind !== "gesture");
  }

  commit(tool, changes, ms) {
    if (changes.length === 0) return;
    this.draft.apply(changes);
    changes.forEach(({ number }) => this.measured.delete(number));
    this.takenBack = [];
    this.outbox.add({ kind: "gesture", tool, ms, changes });
    this.show(changes.map(({ number }) => number));
  }

  undo() {
    if (!this.on || this.bar.asking) return;
    const item = this.outbox.takeBack();
    if (item) {
      this.draft.apply(item.changes.map(({ number, before, after }) => ({ number, before: after, after: before })).reverse());
      this.takenBack.push(item);
      this.show(item.changes.map(({ number }) => number));
    } else if (this.canUndo) this.outbox.add({ kind: "undo", changes: [] });
    else this.bar.say("There is nothing to undo.");
  }

  redo() {
    if (!this.on || this.bar.asking) return;
    const item = this.takenBack.pop();
    if (item) {
      const kept = this.takenBack;
      this.commit(item.tool, item.changes, item.ms);
      this.takenBack = kept;
    } else if (this.steps.redo > 0) this.outbox.add({ kind: "redo", changes: [] });
    else this.bar.say("There is nothing to redo.");
  }

  get canUndo() {
    return this.steps.undo > 0 || this.outbox.items.length > 0;
  }

  removeSelected() {
    const number = this.model.selected ?? this.model.hovered;
    if (!this.draft.objects.has(number)) return this.useTool("delete");
    this.model.setSelected(null);
    return this.commit("delete", this.draft.changesTo(number, []), 0);
  }

  useTool(name) {
    if (!this.on || (name === "click" && this.settings.blind)) return; // a blind drawing is to be a person's alone
    if (name === "fill" && this.draft.objects.has(this.model.selected)) return this.attempt(() => this.commit("fill", STROKES.fill(this.draft, this.atSelected()), 0));
    this.tool = name;
    this.hand.cancel();
    this.model.hover(null);
    this.firstSplit = null;
    if (name === "click") this.bar.showWay((this.way = "add"));
    this.bar.showTool(name);
    this.picture.stage.dataset.tool = name;
    this.prepareBend();
    this.picture.stage.focus({ preventScroll: true });
    return undefined;
  }

  // What a click does from now on: add, away or split; the right button and Shift stay what they are.
  setWay(name) {
    this.way = name;
    this.firstSplit = null;
    this.bar.showWay(name);
    this.overlay.render();
    this.picture.stage.focus({ preventScroll: true });
  }

  // A stroke of one point in the selected spheroid.
  atSelected() {
    const { x, y, width, runs } = this.draft.objects.get(this.model.selected);
    const point = { x: x + (runs[0] % width) + 0.5, y: y + Math.floor(runs[0] / width) + 0.5 };
    return { points: [point], radius: 0, start: this.model.selected, selected: this.model.selected };
  }

  setSize(size) {
    this.size = clamp(size, SIZES.least, SIZES.most);
    this.bar.size.value = String(Math.round(this.size));
    this.overlay.render();
  }

  get radius() {
    return this.size / 2 / this.camera.scale;
  }

  // The tool that a stroke is made with: Shift makes a brush an eraser, and the other way round.
  toolOf({ erase }) {
    const swapped = { brush: "erase", erase: "brush" };
    return erase ? swapped[this.tool] ?? this.tool : this.tool;
  }

  strokeBegins(stroke) {
    stroke.tool = this.toolOf(stroke);
    stroke.radius = this.radius;
    stroke.start = this.numberAt(stroke.points[0]);
    stroke.selected = this.model.selected ?? 0;
    stroke.place = stroke.tool === "bend" ? this.takenPlace(stroke) : null;
  }

  // The point of an outline that a stroke bends, or null; the spheroid is selected by taking it.
  takenPlace(stroke) {
    const [[point], { scale }] = [stroke.points, this.camera];
    const place = this.bend?.placeAt(point, scale) ?? null;
    const near = place === null ? bendNear(this.draft, point, scale) : null;
    if (!near) return place;
    stroke.selects = near.number;
    this.model.setSelected(near.number);
    return this.bend.placeAt(point, scale);
  }

  strokeEnds(stroke) {
    if (this.busy) return this.bar.say("One moment: the last step is not finished yet.");
    return this.attempt(() => {
      if (stroke.tool === "click") return this.clicked(stroke);
      if (stroke.tool === "bend") return this.bent(stroke);
      const paints = stroke.tool === "brush" || stroke.tool === "draw";
      if (stroke.tap && paints && (stroke.start || stroke.selected)) return this.selectAt(stroke.points[0]);
      return this.commit(stroke.tool, STROKES[stroke.tool](this.draft, stroke), stroke.ms);
    });
  }

  attempt(act) {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return this.bar.say(error.message);
    }
  }

  clicked({ points: [point], start, selected, erase, right }) {
    if (!this.inImage(point)) return;
    const splits = erase || (this.way === "split" && !right);
    const away = !splits && (right || this.way === "away");
    if (splits && !this.firstSplit) {
      this.firstSplit = point;
      this.bar.say(this.way === "split" ? "Now click the other part of the same spheroid." : "Now Shift and click the other part of the same spheroid.");
      return;
    }
    const adds = !splits && !away;
    const body = { x: point.x, y: point.y, number: adds ? start || selected || null : null, away };
    if (splits) body.split_at = [this.firstSplit.x, this.firstSplit.y];
    this.firstSplit = null;
    this.outbox.add({ kind: "click", changes: [], body });
  }

  bent(stroke) {
    if (stroke.tap && stroke.selects) return undefined;
    if (stroke.place === null || stroke.tap) return this.selectAt(stroke.points[0]);
    const ring = this.bend.with(stroke.place, stroke.points.at(-1));
    return this.commit("bend", this.bend.changes(this.draft, this.model.selected, ring), stroke.ms);
  }

  prepareBend() {
    const region = this.tool === "bend" && this.draft?.objects.get(this.model.selected);
    this.bend = region ? new Bend(region) : null;
    this.overlay.render();
  }

  inImage({ x, y }) {
    return x >= 0 && y >= 0 && x < this.draft.image.width && y < this.draft.image.height;
  }

  numberAt({ x, y }) {
    return this.draft.labels.at(Math.floor(x), Math.floor(y));
  }

  pointsAt(point) {
    this.model.hover(this.numberAt(point) || null);
  }

  selectAt(point) {
    const number = this.numberAt(point) || null;
    this.model.setSelected(number === this.model.selected ? null : number);
  }

  drawScene() {
    const { hand, overlay } = this;
    if (this.disputed) {
      this.disputed.theirs.filter(Boolean).forEach((region) => this.outline(region, { closed: true, dashed: true, colour: "#fff" }));
      this.disputed.mine.filter(Boolean).forEach((region) => this.outline(region, { closed: true }));
      return;
    }
    const { stroke } = hand;
    const erase = stroke ? stroke.tool === "erase" : this.toolOf({ erase: this.erasing }) === "erase";
    if (stroke?.tool === "brush" || stroke?.tool === "erase") overlay.stroke(stroke.points, stroke.radius, erase);
    if (["cut", "merge", "delete", "fill"].includes(stroke?.tool)) overlay.line(stroke.points, { dashed: stroke.tool !== "cut" });
    if (stroke?.tool === "draw") overlay.line(stroke.points, { closed: stroke.points.length > 2 });
    if (this.bend) this.drawBend(stroke);
    if (this.firstSplit) overlay.dot(this.firstSplit, true);
    if (hand.at && (this.tool === "brush" || this.tool === "erase")) overlay.brush(hand.at, stroke?.radius ?? this.radius, erase);
  }

  drawBend(stroke) {
    const moved = stroke && stroke.place !== null;
    if (moved) this.overlay.line(this.bend.with(stroke.place, stroke.points.at(-1)), { closed: true });
    this.bend.handles.filter((place) => !moved || place !== stroke.place).forEach((place) => this.overlay.dot(this.bend.outer[place], false));
    if (moved) this.overlay.dot(stroke.points.at(-1), true);
  }

  outline(region, options) {
    ringsOf(region).map(pointsOf).forEach((ring) => this.overlay.line(ring, options));
  }

  item(number) {
    const region = this.draft.objects.get(number);
    if (!region) return null;
    const before = this.original.get(number);
    if (before && sameRegion(region, this.start.get(number))) return before;
    const { columns } = this.settings;
    const { umPerPx } = this.model.data;
    return viewItem({ number, region, measured: this.measured.get(number) ?? null, columns, umPerPx, image: this.draft.image, before });
  }

  remove(number) {
    this.model.replaceObjects([[number, null]]);
  }

  show(numbers) {
    this.model.replaceObjects([...new Set(numbers)].map((number) => [number, this.item(number)]));
    this.showState();
    this.prepareBend();
  }

  showAll() {
    const numbers = [...this.draft.objects.keys()].sort((one, other) => one - other);
    this.model.setObjects(numbers.map((number) => this.item(number)));
    this.showState();
    this.prepareBend();
  }

  showState() {
    if (!this.on) return;
    this.bar.showSteps(this.canUndo, this.steps.redo > 0 || this.takenBack.length > 0);
    if (this.settings.blind) this.bar.showKept(this.outbox.unsent === 0);
    else this.bar.showSaved(this.outbox.items.length, this.outbox.problem);
  }

  leave({ restore = true } = {}) {
    if (!this.on) return;
    this.on = false;
    this.hand.cancel();
    this.model.hover(null);
    this.bend = null;
    this.picture.stage.classList.remove("editing");
    Object.assign(this.camera, { slack: 0, least: 1 });
    if (this.camera.scale < this.camera.minScale) this.camera.fit();
    this.camera.hold();
    this.bar.show(false);
    this.overlay.draw();
    this.model.endEditing(restore);
    this.bar.allow(this.canCorrect);
    this.report.editing(false);
  }
}
