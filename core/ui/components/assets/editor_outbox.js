// Outbox: gestures on their way to the server, one after the other. What has not arrived waits, is repeated, and is
// kept in the browser over a reload; the server takes each one once, by its id.
// An item is { id, at, kind, tool, ms, changes, body }; kind is gesture, click, undo or redo.
// In the browser each item has an entry of its own, under its image and person: tabs do not overwrite each other's,
// what a closed tab has left is sent by the next one of the same person, and nobody else's strokes are.

const PAUSES = [500, 1000, 2000, 4000, 8000]; // ms before another attempt
const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);

class Outbox {
  constructor(imageId, { answered, refused, changed }) {
    Object.assign(this, { imageId, answered, refused, changed });
    this.person = null; // in whose name the server stores: known once it has answered
    this.items = [];
    this.written = new Set(); // ids of the items that have an entry in the browser
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

  // Send in a person's name from now on, first what they have left in this browser.
  claim(person) {
    if (this.person !== null) return;
    this.person = person;
    this.items = this.remembered();
  }

  get place() {
    return `spheroscope:corrections:${this.imageId}:${encodeURIComponent(this.person)}:`;
  }

  // Gestures of earlier visits, and of other tabs, that never arrived; the first ones first.
  remembered() {
    try {
      const places = Object.keys(localStorage).filter((place) => place.startsWith(this.place));
      const items = places.map((place) => JSON.parse(localStorage.getItem(place)));
      this.written = new Set(items.map(({ id }) => id));
      return items.sort((one, other) => one.at - other.at);
    } catch {
      return [];
    }
  }

  // Keep what waits, and only that, of what this tab has to send; others' entries stay as they are.
  remember() {
    const waiting = new Set(this.items.map(({ id }) => id));
    try {
      [...this.written].filter((id) => !waiting.has(id)).forEach((id) => localStorage.removeItem(this.place + id));
      this.items.forEach(({ attempted, ...item }) => localStorage.setItem(this.place + item.id, JSON.stringify(item)));
    } catch {
      // A browser that stores nothing still sends.
    }
    this.written = waiting;
    this.changed();
  }

  add(item) {
    const at = Math.max(Date.now(), 1 + (this.items.at(-1)?.at ?? 0));
    this.items.push({ id: newId(), at, ...item });
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
      const answer = await fetched(method, this.path + path, body, key, this.person);
      if (answer.status !== 0 && !AGAIN.has(answer.status) && answer.status !== 401) {
        this.failures = 0;
        this.tell("");
        return answer;
      }
      this.tell(noAnswer(answer));
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

// With a `person`, what somebody else is signed in for by now is refused.
async function fetched(method, address, body, key, person = null) {
  const headers = key ? { "Idempotency-Key": key } : {};
  if (person !== null) headers["Expected-Author"] = encodeURIComponent(person);
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
  if (status === 401) return `${json?.error?.message ?? "You have been signed out."} Sign in again in another tab; your changes wait here.`;
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
