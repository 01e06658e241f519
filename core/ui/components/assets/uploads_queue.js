// Sends files, a few at once, until each has its verdict. It belongs to the window, not to a page of the app, and so
// goes on while one visits other pages.
const AT_ONCE = 3;
const DECLARED = 500; // files in one request
const WAITS = [1, 2, 4, 8, 15, 30]; // seconds until the next try
const IN_PROJECT = new Set(["stored", "already there", "restored"]);
const RATE_SECONDS = 10;

class Uploads {
  constructor() {
    this.items = new Map();
    this.views = new Set();
    this.samples = [];
    this.sentBytes = 0;
    this.notice = "";
    this.keeper = new Keeper();
    window.addEventListener("beforeunload", (event) => {
      if (!this.left.length) return;
      event.preventDefault();
      event.returnValue = "";
    });
    window.addEventListener("online", () => this.hurry());
    this.recalled = this.recall().catch(() => {});
  }

  get left() {
    return [...this.items.values()].filter((item) => ["waiting", "sending", "checking"].includes(item.state));
  }

  // target: project, projectName, segment, by. files: [{file, path}].
  async add(target, files) {
    this.views.forEach((view) => view.setFolded(false));
    await this.recalled; // a file that was not stored is known by its name and size
    const batch = newId();
    const added = files.map(({ file, path }) => {
      const lost = [...this.items.values()].find(
        (item) => item.state === "lost" && item.project === target.project && item.path === path && item.size === file.size,
      );
      const item = { key: newId(), batch, path, size: file.size, ...target, ...lost, file, state: "waiting", sent: 0, tries: lost ? 1 : 0 };
      item.message = "";
      this.items.set(item.key, item);
      return item;
    });
    this.changed();
    await this.keeper.keep(added);
    for (let first = 0; first < added.length; first += DECLARED) await this.declare(target, batch, added.slice(first, first + DECLARED));
    this.pump();
  }

  // Says something of what was dropped, until it is dismissed or more is dropped.
  notify(text) {
    this.notice = text;
    this.changed();
  }

  // So that files are named which never come. Where it fails, each says so itself with its first byte.
  async declare(target, batch, items) {
    const files = items.map(({ key, path, size }) => ({ key, path, n_bytes: size }));
    const body = JSON.stringify({ batch, segment: target.segment, requested_by: target.by, files });
    await this.ask("POST", `/api/projects/${target.project}/uploads`, body);
  }

  async ask(method, address, body) {
    const headers = { "Idempotency-Key": newId() };
    if (body) headers["Content-Type"] = "application/json";
    try {
      const answer = await fetch(address, { method, body, headers: method === "GET" ? {} : headers, cache: "no-store" });
      return { status: answer.status, json: answer.status === 204 ? null : await answer.json() };
    } catch {
      return { status: 0, json: null };
    }
  }

  pump() {
    const sending = this.left.filter((item) => item.state !== "waiting").length;
    const next = this.left.filter((item) => item.state === "waiting" && !item.timer);
    next.slice(0, Math.max(0, AT_ONCE - sending)).forEach((item) => this.send(item));
    this.changed();
  }

  async send(item) {
    item.state = "sending";
    let offset = 0;
    if (item.tries) {
      const { status, json } = await this.ask("GET", this.address(item));
      if (item.state !== "sending") return; // cancelled meanwhile
      if (status === 0 || status >= 500) return this.later(item, "No connection to Spheroscope");
      if (status === 200 && !["waiting", "checking"].includes(json.state)) return this.settle(item, json);
      if (status === 200) offset = Math.min(json.offset, item.size);
    }
    this.post(item, offset);
  }

  post(item, offset) {
    const request = (item.request = new XMLHttpRequest());
    const query = new URLSearchParams({ path: item.path, batch: item.batch, segment: item.segment ? "1" : "0" });
    request.open("POST", `/api/projects/${item.project}/images?${query}`);
    request.setRequestHeader("Idempotency-Key", item.key);
    request.setRequestHeader("Upload-Offset", String(offset));
    request.setRequestHeader("Upload-Length", String(item.size));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    item.sent = offset;
    request.upload.onprogress = (event) => {
      const sent = Math.min(offset + event.loaded, item.size);
      this.count(sent - item.sent);
      item.sent = sent;
      if (sent >= item.size) item.state = "checking";
      this.changed();
    };
    request.onload = () => this.answered(item, request);
    request.onerror = () => this.broken(item);
    // Of what is too large, the server need only hear how large it is.
    request.send(item.size > this.mostBytes ? new Blob([]) : item.file.slice(offset));
  }

