// Ending: a correction becomes a version with a reason, or is given up. Nothing of it gets lost on the way.

Object.assign(Editor.prototype, {
  async finish() {
    if (!this.on || this.bar.asking) return;
    if (this.settings.blind) return this.finishDrawing();
    if (this.steps.undo === 0 && this.others.length === 0 && this.outbox.items.length === 0) {
      if (this.outbox.base.base_revision === 0) return this.leave();
      this.bar.say("Nothing differs from the result. Discard ends the correction without a new result.");
      return;
    }
    const reason = await this.bar.askReason({ optional: this.settings.reasonOptional, summary: this.summary() });
    if (reason === null) return this.picture.stage.focus({ preventScroll: true });
    this.bar.say("Saving…", Infinity);
    await this.outbox.emptied();
    await this.makeVersion(reason, this.settings.inForce);
  },

  async makeVersion(reason, inForce) {
    const { base } = this.outbox;
    const body = { revision: base.base_revision, in_force: inForce, reason };
    const answer = await this.outbox.request("POST", "/done", body, newId());
    if (answer.ok) {
      this.leave({ restore: false });
      this.report.edited("done");
      return;
    }
    if (answer.json?.error?.code !== "version_conflict") return this.notFinished(answer);
    if (!window.confirm("This image has got another result since this correction began. Make your correction the current result all the same? The other result is kept in the history.")) return;
    const versions = await fetched("GET", `/api/images/${this.settings.imageId}/versions`);
    const now = versions.json?.versions?.find((version) => version.in_force);
    await this.makeVersion(reason, now?.id ?? null);
  },

  // Nothing has ended: somebody else was first, or it cannot be; look at what is there now.
  async notFinished({ json }) {
    if (json?.ended) return this.correctionEnded(json);
    await this.load();
    return this.bar.say(json?.error?.message ?? "The correction could not be ended. Try again.", Infinity);
  },

  // Somebody has ended the correction: say who, and offer to take up what was discarded.
  async correctionEnded({ error, ended }) {
    const { outbox } = this;
    const question = `${error.message} Take it up again with all that it had, or go on from the result?`;
    const choices = { reopen: "Take it up again", result: "Go on from the result" };
    const choice = ended.discarded ? await this.bar.ask(question, choices) : "result";
    let message = choice === "reopen" ? "The correction goes on with all that it had." : error.message;
    if (choice === "reopen") {
      const answer = await outbox.request("POST", "/reopen", { draft_id: ended.draft_id }, newId());
      if (!answer.ok) message = answer.json?.error?.message ?? "It could not be taken up again.";
    } else outbox.items = outbox.items.filter(({ kind }) => kind === "gesture"); // no step of it is left to undo
    await this.load();
    this.bar.say(message, Infinity);
  },

  async discard() {
    if (!this.on || this.bar.asking) return undefined;
    if (this.settings.blind) return this.drawAgain();
    const { base } = this.outbox;
    if ((this.outbox.items.length > 0 || base.base_revision > 0) && !window.confirm(this.discardQuestion())) return undefined;
    await this.outbox.emptied();
    if (base.base_revision > 0) {
      const answer = await this.outbox.request("DELETE", "", { revision: this.outbox.base.base_revision }, newId());
      if (!answer.ok) return this.notFinished(answer);
    }
    this.leave();
    return this.report.edited("discarded");
  },

  discardQuestion() {
    const whose = this.others.length > 0 ? ` It also has changes by ${this.others.join(" and ")}, which go, too.` : "";
    return `Discard this correction?${whose} The outlines are again as they were before it; the history can take it up again.`;
  },

  summary() {
    const numbers = [...this.draft.objects.keys()].filter((number) => !sameRegion(this.draft.objects.get(number), this.start.get(number)));
    const gone = [...this.start.keys()].filter((number) => !this.draft.objects.has(number));
    const words = [];
    if (numbers.length > 0) words.push(`${numbers.length} ${numbers.length === 1 ? "spheroid" : "spheroids"} changed or new`);
    if (gone.length > 0) words.push(`${gone.length} taken away`);
    return words.join(", ") || "No spheroid differs";
  },

  // What a key does while somebody corrects; undefined where the viewer may have it, null where nothing happens.
  keyAction(event) {
    if (!this.on) return this.settings && !modified(event) && event.key.toLowerCase() === "e" ? () => this.begin() : undefined;
    if (this.bar.asking) return event.key === "Escape" || modified(event) ? undefined : NOTHING;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") return () => (event.shiftKey ? this.redo() : this.undo());
      return key === "y" ? () => this.redo() : undefined;
    }
    if (event.altKey) return undefined;
    const swap = { brush: "erase" }[this.tool] ?? "brush";
    const tools = { b: "brush", x: swap, d: "draw", k: "cut", m: "merge", v: "bend", a: "click", h: "fill" };
    if (tools[key]) return () => this.useTool(tools[key]);
    const others = {
      "[": () => this.setSize(this.size / SIZES.step),
      ",": () => this.setSize(this.size / SIZES.step),
      "]": () => this.setSize(this.size * SIZES.step),
      ".": () => this.setSize(this.size * SIZES.step),
      Delete: () => this.removeSelected(),
      Backspace: () => this.removeSelected(),
      Enter: () => this.finish(),
      Escape: () => this.escape(),
      ArrowLeft: event.shiftKey ? undefined : NOTHING, // to another image: not in the middle of a correction
      ArrowRight: event.shiftKey ? undefined : NOTHING,
      e: NOTHING,
      l: NOTHING,
    };
    if (key === " " && !event.composedPath()[0].matches?.("button, summary, a")) return () => this.holdSpace();
    if (key === "Enter" && event.composedPath()[0].matches?.("button, a, tr")) return undefined;
    return others[key];
  },

  holdSpace() {
    this.hand.space = true;
    this.picture.stage.classList.add("moving");
  },

  releaseSpace() {
    this.hand.space = false;
    this.picture.stage.classList.remove("moving");
  },

  // Esc gives up the stroke, then the selection, then the tool, then the editor where nothing has been changed.
  escape() {
    if (this.hand.stroke || this.firstSplit) {
      this.firstSplit = null;
      this.hand.cancel();
    } else if (this.model.selected !== null) this.model.setSelected(null);
    else if (this.tool !== "hand") this.useTool("hand");
    else if (this.settings.blind) this.bar.say("Done keeps your drawing; Another image passes over this one.");
    else if (this.canUndo || this.outbox.base.base_revision > 0) this.bar.say("Done keeps your changes, Discard drops them.");
    else this.leave();
  },
});

const NOTHING = () => {};

function modified(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
}

function newId() {
  return crypto.randomUUID?.() ?? `${Date.now()}${Math.random()}`;
}
