// Shapes: what lines and closed lines cover, and which pixels belong together. Pure arithmetic on masks, which are
// bytes of a box. Points are { x, y } in pixels; (0.5, 0.5) is the middle of the first pixel.

const FOUR = [[1, 0], [-1, 0], [0, 1], [0, -1]];
const EIGHT = [...FOUR, [1, 1], [1, -1], [-1, 1], [-1, -1]];

// The box of pixels around points, with room for a radius, within an image; null where it lies outside.
function boxOfPoints(points, radius, image) {
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  const x = Math.floor(Math.min(...xs));
  const y = Math.floor(Math.min(...ys));
  const box = { x, y, width: Math.ceil(Math.max(...xs)) - x + 1, height: Math.ceil(Math.max(...ys)) - y + 1 };
  const grown = grownBox(box, Math.ceil(radius) + 1, image);
  return grown.width > 0 && grown.height > 0 ? grown : null;
}

// Pixels whose middle is at most `radius` from a line through points.
function strokeMask(points, radius, box) {
  const mask = new Uint8Array(box.width * box.height);
  const segments = points.length > 1 ? points.slice(1).map((point, place) => [points[place], point]) : [[points[0], points[0]]];
  for (const [from, to] of segments) strokeSegment(mask, box, from, to, Math.max(radius, 0.5));
  return mask;
}

function strokeSegment(mask, box, from, to, radius) {
  const reach = Math.sqrt(radius * radius + 1e-9);
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius - box.y));
  const bottom = Math.min(box.height - 1, Math.ceil(Math.max(from.y, to.y) + radius - box.y));
  for (let row = top; row <= bottom; row++) {
    const span = spanOf(row + box.y + 0.5 - from.y, to.x - from.x, to.y - from.y, reach);
    const first = Math.max(0, Math.ceil(span[0] + from.x - box.x - 0.5));
    const last = Math.min(box.width - 1, Math.floor(span[1] + from.x - box.x - 0.5));
    if (first <= last) mask.fill(1, row * box.width + first, row * box.width + last + 1);
  }
}

// Where a level crosses all that is within reach of the line from (0, 0) to (dx, dy): from x to x. That is a disc
// around either end and the strip between them, together convex.
function spanOf(y, dx, dy, reach) {
  let [left, right] = [Infinity, -Infinity];
  const take = (low, high) => {
    if (low > high) return;
    left = Math.min(left, low);
    right = Math.max(right, high);
  };
  if (Math.abs(y) <= reach) take(-Math.sqrt(reach * reach - y * y), Math.sqrt(reach * reach - y * y));
  const below = y - dy;
  if (Math.abs(below) <= reach) take(dx - Math.sqrt(reach * reach - below * below), dx + Math.sqrt(reach * reach - below * below));
  const length = Math.hypot(dx, dy);
  if (length === 0) return [left, right];
  // Of the strip: no further from the line than the reach, and between its ends.
  const across = dy === 0 ? (Math.abs(y) <= reach ? [-Infinity, Infinity] : [1, 0]) : interval((y * dx - reach * length) / dy, (y * dx + reach * length) / dy);
  const along = dx === 0 ? (y * dy >= 0 && y * dy <= length * length ? [-Infinity, Infinity] : [1, 0]) : interval((-y * dy) / dx, (length * length - y * dy) / dx);
  take(Math.max(across[0], along[0]), Math.min(across[1], along[1]));
  return [left, right];
}

function interval(one, other) {
  return one < other ? [one, other] : [other, one];
}

// Pixels that a line of no width passes through; it has no gaps, not even at corners.
function lineMask(points, box) {
  const mask = new Uint8Array(box.width * box.height);
  const set = (x, y) => {
    const [column, row] = [Math.floor(x) - box.x, Math.floor(y) - box.y];
    if (column >= 0 && row >= 0 && column < box.width && row < box.height) mask[row * box.width + column] = 1;
  };
  points.slice(1).forEach((to, place) => {
    const from = points[place];
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) * 2));
    for (let step = 0; step <= steps; step++) {
      const [x, y] = [from.x + ((to.x - from.x) * step) / steps, from.y + ((to.y - from.y) * step) / steps];
      set(x, y);
      set(x + 0.5, y); // two pixels wide, so that nothing leaks through at a corner
    }
  });
  return mask;
}

