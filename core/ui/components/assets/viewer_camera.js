// Camera: which part of the image is seen. Pure arithmetic; a screen point is image point × scale + offset.

const MAX_SCALE = 40;

class Camera {
  constructor() {
    this.image = { width: 1, height: 1 };
    this.view = { width: 1, height: 1 };
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.fitted = true;
    this.least = 1; // scale to which one may zoom out, even where the whole picture is larger
    this.slack = 0; // screen pixels by which the picture may leave the view, where something lies over its edge
  }

  setImage(width, height) {
    this.image = { width: Math.max(1, width), height: Math.max(1, height) };
    this.fit();
  }

  // A resized view keeps what lies in its middle, unless the whole picture was in view: then it stays so.
  setView(width, height) {
    const middle = this.toImage(this.view.width / 2, this.view.height / 2);
    this.view = { width: Math.max(1, width), height: Math.max(1, height) };
    if (this.fitted) this.fit();
    else this.centre(middle.x, middle.y, this.scale);
  }

  get fitScale() {
    return Math.min(this.view.width / this.image.width, this.view.height / this.image.height);
  }

  get minScale() {
    return Math.min(this.fitScale, this.least);
  }

  get atLeast() {
    return this.scale <= this.minScale * 1.0001;
  }

  toImage(x, y) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  toScreen(x, y) {
    return { x: x * this.scale + this.x, y: y * this.scale + this.y };
  }

  fit() {
    this.centre(this.image.width / 2, this.image.height / 2, this.fitScale);
    this.fitted = true;
  }

  centre(x, y, scale) {
    this.scale = clamp(scale, this.minScale, MAX_SCALE);
    this.fitted = false;
    this.x = this.view.width / 2 - x * this.scale;
    this.y = this.view.height / 2 - y * this.scale;
    this.hold();
  }

  // Zoom so that the image point under the screen point (x, y) stays there.
  zoom(factor, x = this.view.width / 2, y = this.view.height / 2) {
    const still = this.toImage(x, y);
    this.scale = clamp(this.scale * factor, this.minScale, MAX_SCALE);
    this.fitted = false;
    this.x = x - still.x * this.scale;
    this.y = y - still.y * this.scale;
    this.hold();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.hold();
  }

  // The picture never leaves the view: it is centred where it is smaller, and covers the view where larger.
  hold() {
    this.x = held(this.x, this.image.width * this.scale, this.view.width, this.slack);
    this.y = held(this.y, this.image.height * this.scale, this.view.height, this.slack);
  }

  // Show a box in the middle with its surroundings.
  zoomTo([left, top, right, bottom]) {
    const room = 1.8;
    const wide = this.view.width / Math.max(1, (right - left) * room);
    const high = this.view.height / Math.max(1, (bottom - top) * room);
    this.centre((left + right) / 2, (top + bottom) / 2, Math.min(wide, high));
  }

  // Move only if the middle of the box is out of sight.
  reveal([left, top, right, bottom]) {
    const middle = { x: (left + right) / 2, y: (top + bottom) / 2 };
    const seen = this.toScreen(middle.x, middle.y);
    const inside = seen.x >= 0 && seen.y >= 0 && seen.x <= this.view.width && seen.y <= this.view.height;
    if (!inside) this.centre(middle.x, middle.y, this.scale);
  }
}

function held(offset, size, room, slack) {
  const [least, most] = size <= room ? [(room - size) / 2, (room - size) / 2] : [room - size, 0];
  return clamp(offset, least - slack, most + slack);
}

function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
