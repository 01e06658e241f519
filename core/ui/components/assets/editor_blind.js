// Blind: a picture whose outlines are hidden is drawn by somebody who has not seen them. Nothing is asked of the server
// about it. Lines are kept in this browser, for this person, until Done sends them all at once.

const LONGEST_PAUSE = 60_000; // ms; of a longer one between two lines only so much counts as work
const NOTHING_DRAWN = { version_id: null, revision: 0, undo: 0, redo: 0, authors: [], objects: [], measured: [] };

class BlindOutbox extends Outbox {
  constructor({ imageId, blind }, handlers) {
    super(imageId, handlers);
    this.drawer = blind.person;
    this.key = newId(); // of the request that sends it, the same one also after a reload
    this.kept = true;
  }

  get path() {
    return `/api/images/${this.imageId}/second-opinions`;
  }

  get place() {
    return `spheroscope:second-opinion:${this.imageId}:${this.drawer}`;
  }

  claim() {
    this.items = this.remembered();
  }

  get unsent() {
    return this.kept ? 0 : this.items.length;
  }

  remembered() {
    try {
      const { key, items } = JSON.parse(localStorage.getItem(this.place));
      this.key = key;
      return items;
    } catch {
      return [];
    }
  }

  remember() {
    try {
      localStorage.setItem(this.place, JSON.stringify({ key: this.key, items: this.items }));
      this.kept = true;
    } catch {
      this.kept = false; // full, or not allowed
    }
    this.changed();
  }

  forget() {
    this.items = [];
    localStorage.removeItem(this.place);
  }

  add(item) {
    super.add({ ...item, at: Date.now() });
  }

  send() {
    return Promise.resolve();
  }

  // What the server knows of the drawing: nothing, and the outlines that it has are not asked for.
  async request(method, ...others) {
    return method === "GET" ? { ok: true, status: 200, json: NOTHING_DRAWN } : super.request(method, ...others);
  }

  get seconds() {
    const times = [...this.items.map(({ at }) => at), Date.now()];
    const pauses = times.slice(1).map((time, place) => clamp(time - times[place], 0, LONGEST_PAUSE));
    return pauses.reduce((sum, pause) => sum + pause, (this.items[0]?.ms ?? 0)) / 1000;
  }
}

Object.assign(Editor.prototype, {
  newOutbox(handlers) {
    if (!this.settings.blind) return new Outbox(this.settings.imageId, handlers);
    this.draft.nextNew = 1; // no server gives others
    return new BlindOutbox(this.settings, handlers);
  },

  async finishDrawing() {
    const objects = [...this.draft.objects.values()].map(toWire);
    const nothing = objects.length === 0;
    if (nothing && !window.confirm("You have drawn nothing. Is there no spheroid in this image?")) return;
    this.bar.say("Saving…", Infinity);
    const body = { version_id: this.settings.blind.versionId, objects, nothing, seconds: this.outbox.seconds };
    const answer = await this.outbox.request("POST", "", body, this.outbox.key);
    if (!answer.ok) {
      this.bar.say(answer.json?.error?.message ?? "This drawing was not stored. Try again.", Infinity);
      return;
    }
    this.outbox.forget();
    this.leave({ restore: true });
    this.report.edited("drawn");
  },

  drawAgain() {
    if (this.draft.objects.size > 0 && !window.confirm("Take away all that you have drawn?")) return;
    this.outbox.items = [];
    this.takenBack = [];
    this.outbox.remember();
    this.draft.load([]);
    this.showAll();
  },
});
