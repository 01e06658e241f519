// Overlay: a canvas over the picture with what is being drawn right now. What is finished is in the outlines under
// it, which are not painted again while a line is drawn.

const STROKE_COLOURS = { add: "rgb(53 224 255 / 45%)", erase: "rgb(255 95 87 / 45%)", line: "#ffe14d" };

class Overlay {
  constructor(picture, camera) {
    Object.assign(this, { picture, camera });
    this.canvas = picture.root.querySelector(".strokes");
    this.context = this.canvas.getContext("2d");
    this.frame = 0;
    this.scene = () => {};
  }

  // Draw again before the next frame of the screen, with what `scene` draws.
  render() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { width, height } = this.camera.view;
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
    this.scene(this);
  }

  path(points, closed = false) {
    const path = new Path2D();
    points.forEach((point, place) => {
      const { x, y } = this.camera.toScreen(point.x, point.y);
      if (place === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    });
    if (points.length === 1) {
      const { x, y } = this.camera.toScreen(points[0].x, points[0].y);
      path.lineTo(x + 0.01, y);
    }
    if (closed) path.closePath();
    return path;
  }

  // What a brush has painted so far, as one shape, so that it is nowhere darker than elsewhere.
  stroke(points, radius, erase) {
    const { context } = this;
    Object.assign(context, { lineCap: "round", lineJoin: "round", lineWidth: 2 * radius * this.camera.scale });
    context.strokeStyle = erase ? STROKE_COLOURS.erase : STROKE_COLOURS.add;
    context.stroke(this.path(points));
  }

  // A thin line that is seen on any picture: dark under bright.
  line(points, { closed = false, dashed = false, colour = STROKE_COLOURS.line } = {}) {
    const path = this.path(points, closed);
    Object.assign(this.context, { lineCap: "round", lineJoin: "round" });
    this.context.setLineDash([]);
    Object.assign(this.context, { lineWidth: 4, strokeStyle: "rgb(0 0 0 / 65%)" });
    this.context.stroke(path);
    this.context.setLineDash(dashed ? [6, 5] : []);
    Object.assign(this.context, { lineWidth: 2, strokeStyle: colour });
    this.context.stroke(path);
    this.context.setLineDash([]);
  }

  // The brush where the pointer is: a ring, with a bar in it while it erases.
  brush(point, radius, erase) {
    const { x, y } = this.camera.toScreen(point.x, point.y);
    const size = Math.max(2, radius * this.camera.scale);
    const ring = new Path2D();
    ring.arc(x, y, size, 0, 2 * Math.PI);
    const arm = Math.min(5, size * 0.6);
    ring.moveTo(x - arm, y);
    ring.lineTo(x + arm, y);
    if (!erase) {
      ring.moveTo(x, y - arm);
      ring.lineTo(x, y + arm);
    }
    for (const [lineWidth, strokeStyle] of [[3.5, "rgb(0 0 0 / 70%)"], [1.5, erase ? "#ff8a80" : "#fff"]]) {
      Object.assign(this.context, { lineWidth, strokeStyle });
      this.context.stroke(ring);
    }
  }

  dot(point, filled) {
    const { x, y } = this.camera.toScreen(point.x, point.y);
    this.context.beginPath();
    this.context.arc(x, y, 5, 0, 2 * Math.PI);
    Object.assign(this.context, { lineWidth: 2, fillStyle: filled ? STROKE_COLOURS.line : "#fff", strokeStyle: "rgb(0 0 0 / 75%)" });
    this.context.fill();
    this.context.stroke();
  }
}
