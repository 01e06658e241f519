// Keeps files that are not stored yet in the browser's own database, so that a reloaded page can go on with them.
// Each is held by one tab at a time: by the one that wrote it, or, once that has gone, by the first that asks.
const DATABASE = "spheroscope uploads";
const KEPT_BYTES = 2 ** 30; // files beyond are not kept: the browser copies each
const BEAT = 2000;
const GONE = 3 * BEAT;

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

class Keeper {
  constructor() {
    this.tab = newId();
    this.bytes = 0;
    this.database = new Promise((resolve, reject) => {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore("files", { keyPath: "key" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    }).catch(() => null); // a browser may forbid it: then files are held as long as the page lasts
    this.beat();
    this.timer = setInterval(() => this.beat(), BEAT);
    window.addEventListener("pagehide", () => {
      clearInterval(this.timer);
      this.remember((store) => store.removeItem(this.name(this.tab)));
    });
  }

  name(tab) {
    return `spheroscope tab ${tab}`;
  }

  remember(act) {
    try {
      return act(window.localStorage);
    } catch {
      return null;
    }
  }

  beat() {
    this.remember((store) => store.setItem(this.name(this.tab), String(Date.now())));
  }

  alive(tab) {
    if (tab === this.tab) return true;
    const last = this.remember((store) => Number(store.getItem(this.name(tab))));
    return Boolean(last) && Date.now() - last < GONE;
  }

  async run(mode, act) {
    const database = await this.database;
    if (!database) return null;
    return new Promise((resolve) => {
      const change = database.transaction("files", mode);
      const request = act(change.objectStore("files"));
      change.oncomplete = () => resolve(request ? request.result : null);
      change.onerror = change.onabort = () => resolve(null);
    });
  }

  // Every field that says what the file is and where it goes; not how far it is, which the server knows.
  async keep(items) {
    const kept = items.filter((item) => (this.bytes += item.size) <= KEPT_BYTES);
    await this.run("readwrite", (store) => {
      kept.forEach(({ key, batch, project, projectName, path, size, segment, by, file }) => {
        store.put({ key, batch, project, projectName, path, size, segment, by, file, tab: this.tab });
      });
    });
  }

  async forget(item) {
    this.bytes = Math.max(0, this.bytes - item.size);
    await this.run("readwrite", (store) => store.delete(item.key));
  }

  // What nobody holds any more, which is this tab's from now on; and whether another tab holds some.
  async claim() {
    const records = (await this.run("readonly", (store) => store.getAll())) ?? [];
    const mine = records.filter((record) => record.tab !== this.tab && !this.alive(record.tab));
    if (mine.length) await this.keep(mine);
    return { mine, others: records.some((record) => record.tab !== this.tab && this.alive(record.tab)) };
  }
}
