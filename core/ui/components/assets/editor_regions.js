// Regions: the pixels of one spheroid as a box and its runs, as the server stores them. Pure arithmetic.
// A region is { x, y, width, height, runs }; runs are start, length, start, length, … row by row through the box.

// The pixels of a region as bytes 0 or 1 of its box.
function maskOf({ width, height, runs }) {
  const mask = new Uint8Array(width * height);
  for (let place = 0; place < runs.length; place += 2) mask.fill(1, runs[place], runs[place] + runs[place + 1]);
  return mask;
}

// The region of a mask (bytes of a box), drawn tight around its pixels; null where there are none.
function regionOf(mask, { x, y, width, height }) {
  const tight = tightBox(mask, width, height);
  if (!tight) return null;
  const runs = [];
  let start = -1;
  for (let row = 0; row < tight.height; row++) {
    const from = (row + tight.y) * width + tight.x;
    for (let column = 0; column < tight.width; column++) {
      const inside = mask[from + column];
      if (inside && start < 0) start = row * tight.width + column;
      if (!inside && start >= 0) {
        runs.push(start, row * tight.width + column - start);
        start = -1;
      }
    }
  }
  if (start >= 0) runs.push(start, tight.width * tight.height - start);
  return { x: x + tight.x, y: y + tight.y, width: tight.width, height: tight.height, runs };
}

function tightBox(mask, width, height) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (!mask[row * width + column]) continue;
      if (column < left) left = column;
      if (column > right) right = column;
      if (row < top) top = row;
      bottom = row;
    }
  }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

// As the API sends and takes it.
function fromWire({ box, runs }) {
  return box ? { x: box[0], y: box[1], width: box[2], height: box[3], runs } : null;
}

function toWire(region) {
  return region ? { box: [region.x, region.y, region.width, region.height], runs: region.runs } : { runs: [] };
}

function sameRegion(one, other) {
  if (!one || !other) return !one && !other;
  const box = ["x", "y", "width", "height"].every((side) => one[side] === other[side]);
  return box && one.runs.length === other.runs.length && one.runs.every((value, place) => value === other.runs[place]);
}

function areaOf({ runs }) {
  let area = 0;
  for (let place = 1; place < runs.length; place += 2) area += runs[place];
  return area;
}

// The smallest box around several; those that are null do not count. Null of none.
function boxAround(boxes) {
  const there = boxes.filter(Boolean);
  if (there.length === 0) return null;
  const x = Math.min(...there.map((box) => box.x));
  const y = Math.min(...there.map((box) => box.y));
  const right = Math.max(...there.map((box) => box.x + box.width));
  const bottom = Math.max(...there.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

// A box with some room around it, within an image.
function grownBox({ x, y, width, height }, room, image) {
  const [left, top] = [Math.max(0, x - room), Math.max(0, y - room)];
  const right = Math.min(image.width, x + width + room);
  const bottom = Math.min(image.height, y + height + room);
  return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

// The mask of a region as bytes of another box; what lies outside that box is left out.
function maskIn(region, box) {
  const mask = new Uint8Array(box.width * box.height);
  if (!region) return mask;
  const own = maskOf(region);
  const [left, right] = [Math.max(region.x, box.x), Math.min(region.x + region.width, box.x + box.width)];
  const [top, bottom] = [Math.max(region.y, box.y), Math.min(region.y + region.height, box.y + box.height)];
  if (left >= right) return mask;
  for (let row = top; row < bottom; row++) {
    const from = (row - region.y) * region.width + left - region.x;
    mask.set(own.subarray(from, from + right - left), (row - box.y) * box.width + left - box.x);
  }
  return mask;
}
