// Labels: where numbers stand so that none covers another. Pure arithmetic in screen pixels.

const DIGIT_PX = 8;
const LABEL_PX = 15; // height
const LABEL_GAP = 4;
const CELL_PX = 64;

// Places by number, [x, y] of a label's middle; null where there is no room for one. An item is
// {number, box: [left, top, right, bottom], large}; those that come first choose first.
function labelPlaces(items, view) {
  const taken = new Occupied();
  const places = new Map();
  for (const item of items) {
    const size = item.large ? 1.4 : 1;
    const half = [(String(item.number).length * DIGIT_PX * size) / 2 + 1, (LABEL_PX * size) / 2];
    const free = candidates(item.box, half).find(([x, y]) => inView(x, y, view) && taken.isFree(x, y, half));
    places.set(item.number, free ?? null);
    if (free) taken.add(free[0], free[1], half);
  }
  return places;
}

// Inside where the outline is large enough, beside it where it is not or where that is taken.
function candidates([left, top, right, bottom], [halfWidth, halfHeight]) {
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const beside = [
    [x, top - halfHeight - LABEL_GAP],
    [x, bottom + halfHeight + LABEL_GAP],
    [right + halfWidth + LABEL_GAP, y],
    [left - halfWidth - LABEL_GAP, y],
  ];
  const fits = right - left > 2 * halfWidth + 2 && bottom - top > 2 * halfHeight;
  if (!fits) return beside;
  const [stepX, stepY] = [(right - left) / 4, (bottom - top) / 4];
  return [[x, y], [x, y - stepY], [x, y + stepY], [x - stepX, y], [x + stepX, y], ...beside];
}

function inView(x, y, { width, height }) {
  return x >= 0 && y >= 0 && x <= width && y <= height;
}

// Boxes by the cells of a coarse grid, so that hundreds of labels do not have to be compared with each other.
class Occupied {
  constructor() {
    this.cells = new Map();
  }

  isFree(x, y, half) {
    const apart = (box) => Math.abs(box.x - x) >= box.half[0] + half[0] || Math.abs(box.y - y) >= box.half[1] + half[1];
    return this.keys(x, y, half).every((key) => (this.cells.get(key) ?? []).every(apart));
  }

  add(x, y, half) {
    for (const key of this.keys(x, y, half)) {
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push({ x, y, half });
    }
  }

  keys(x, y, [halfWidth, halfHeight]) {
    const range = (least, most) =>
      Array.from({ length: Math.floor(most / CELL_PX) - Math.floor(least / CELL_PX) + 1 }, (_, step) => Math.floor(least / CELL_PX) + step);
    const rows = range(y - halfHeight, y + halfHeight);
    return range(x - halfWidth, x + halfWidth).flatMap((column) => rows.map((row) => `${column} ${row}`));
  }
}
