// Detail: of an image that is too large for the browser the picture is scaled down; where it is looked at closely,
// the part in sight is fetched at full resolution and laid over it.

const DETAIL_GRID = 512; // image pixels; parts begin and end on it, so that the same ones are asked for again
const DETAIL_MOST = 4096;
const DETAIL_REST_MS = 200; // after the picture has come to rest

class Detail {
  constructor(picture, camera, model) {
    Object.assign(this, { picture, camera, model, box: null, waiting: 0 });
    this.img = Object.assign(document.createElement("img"), { alt: "", draggable: false, decoding: "async" });
    this.img.onload = () => this.place();
    picture.listenToDrawing(() => this.drawn());
    model.listen((change) => (change === "image" || change === "show") && this.clear());
  }

  drawn() {
    this.place();
    clearTimeout(this.waiting);
    if (this.model.data.shrink > 1) this.waiting = setTimeout(() => this.fetch(), DETAIL_REST_MS);
  }

  clear() {
    this.box = null;
    this.img.removeAttribute("src");
    this.img.remove();
  }

  // Worth it only where a pixel of the scaled picture is larger than one of the screen.
  fetch() {
    const { width, height, shrink } = this.model.data;
    if (this.camera.scale * shrink * (window.devicePixelRatio || 1) <= 1.1) return this.clear();
    const [from, to] = [this.camera.toImage(0, 0), this.camera.toImage(this.camera.view.width, this.camera.view.height)];
    const left = clamp(Math.floor(from.x / DETAIL_GRID) * DETAIL_GRID, 0, width - 1);
    const top = clamp(Math.floor(from.y / DETAIL_GRID) * DETAIL_GRID, 0, height - 1);
    const right = Math.min(width, Math.ceil(to.x / DETAIL_GRID) * DETAIL_GRID, left + DETAIL_MOST);
    const bottom = Math.min(height, Math.ceil(to.y / DETAIL_GRID) * DETAIL_GRID, top + DETAIL_MOST);
    const address = `${this.model.pictureUrl}&box=${left},${top},${right - left},${bottom - top}`.replace(/&longest=\d+/, "");
    if (this.img.getAttribute("src") === address) return undefined;
    this.clear();
    this.box = { left, top, width: right - left, height: bottom - top };
    this.img.setAttribute("src", address);
    return undefined;
  }

  place() {
    if (!this.box || !this.img.complete || this.img.naturalWidth === 0) return;
    const { x, y } = this.camera.toScreen(this.box.left, this.box.top);
    this.img.style.width = `${this.box.width}px`;
    this.img.style.height = `${this.box.height}px`;
    this.img.style.transform = `translate(${x}px, ${y}px) scale(${this.camera.scale})`;
    this.img.classList.toggle("pixels", this.camera.scale > PIXELS_FROM);
    if (!this.img.isConnected) this.picture.img.after(this.img);
  }
}
