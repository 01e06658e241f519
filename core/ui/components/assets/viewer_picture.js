// Picture: draws the image, the outlines over it, the scale bar and the cursor's place.

const SVG = "http://www.w3.org/2000/svg";
const PIXELS_FROM = 3; // from this zoom on single pixels are shown as squares, not smoothed away
const BAR_PX = 120; // the scale bar is at most this long

class Picture {
  constructor(root, model, camera) {
    Object.assign(this, { root, model, camera });
    this.stage = root.querySelector(".stage");
    this.img = root.querySelector("img");
    this.svg = root.querySelector("svg");
    this.scene = root.querySelector(".scene");
    this.before = root.querySelector(".before");
    this.labels = root.querySelector(".labels");
    this.message = root.querySelector(".message");
    this.drawn = new Map();
    this.drawers = []; // of layers that other parts lay over the picture
    this.frame = 0;
    this.img.onload = () => this.say("");
    this.img.onerror = () => this.say("The picture could not be loaded. Reload the page to try again.");
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(this.stage);
    model.listen((change) => this.on(change));
  }

  close() {
    this.resizing.disconnect();
    cancelAnimationFrame(this.frame);
  }

  listenToDrawing(drawer) {
    this.drawers.push(drawer);
  }

  // Where on the stage an event happened, in screen pixels.
  placeOf(event) {
    const box = this.stage.getBoundingClientRect();
    const { clientLeft, clientTop } = this.stage; // the border's width: the picture begins inside it
    return { x: event.clientX - box.left - clientLeft, y: event.clientY - box.top - clientTop };
  }

  on(change) {
    if (change === "image") this.newImage();
    if (change === "comparison") this.buildComparison();
    if (change === "picture") this.load();
    if (change === "objects") this.buildOutlines();
    if (change === "some objects") this.replaceOutlines();
    if (change === "selection") this.showSelection();
    if (change === "hover") this.mark("hovered", this.model.hovered);
    if (change === "show") this.load();
    this.render();
  }

  // The picture of the image before is taken away at once: it must not be seen under the new outlines.
  newImage() {
    const { width, height } = this.model.data;
    this.img.removeAttribute("src");
    this.camera.setImage(width, height);
    this.load();
  }

  load() {
    const { width, height, shownHeight } = this.model.data;
    this.root.style.setProperty("--height", shownHeight);
    this.root.style.setProperty("--aspect", `${width} / ${height}`);
    this.img.style.width = `${width}px`;
    this.img.style.height = `${height}px`;
    if (this.img.getAttribute("src") === this.model.pictureUrl) return;
    this.say("Loading…", "loading");
    this.img.setAttribute("src", this.model.pictureUrl);
  }

  // While one picture replaces another of the same image the old one stays, so that nothing flickers.
  say(text, kind = "failed") {
    const waiting = kind === "loading" && this.img.getAttribute("src") !== null;
    this.message.textContent = text;
    this.message.hidden = text === "" || waiting;
    this.stage.classList.toggle("blank", !this.message.hidden);
  }

  resize() {
    this.camera.setView(this.stage.clientWidth, this.stage.clientHeight);
    this.render();
  }

  buildOutlines() {
    this.drawn = new Map([...this.model.objects.values()].map((item) => [item.number, drawObject(item)]));
    this.scene.replaceChildren(...[...this.drawn.values()].map((drawn) => drawn.group));
    this.labels.replaceChildren(...[...this.drawn.values()].map((drawn) => drawn.label));
    this.stage.setAttribute("aria-label", describe(this.model));
    this.mark("selected", this.model.selected);
  }

  // Only what was corrected: hundreds of other outlines stay as they are.
  replaceOutlines() {
    for (const number of this.model.replaced) {
      this.drawn.get(number)?.group.remove();
      this.drawn.get(number)?.label.remove();
      this.drawn.delete(number);
      const item = this.model.objects.get(number);
      if (!item) continue;
      const drawn = drawObject(item);
      this.drawn.set(number, drawn);
      this.scene.append(drawn.group);
      this.labels.append(drawn.label);
    }
    this.stage.setAttribute("aria-label", describe(this.model));
    this.mark("selected", this.model.selected);
  }

  // The outlines of the other result, which nothing can be done with but look at them.
  buildComparison() {
    const { comparison } = this.model.data;
    const outlines = (comparison?.outlines ?? []).flatMap((rings) => {
      const d = rings.map(ringPath).join("");
      return [svg("path", { class: "halo", d }), svg("path", { class: "line", d })];
    });
    this.before.replaceChildren(...outlines);
  }

