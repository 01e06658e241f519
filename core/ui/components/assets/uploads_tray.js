// The tray at the corner of every page: how far the uploads are, and what became of each file.
const ROWS = 100;
const SHORT_MS = 12000; // for which a tray without a problem stays once all is stored
const MARKS = {
  waiting: "◔", sending: "◑", checking: "◑", stored: "●", restored: "●", "already there": "○",
  refused: "✕", cancelled: "–", lost: "▲", "not stored": "▲",
};
const WORDS = { lost: "not stored" };
const ORDER = ["sending", "checking", "refused", "lost", "not stored", "waiting", "cancelled", "restored", "already there", "stored"];
const THEME = ["text-color", "background-color", "secondary-background-color", "border-color", "primary-color", "red-color", "green-color", "orange-color", "blue-color", "font", "base-radius"];

const make = (tag, name, text) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};

const megabytes = (bytes) => (bytes < 9.95e6 ? (bytes / 1e6).toFixed(1) : Math.round(bytes / 1e6).toString());

const duration = (seconds) => {
  const whole = Math.max(1, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

class UploadTray {
  constructor(uploads) {
    this.uploads = uploads;
    this.host = make("div");
    this.host.id = "spheroscope-uploads";
    const root = this.host.attachShadow({ mode: "open" });
    root.append(make("style", "", STYLE), (this.box = make("section", "tray")));
    this.box.setAttribute("aria-label", "Uploads");
    this.title = make("b", "title");
    this.title.setAttribute("role", "status");
    this.detail = make("span", "detail");
    this.bar = make("div", "bar");
    this.bar.setAttribute("role", "progressbar");
    this.bar.setAttribute("aria-label", "Uploaded");
    this.bar.append(make("i"));
    this.note = make("p", "note");
    this.note.setAttribute("role", "status");
    this.list = make("ul", "files");
    this.fold = this.button("", "", () => this.setFolded(!this.folded));
    this.act = this.button("", "", () => this.acted());
    const head = make("div", "head");
    const words = make("div", "words");
    words.append(this.title, this.detail);
    head.append(words, this.act, this.fold);
    this.box.append(head, this.bar, this.note, this.list);
    document.body.append(this.host);
    this.setFolded(false);
    uploads.views.add(this);
    this.draw();
  }

  button(text, title, act) {
    const button = make("button", "", text);
    button.type = "button";
    button.title = title;
    if (title) button.setAttribute("aria-label", title);
    button.addEventListener("click", act);
    return button;
  }

  setFolded(folded) {
    this.folded = folded;
    this.list.hidden = folded;
    this.fold.textContent = folded ? "▴" : "▾";
    this.fold.title = folded ? "Show the files" : "Hide the files";
    this.fold.setAttribute("aria-label", this.fold.title);
    this.fold.setAttribute("aria-expanded", String(!folded));
    this.fold.className = "fold";
  }

  // The colours of the page around it, which changes its theme without loading anew.
  update(component) {
    this.component = component;
    this.uploads.mostBytes = component.data.mostBytes;
    window.spheroscopeDrops.update(component.data);
    // On another page than where it was read it stays out of the way.
    if (this.page && this.page !== location.pathname && !this.uploads.left.length) this.setFolded(true);
    this.page = location.pathname;
    const from = getComputedStyle(component.parentElement.host ?? component.parentElement);
    THEME.forEach((name) => this.host.style.setProperty(`--${name}`, from.getPropertyValue(`--st-${name}`)));
  }

  settled() {
    this.component?.setTriggerValue("settled", Date.now());
  }

  acted() {
    if (!this.uploads.left.length) this.uploads.dismiss();
    else this.uploads.left.forEach((item) => this.uploads.cancel(item));
  }

  draw() {
    const items = [...this.uploads.items.values()];
    const left = this.uploads.left;
    const { notice } = this.uploads;
    this.host.hidden = !items.length && !notice;
    this.note.textContent = notice;
    this.note.hidden = !notice;
    if (this.host.hidden) return;
    const problems = items.filter((item) => ["refused", "lost", "not stored"].includes(item.state));
    this.title.textContent = left.length ? `Uploading ${items.length - left.length} of ${items.length}` : this.counts(items) || "Nothing was uploaded";
    this.detail.textContent = left.length ? this.progress(left) : "";
    const [sent, total] = ["sent", "size"].map((name) => left.reduce((sum, item) => sum + (item[name] ?? 0), 0));
    const share = left.length ? (items.length - left.length + (total ? sent / total : 0) * left.length) / items.length : 1;
    this.bar.hidden = !left.length;
    this.bar.firstElementChild.style.width = `${100 * share}%`;
    this.bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    this.act.textContent = left.length ? "Cancel all" : "Dismiss";
    this.drawList(items);
    this.leaveSoon(!left.length && !problems.length && !notice);
  }

  // Where nothing went wrong, the tray leaves by itself; the page of the images has the verdicts.
  leaveSoon(clean) {
    clearTimeout(this.leaving);
    if (clean) {
      this.leaving = setTimeout(() => {
        this.uploads.items.clear();
        this.draw();
      }, SHORT_MS);
    }
  }

  counts(items) {
    const counts = new Map();
    items.forEach(({ state }) => counts.set(WORDS[state] ?? state, (counts.get(WORDS[state] ?? state) ?? 0) + 1));
    return ["stored", "restored", "already there", "refused", "not stored", "cancelled"]
      .filter((word) => counts.has(word))
      .map((word) => `${counts.get(word)} ${word}`)
      .join(", ");
  }

  progress(left) {
    const bytes = left.reduce((sum, item) => sum + item.size - item.sent, 0);
    const waiting = left.find((item) => item.timer && item.message);
    if (waiting && !left.some((item) => item.state !== "waiting")) return `${waiting.message}. Trying again …`;
    const rate = this.uploads.rate;
    const speed = rate ? ` · ${megabytes(rate)} MB/s · ${duration(bytes / rate)} left` : "";
    return `${megabytes(bytes)} MB to go${speed}`;
  }

  drawList(items) {
    // Once all have their verdict, those that need somebody are left; the page of the images lists the others.
    const shown = this.uploads.left.length ? items : items.filter((item) => !IN_PROJECT.has(item.state));
    const sorted = shown.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
    const focused = this.host.shadowRoot.activeElement?.dataset.of;
    const rows = sorted.slice(0, ROWS).map((item) => this.row(item));
    if (sorted.length > ROWS) rows.push(make("li", "more", `and ${sorted.length - ROWS} more`));
    this.list.replaceChildren(...rows);
    if (focused) this.list.querySelector(`[data-of="${focused}"]`)?.focus();
  }

  row(item) {
    const row = make("li", `file ${item.state.replace(" ", "-")}`);
    const mark = make("span", "mark", MARKS[item.state]);
    mark.setAttribute("aria-hidden", "true");
    const name = make("span", "name", item.path);
    name.title = item.path;
    const share = item.size ? Math.round((100 * item.sent) / item.size) : 0;
    const words = item.state === "sending" ? `${share} %` : (WORDS[item.state] ?? item.state);
    row.append(mark, name, make("span", "state", words));
    const act = (text, title, does) => {
      const button = this.button(text, `${title} ${item.path}`, does);
      button.dataset.of = item.key + text;
      row.append(button);
    };
    if (["waiting", "sending"].includes(item.state)) act("✕", "Cancel", () => this.uploads.cancel(item));
    if (item.file && (["refused", "cancelled", "not stored"].includes(item.state) || item.timer)) act("↻", "Retry", () => this.uploads.retry(item));
    if (item.message && item.state !== "stored") row.append(make("span", "message", item.message));
    return row;
  }
}

window.spheroscopeUploads ??= new Uploads();
window.spheroscopeDrops ??= new Drops(window.spheroscopeUploads);
window.spheroscopeTray ??= new UploadTray(window.spheroscopeUploads);

export default function (component) {
  window.spheroscopeTray.update(component);
}
