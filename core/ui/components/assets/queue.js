// The queue's progress, in the sidebar of every page and above the queue's list. One clock in the window asks
// /api/queue once a second while something waits or runs, whatever number of these are shown, and stops when
// nothing does: an idle page costs nothing. No script runs for it.

const SECOND = 1000;
const AGAIN = 5 * SECOND;  // after an answer that did not come
const STATES = { queued: "◔", running: "◑", done: "●", failed: "✕", cancelled: "–" };

const watch = (window.spheroscopeQueue ??= {
  views: new Set(),
  timer: null,
  now: null,

  show(queue) {
    this.now = queue;
    this.views.forEach((view) => view.draw(this.now));
    if (this.now.left && !this.timer) this.timer = setTimeout(() => this.ask(), SECOND);
  },

  ask() {
    this.timer = setTimeout(() => this.ask(), AGAIN);
    if (document.hidden) return;
    fetch("/api/queue")
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
      .then((queue) => {
        clearTimeout(this.timer);
        this.timer = null;
        const worked = this.now && this.now.left > 0;
        this.show(queue);
        if (worked && !queue.left) this.views.forEach((view) => view.settled());
      })
      .catch(() => {});
  },
});

function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");

class View {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`.${name}`);
  }

  update(component) {
    this.component = component;
    watch.views.add(this);
    watch.show(component.data.queue);
  }

  draw(now) {
    this.root.className = `queue ${now.light} ${now.left ? "active" : ""}`;
    this.part("line").hidden = this.component.data.tiles;
    this.part("mark").textContent = now.light !== "green" ? "▲" : now.left ? "◑" : "●";
    this.part("words").textContent = this.words(now);
    const bar = this.part("bar");
    bar.hidden = !now.left;
    bar.setAttribute("aria-valuenow", Math.round(100 * now.progress));
    bar.firstElementChild.style.width = `${100 * now.progress}%`;
    const alert = this.part("alert");
    alert.hidden = !now.message;
    alert.textContent = now.message;
    if (this.component.data.tiles) this.drawTiles(now);
  }

  words(now) {
    if (!now.left) return "Queue: nothing waiting";
    const time = now.seconds_left === null ? "" : ` · ${clock(now.seconds_left)} left`;
    return `Queue: ${grouped(now.left)} to go${time}`;
  }

  drawTiles(now) {
    const rate = now.per_second === null ? "–" : String(Number(now.per_second.toPrecision(3)));
    const left = now.left && now.seconds_left !== null ? clock(now.seconds_left) : "–";
    const tiles = Object.entries(STATES).map(([state, mark]) => [mark, state, grouped(now.counts[state])]);
    tiles.push(["", "images a second", rate], ["", "time left", left]);
    this.part("tiles").replaceChildren(
      ...tiles.map(([mark, name, value]) => {
        const tile = document.createElement("div");
        tile.className = "tile";
        tile.dataset.name = name;
        const label = document.createElement("span");
        label.textContent = `${mark} ${name}`.trim();
        const figure = document.createElement("b");
        figure.textContent = value;
        tile.append(label, figure);
        return tile;
      }),
    );
  }

  // The page itself may show what has come to rest meanwhile: its script runs once more.
  settled() {
    if (!this.component.data.tiles) this.component.setTriggerValue("settled", Date.now());
  }
}

const views = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".queue");
  if (!views.has(root)) views.set(root, new View(root));
  const view = views.get(root);
  view.update(component);
  return () => {
    if (view.component !== component) return; // Streamlit also ends runs that a newer one has overtaken
    watch.views.delete(view);
    views.delete(root);
  };
}
