// Bend: at most forty handles on an outline. Only the stretch between the two neighbours of the moved handle changes.

const HANDLES = { most: 40, least: 8, apart: 24 }; // apart: image pixels between two handles, where there is room
const GRIP = 12; // screen pixels within which a pointer takes a handle

class Bend {
  constructor(region) {
    const [outer, ...holes] = ringsOf(region).map(pointsOf);
    Object.assign(this, { outer, holes, region });
    const length = outer.reduce((sum, point, place) => sum + distance(point, outer[(place + 1) % outer.length]), 0);
    const count = clamp(Math.round(length / HANDLES.apart), HANDLES.least, HANDLES.most);
    this.handles = evenly(outer, Math.min(count, outer.length), length);
    this.moved = null;
  }

  // The handle that a pointer takes, or null.
  handleAt(point, scale) {
    const near = this.handles
      .map((place, handle) => ({ handle, away: distance(this.outer[place], point) * scale }))
      .filter(({ away }) => away <= GRIP)
      .sort((one, other) => one.away - other.away);
    return near.length > 0 ? near[0].handle : null;
  }

  // The outer ring with a handle moved to a point; what is further along keeps its place more and more.
  with(handle, point) {
    const { outer, handles } = this;
    const from = outer[handles[handle]];
    const shift = { x: point.x - from.x, y: point.y - from.y };
    const ring = [...outer];
    for (const way of [-1, 1]) {
      const end = handles[(handle + way + handles.length) % handles.length];
      const steps = (((end - handles[handle]) * way) % outer.length + outer.length) % outer.length || outer.length;
      for (let step = way > 0 ? 0 : 1; step < steps; step++) {
        const place = (handles[handle] + way * step + outer.length * 2) % outer.length;
        const weight = (1 + Math.cos((Math.PI * step) / steps)) / 2;
        ring[place] = { x: outer[place].x + shift.x * weight, y: outer[place].y + shift.y * weight };
      }
    }
    return ring;
  }

  changes(draft, number, ring) {
    const box = boxAround([this.region, boxOfPoints(ring, 1, draft.image)]);
    const there = draft.labels.read(box);
    const mask = polygonMask([ring], box);
    const holes = polygonMask(this.holes, box);
    const free = mask.map((inside, place) => (inside && !holes[place] && (there[place] === 0 || there[place] === number) ? 1 : 0));
    const [largest] = regionsOfParts(free, box);
    if (!largest) throw new Refusal("Nothing would be left of it.");
    return draft.changesTo(number, [largest]);
  }
}

function pointsOf(ring) {
  const points = [];
  for (let place = 0; place < ring.length; place += 2) points.push({ x: ring[place], y: ring[place + 1] });
  return points;
}

function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

// Places of points that are about evenly apart along a closed line.
function evenly(points, count, length) {
  const places = [];
  let travelled = 0;
  points.forEach((point, place) => {
    if (travelled >= (places.length * length) / count && places.length < count) places.push(place);
    travelled += distance(point, points[(place + 1) % points.length]);
  });
  return places;
}