// Pixels whose middle lies in closed lines, each a list of points. `evenOdd`: what a second line encloses is a hole.
function polygonMask(rings, box, evenOdd = false) {
  const mask = new Uint8Array(box.width * box.height);
  for (let row = 0; row < box.height; row++) {
    const crossings = rings.flatMap((ring) => crossingsOf(ring, row + box.y + 0.5)).sort((one, other) => one.x - other.x);
    let winding = 0;
    crossings.forEach(({ x, way }, place) => {
      winding += evenOdd ? 1 : way;
      const inside = evenOdd ? winding % 2 : winding !== 0;
      if (!inside || place + 1 === crossings.length) return;
      const first = Math.max(0, Math.ceil(x - box.x - 0.5));
      const last = Math.min(box.width, Math.ceil(crossings[place + 1].x - box.x - 0.5));
      if (last > first) mask.fill(1, row * box.width + first, row * box.width + last);
    });
  }
  return mask;
}

function crossingsOf(ring, level) {
  const crossings = [];
  ring.forEach((from, place) => {
    const to = ring[(place + 1) % ring.length];
    if (from.y <= level === to.y <= level) return;
    crossings.push({ x: from.x + ((level - from.y) / (to.y - from.y)) * (to.x - from.x), way: from.y < to.y ? 1 : -1 });
  });
  return crossings;
}

// Which pixels of a mask connect: numbers 1, 2, … for each part, 0 outside, and how many pixels each part has.
function partsOf(mask, width, height, steps = EIGHT) {
  const { starts, ends, parts, sizes } = connectedRuns(mask, width, height, steps);
  const numbers = new Int32Array(mask.length);
  starts.forEach((start, run) => numbers.fill(parts[run] + 1, start, ends[run]));
  return { numbers, sizes };
}

// The runs of a mask, row by row: where each starts and ends, and which part it belongs to; the parts' sizes in
// pixels. Runs of neighbouring rows connect where they touch, so this takes time by runs, not by pixels.
function connectedRuns(mask, width, height, steps = EIGHT) {
  const reach = steps === EIGHT ? 1 : 0; // at corners, too
  const [starts, ends, above] = [[], [], []];
  const first = (run) => {
    while (above[run] !== run) run = above[run] = above[above[run]];
    return run;
  };
  let [upper, lower] = [0, 0]; // the first run of the row above, and of this row
  let place = mask.indexOf(1);
  for (let row = 0; row < height && place >= 0; row++) {
    const until = (row + 1) * width;
    let touching = upper;
    while (place >= 0 && place < until) {
      const end = endOfRun(mask, place, until);
      const run = starts.push(place) - 1;
      ends.push(end);
      above.push(run);
      while (touching < lower && ends[touching] + width + reach <= place) touching++;
      for (let other = touching; other < lower && starts[other] + width < end + reach; other++) {
        const [one, two] = [first(other), first(run)];
        above[Math.max(one, two)] = Math.min(one, two);
      }
      place = mask.indexOf(1, end);
    }
    [upper, lower] = [lower, starts.length];
  }
  return { starts, ends, ...numbered(starts, ends, first) };
}

function endOfRun(mask, start, until) {
  let end = start + 1;
  while (end < until && mask[end]) end++;
  return end;
}

function numbered(starts, ends, first) {
  const [parts, sizes] = [[], []];
  starts.forEach((start, run) => {
    const root = first(run);
    parts[run] = root === run ? sizes.push(0) - 1 : parts[root];
    sizes[parts[run]] += ends[run] - start;
  });
  return { parts, sizes };
}

// The parts of a mask as regions, the largest first.
function regionsOfParts(mask, box) {
  const { starts, ends, parts, sizes } = connectedRuns(mask, box.width, box.height);
  const runs = sizes.map(() => []);
  parts.forEach((part, run) => runs[part].push([starts[run], ends[run]]));
  return runs.map((each) => regionOfRuns(each, box)).sort((one, other) => areaOf(other) - areaOf(one));
}

// A region of runs of a box, each [start, end] in one row.
function regionOfRuns(each, { x, y, width }) {
  const top = Math.floor(each[0][0] / width);
  const rowOf = (start) => Math.floor(start / width);
  let [left, right] = [width, 0];
  for (const [start, end] of each) {
    const from = start % width;
    if (from < left) left = from;
    if (from + end - start > right) right = from + end - start;
  }
  const wide = right - left;
  const runs = [];
  let last = -1; // where the run before ends
  for (const [start, end] of each) {
    const from = (rowOf(start) - top) * wide + (start % width) - left;
    if (from === last) runs[runs.length - 1] += end - start;
    else runs.push(from, end - start);
    last = from + end - start;
  }
  return { x: x + left, y: y + top, width: wide, height: rowOf(each.at(-1)[0]) - top + 1, runs };
}