  answered(item, request) {
    let json = null;
    try {
      json = JSON.parse(request.responseText);
    } catch {
      return this.later(item, `Unexpected answer (${request.status})`);
    }
    const upload = json.upload ?? json;
    const ended = upload.state && !["waiting", "checking"].includes(upload.state);
    if (ended) return this.settle(item, upload);
    if (request.status === 202 || request.status === 409) return this.later(item, "");
    const message = json.error?.message ?? "";
    if (request.status >= 500 || request.status === 408) return this.later(item, message);
    return this.settle(item, { state: "refused", message });
  }

  async broken(item) {
    if (item.state === "cancelled") return;
    try {
      await item.file.slice(0, 1).arrayBuffer();
    } catch {
      this.settle(item, { state: "refused", message: "This file has been changed, moved or deleted since. Drop it again." });
      this.ask("DELETE", this.address(item));
      return;
    }
    this.later(item, "No connection to Spheroscope");
  }

  later(item, message) {
    const seconds = message ? WAITS[Math.min(item.tries, WAITS.length - 1)] : 0.2;
    Object.assign(item, { state: "waiting", message, tries: item.tries + 1 });
    item.timer = setTimeout(() => this.retry(item), 1000 * seconds);
    this.pump();
  }

  retry(item) {
    clearTimeout(item.timer);
    item.timer = null;
    if (item.state !== "waiting") Object.assign(item, { key: newId(), state: "waiting", message: "", tries: 0, sent: 0 });
    this.items.set(item.key, item);
    this.pump();
  }

  hurry() {
    this.left.filter((item) => item.timer).forEach((item) => this.retry(item));
  }

  settle(item, { state, message }) {
    this.count(IN_PROJECT.has(state) ? item.size - item.sent : 0);
    const first = IN_PROJECT.has(state) && ![...this.items.values()].some((other) => IN_PROJECT.has(other.state));
    Object.assign(item, { state, message: message ?? "", sent: item.size, request: null });
    this.keeper.forget(item);
    if (IN_PROJECT.has(state)) item.file = null;
    this.pump();
    if (first || !this.left.length) this.views.forEach((view) => view.settled());
  }

  cancel(item) {
    clearTimeout(item.timer);
    Object.assign(item, { state: "cancelled", message: "", timer: null });
    item.request?.abort();
    this.keeper.forget(item);
    this.ask("DELETE", this.address(item)).then(({ json }) => {
      if (json && IN_PROJECT.has(json.state)) this.settle(item, json); // it was quicker
    });
    this.pump();
  }

  async dismiss() {
    const projects = new Set([...this.items.values()].map((item) => item.project));
    const kept = new Map(this.left.map((item) => [item.key, item]));
    this.items = kept;
    this.notify("");
    for (const project of projects) await this.ask("DELETE", `/api/projects/${project}/uploads`);
    this.views.forEach((view) => view.settled());
  }

  // What an earlier page held, and what the server still waits for.
  async recall() {
    const { mine, others } = await this.keeper.claim();
    const { json } = await this.ask("GET", "/api/uploads?unfinished=1");
    const known = new Map((json?.uploads ?? []).map((upload) => [upload.key, upload]));
    mine.forEach((record) => this.items.set(record.key, { ...record, state: "waiting", sent: 0, tries: 1, message: "" }));
    known.forEach((upload, key) => {
      if (this.items.has(key) || upload.active || upload.state === "cancelled") return;
      const { batch, path } = upload;
      const lost = upload.state === "waiting";
      const message = upload.message || "Only a part of it arrived, or nothing. Drop it again to go on.";
      this.items.set(key, { key, batch, path, size: upload.n_bytes, project: upload.project_id, state: lost ? "lost" : upload.state, sent: upload.offset, message });
    });
    // What was refused before has been read: its number is enough.
    const all = [...this.items.values()];
    if (all.length && all.every((item) => item.state === "refused")) this.views.forEach((view) => view.setFolded(true));
    if (others) setTimeout(() => this.recall(), 8000);
    this.pump();
  }

  address(item) {
    return `/api/projects/${item.project}/uploads/${encodeURIComponent(item.key)}`;
  }

  count(bytes) {
    this.sentBytes += Math.max(0, bytes);
    this.samples.push([performance.now(), this.sentBytes]);
    while (this.samples.length > 2 && performance.now() - this.samples[0][0] > 1000 * RATE_SECONDS) this.samples.shift();
  }

  // Bytes a second over the last seconds; null before there are any.
  get rate() {
    if (this.samples.length < 2) return null;
    const [[from, before], [to, now]] = [this.samples[0], this.samples[this.samples.length - 1]];
    return to - from > 500 ? (1000 * (now - before)) / (to - from) : null;
  }

  changed() {
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      this.views.forEach((view) => view.draw());
    }, 150);
  }
}