  showSelection() {
    const item = this.model.objects.get(this.model.selected);
    this.mark("selected", this.model.selected);
    if (!item) return;
    this.scene.append(this.drawn.get(item.number).group); // drawn last, so no neighbour covers it
    if (!this.model.editing) this.camera.reveal(item.box); // whoever draws must not lose their place
  }

  mark(name, number) {
    this.root.querySelectorAll(`svg .${name}`).forEach((part) => part.classList.remove(name));
    const drawn = this.drawn.get(number);
    drawn?.group.classList.add(name);
    drawn?.label.classList.add(name);
  }

  // Many changes may come between two frames of the screen; they are drawn once.
  render() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.model.data) this.draw();
    });
  }

  draw() {
    const { scale, x, y } = this.camera;
    this.img.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    for (const layer of [this.scene, this.before]) {
      layer.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
    }
    this.img.classList.toggle("pixels", scale > PIXELS_FROM);
    this.stage.classList.toggle("least", this.camera.atLeast);
    this.svg.classList.toggle("bare", !this.model.show.outlines);
    this.labels.classList.toggle("bare", !this.model.show.numbers);
    this.svg.dataset.compared = this.model.data.comparison ? this.model.compared : "";
    this.root.querySelector(".zoom").textContent = `${Math.round(scale * 100)} %`;
    this.placeLabels();
    this.drawScaleBar();
    this.drawers.forEach((drawer) => drawer());
  }

  placeLabels() {
    const items = [...this.model.objects.values()].map((item) => this.onScreen(item));
    const first = items.filter((item) => item.large);
    const places = labelPlaces([...first, ...items.filter((item) => !item.large)], this.camera.view);
    for (const { number, box } of items) {
      const { label } = this.drawn.get(number);
      const [x, y] = places.get(number) ?? [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
      label.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
      label.classList.toggle("cramped", places.get(number) === null);
    }
  }

  onScreen({ number, box: [left, top, right, bottom] }) {
    const [from, to] = [this.camera.toScreen(left, top), this.camera.toScreen(right, bottom)];
    return { number, box: [from.x, from.y, to.x, to.y], large: number === this.model.selected };
  }

  drawScaleBar() {
    const { umPerPx } = this.model.data;
    const bar = this.root.querySelector(".scale");
    bar.hidden = !umPerPx;
    if (!umPerPx) return;
    const pxPerUm = this.camera.scale / umPerPx;
    const um = niceLength(BAR_PX / pxPerUm);
    bar.querySelector(".rule").style.width = `${um * pxPerUm}px`;
    bar.querySelector(".length").textContent = um >= 1000 ? `${um / 1000} mm` : `${um} µm`;
  }

  // Where the cursor is, in pixels from the left and top, and in µm if the pixel size is known.
  showCursor(screen) {
    const cursor = this.root.querySelector(".cursor");
    const { width, height, umPerPx } = this.model.data;
    const at = screen && this.camera.toImage(screen.x, screen.y);
    cursor.hidden = !at || at.x < 0 || at.y < 0 || at.x >= width || at.y >= height;
    if (cursor.hidden) return;
    const um = umPerPx ? ` · ${Math.round(at.x * umPerPx)}, ${Math.round(at.y * umPerPx)} µm` : "";
    cursor.textContent = `x ${Math.floor(at.x)}, y ${Math.floor(at.y)} px${um}`;
  }
}

// Two lines, a dark one under a bright one, are seen on any background.
function drawObject(item) {
  const group = svg("g", { class: item.border ? "object border" : "object", "data-number": item.number });
  const d = item.rings.map(ringPath).join("");
  group.append(svg("path", { class: "halo", d }), svg("path", { class: "line", d }));
  const title = svg("title", {});
  title.textContent = item.title;
  group.append(title);
  const label = svg("text", { "data-number": item.number });
  label.textContent = item.name ?? item.number;
  return { group, label };
}

function ringPath(ring) {
  return ring.length === 0 ? "" : `M${ring.join(" ")}Z`;
}

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  return element;
}

function describe({ data, objects }) {
  const found = objects.size === 1 ? "1 outlined spheroid" : `${objects.size} outlined spheroids`;
  return `Picture of ${data.width} by ${data.height} pixels with ${found}`;
}

// The greatest of 1, 2 or 5 times a power of ten that is not above the given length.
function niceLength(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [5, 2, 1].find((digit) => digit * power <= most) ?? 1;
  return Number((step * power).toPrecision(1));
}