// The regions of the numbers 1 to `count` in a box, the largest first; those that do not occur are left out.
function regionsOfNumbers(numbers, count, box) {
  const sides = Array.from({ length: count }, () => [box.width, box.height, -1, -1]);
  numbers.forEach((number, place) => {
    if (!number) return;
    const [column, row] = [place % box.width, Math.floor(place / box.width)];
    const side = sides[number - 1];
    if (column < side[0]) side[0] = column;
    if (row < side[1]) side[1] = row;
    if (column > side[2]) side[2] = column;
    if (row > side[3]) side[3] = row;
  });
  const regions = sides.map(([left, top, right, bottom], part) => {
    if (right < 0) return null;
    const frame = { x: box.x + left, y: box.y + top, width: right - left + 1, height: bottom - top + 1 };
    const mask = new Uint8Array(frame.width * frame.height);
    for (let row = 0; row < frame.height; row++) {
      for (let column = 0; column < frame.width; column++) {
        if (numbers[(row + top) * box.width + column + left] === part + 1) mask[row * frame.width + column] = 1;
      }
    }
    return regionOf(mask, frame);
  });
  return regions.filter(Boolean).sort((one, other) => areaOf(other) - areaOf(one));
}

// The mask with its holes filled: background that does not connect with the box's edge, four ways.
function filledHoles(mask, width, height) {
  const wide = width + 2;
  const outside = new Uint8Array(wide * (height + 2)).fill(1);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (mask[row * width + column]) outside[(row + 1) * wide + column + 1] = 0;
    }
  }
  const { numbers } = partsOf(outside, wide, height + 2, FOUR);
  return mask.map((inside, place) => {
    const [row, column] = [Math.floor(place / width), place % width];
    return inside || numbers[(row + 1) * wide + column + 1] !== numbers[0] ? 1 : 0;
  });
}

// Every pixel of a mask gets the number of the nearest numbered pixel, going through the mask alone.
function spread(numbers, mask, width, height) {
  let edge = [];
  numbers.forEach((number, place) => number && edge.push(place));
  while (edge.length > 0) {
    const next = [];
    for (const place of edge) {
      const [column, row] = [place % width, Math.floor(place / width)];
      for (const [dx, dy] of EIGHT) {
        const [x, y] = [column + dx, row + dy];
        if (x < 0 || y < 0 || x >= width || y >= height) continue;
        const other = y * width + x;
        if (!mask[other] || numbers[other]) continue;
        numbers[other] = numbers[place];
        next.push(other);
      }
    }
    edge = next;
  }
  return numbers;
}

// Squared distance of every pixel to the nearest one of a mask (Felzenszwalb and Huttenlocher, 2012).
function squaredDistances(mask, width, height) {
  const far = 1e9;
  const field = Float64Array.from(mask, (inside) => (inside ? 0 : far));
  const size = Math.max(width, height);
  const [line, vertex, border] = [new Float64Array(size), new Int32Array(size), new Float64Array(size + 1)];
  const pass = (from, step, count) => {
    for (let place = 0; place < count; place++) line[place] = field[from + place * step];
    let last = 0;
    [vertex[0], border[0], border[1]] = [0, -Infinity, Infinity];
    for (let place = 1; place < count; place++) {
      let meet = 0;
      do {
        const other = vertex[last];
        meet = (line[place] + place * place - line[other] - other * other) / (2 * (place - other));
      } while (meet <= border[last] && --last >= 0);
      last++;
      [vertex[last], border[last], border[last + 1]] = [place, meet, Infinity];
    }
    for (let place = 0, part = 0; place < count; place++) {
      while (border[part + 1] < place) part++;
      field[from + place * step] = (place - vertex[part]) ** 2 + line[vertex[part]];
    }
  };
  for (let column = 0; column < width; column++) pass(column, width, height);
  for (let row = 0; row < height; row++) pass(row * width, 1, width);
  return field;
}

// A mask whose parts are joined over gaps of up to twice `reach`, with as little as that takes; as it is where
// they are further apart. The box needs room of `reach` around the mask.
function bridged(mask, width, height, reach) {
  const away = squaredDistances(mask, width, height);
  for (let radius = 1; radius <= reach; radius++) {
    const grown = Uint8Array.from(away, (distance) => (distance <= radius * radius ? 1 : 0));
    if (partsOf(grown, width, height).sizes.length > 1) continue;
    const outside = squaredDistances(grown.map((inside) => 1 - inside), width, height);
    const closed = mask.map((inside, place) => (inside || outside[place] > radius * radius ? 1 : 0));
    if (partsOf(closed, width, height).sizes.length === 1) return closed;
  }
  return mask;
}
