// Outbox: gestures on their way to the server, one after the other. What has not arrived waits, is repeated, and is
// kept in the browser over a reload; the server takes each one once, by its id.
// An item is { id, kind, tool, ms, changes, body }; kind is gesture, click, undo or redo.

const PAUSES = [500, 1000, 2000, 4000, 8000]; // ms before another attempt
const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);

class Outbox {
  constructor(imageId, { answered, refused, changed }) {
    Object.assign(this, { imageId, answered, refused, changed });
    this.place = `spheroscope:corrections:${imageId}`;
    this.items = [];
    this.base = { version_id: null, base_revision: 0 };
    this.failures = 0;
    this.problem = ""; // why nothing arrives, in words
    this.sending = null;
    this.idle = []; // resolved once nothing waits
    this.stopped = false;
  }

  get path() {
    return `/api/images/${this.imageId}/corrections`;
  }

  // How many gestures would be lost with this page.
  get unsent() {
    return this.items.length;
  }

  // Gestures of an earlier visit that never arrived.
  remembered() {
    try {
      return JSON.parse(localStorage.getItem(this.place) ?? "[]");
    } catch {
      return [];
    }
  }

  remember() {
    const items = this.items.map(({ attempted, ...item }) => item);
    try {
      if (items.length > 0) localStorage.setItem(this.place, JSON.stringify(items));
      else localStorage.removeItem(this.place);
    } catch {
      // A browser that stores nothing still sends.
    }
    this.changed();
  }

  add(item) {
    this.items.push({ id: newId(), ...item });
    this.remember();
    this.send();
  }

  // Take back the last gesture, if it has not been on its way yet; the item, or null.
  takeBack() {
    const last = this.items.at(-1);
    if (!last || last.attempted || last.kind !== "gesture") return null;
    this.items.pop();
    this.remember();
    return last;
  }

  send() {
    this.sending ??= this.sendAll().finally(() => {
      this.sending = null;
      if (this.items.length === 0) this.idle.splice(0).forEach((resolve) => resolve());
    });
    return this.sending;
  }

  // Resolves once nothing waits any more.
  emptied() {
    return this.items.length === 0 && !this.sending ? Promise.resolve() : new Promise((resolve) => this.idle.push(resolve));
  }

  async sendAll() {
    while (this.items.length > 0 && !this.stopped) {
      const item = this.items[0];
      item.attempted = true;
      const answer = await this.request("POST", addressOf(item), bodyOf(item, this.base), item.id);
      if (this.stopped || this.items[0] !== item) continue;
      if (answer.ok) {
        this.items.shift();
        await this.answered(item, answer.json);
      } else {
        await this.refused(item, answer);
      }
      this.remember();
    }
  }

  // Ask until there is an answer; what is refused for good is an answer, too.
  async request(method, path, body = null, key = null) {
    for (;;) {
      const answer = await fetched(method, this.path + path, body, key);
      if (answer.status !== 0 && !AGAIN.has(answer.status) && answer.status !== 401) {
        this.failures = 0;
        this.tell("");
        return answer;
      }
      this.tell(answer.status === 401 ? "You have been signed out. Sign in again in another tab; your changes wait here." : noAnswer(answer));
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, PAUSES[Math.min(this.failures++, PAUSES.length - 1)]);
      });
      if (this.stopped) return answer;
    }
  }

  tell(problem) {
    if (problem === this.problem) return;
    this.problem = problem;
    this.changed();
  }
}

async function fetched(method, address, body, key) {
  const headers = key ? { "Idempotency-Key": key } : {};
  if (body) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(address, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
    const text = await response.text();
    return { ok: response.ok, status: response.status, json: text ? JSON.parse(text) : null };
  } catch {
    return { ok: false, status: 0, json: null }; // no connection, or not our server's answer
  }
}

function noAnswer({ status, json }) {
  return status === 0 ? "No connection. Your changes wait here and are sent again." : json?.error?.message ?? "The app is busy. Your changes wait here and are sent again.";
}

function addressOf({ kind }) {
  return kind === "gesture" ? "" : `/${kind}`;
}

function bodyOf({ kind, tool, ms = 0, changes, body = {} }, base) {
  if (kind !== "gesture") return { ...base, ms, ...body };
  const objects = changes.map(({ number, after, parents }) => {
    const named = number >= NEW_FROM ? { number: null } : { number };
    return { ...named, ...toWire(after), parents: (parents ?? []).filter((parent) => parent < NEW_FROM) };
  });
  return { ...base, tool, ms, objects };
}
