// Bend: an outline is pulled where it is wrong. The further it is pulled, the longer the stretch that follows; the
// rest keeps its place. At most forty handles show where to take it, but any place of an outline can be taken.

const HANDLES = { most: 40, least: 8, apart: 24 }; // apart: image pixels between two handles, where there is room
const GRIP = 12; // screen pixels within which a pointer takes an outline
const REACH = 3; // times the distance that it is pulled: so far the outline follows to either side
const MOST_POINTS = 2000; // of an outline, about evenly apart

class Bend {
  constructor(region) {
    const [outer, ...holes] = ringsOf(region).map(pointsOf);
    this.length = ringLength(outer);
    const ring = divided(outer, Math.max(1, this.length / MOST_POINTS));
    Object.assign(this, { outer: ring, along: travelled(ring), holes, region });
    const count = clamp(Math.round(this.length / HANDLES.apart), HANDLES.least, HANDLES.most);
    this.handles = evenly(this.along, Math.min(count, ring.length), this.length);
  }

  // The point of the outline that a pointer takes, a handle if there is one; its place in `outer`, or null.
  placeAt(point, scale) {
    const nearest = (places) => {
      const [place, away] = places.reduce(
        (best, each) => {
          const apart = distance(this.outer[each], point) * scale;
          return apart < best[1] ? [each, apart] : best;
        },
        [null, Infinity],
      );
      return away <= GRIP ? place : null;
    };
    return nearest(this.handles) ?? nearest([...this.outer.keys()]);
  }

  // The outer ring with one of its points moved to another; what is further along keeps its place more and more.
  with(place, point) {
    const { outer, along, length } = this;
    const from = outer[place];
    const shift = { x: point.x - from.x, y: point.y - from.y };
    const reach = Math.min(length / 2, Math.max(length / this.handles.length, REACH * distance(point, from)));
    return outer.map((each, other) => {
      const apart = Math.abs(along[other] - along[place]);
      const away = Math.min(apart, length - apart);
      if (away >= reach) return each;
      const weight = (1 + Math.cos((Math.PI * away) / reach)) / 2;
      return { x: each.x + shift.x * weight, y: each.y + shift.y * weight };
    });
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

// What a pointer takes of the outlines next to it: the number of a spheroid and its bend; null where there are none.
function bendNear(draft, point, scale) {
  const box = boxOfPoints([point], GRIP / scale, draft.image);
  if (!box) return null;
  const near = new Set(draft.labels.read(box));
  if (near.size < 2) return null; // the middle of a spheroid, or of the background
  for (const number of near) {
    if (!number) continue;
    const bend = new Bend(draft.objects.get(number));
    if (bend.placeAt(point, scale) !== null) return { number, bend };
  }
  return null;
}

function pointsOf(ring) {
  const points = [];
  for (let place = 0; place < ring.length; place += 2) points.push({ x: ring[place], y: ring[place + 1] });
  return points;
}

function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

function ringLength(ring) {
  return ring.reduce((sum, point, place) => sum + distance(point, ring[(place + 1) % ring.length]), 0);
}

// A ring with points added on its lines, so that two are at most `step` apart.
function divided(ring, step) {
  return ring.flatMap((from, place) => {
    const to = ring[(place + 1) % ring.length];
    const parts = Math.max(1, Math.ceil(distance(from, to) / step));
    return Array.from({ length: parts }, (_, part) => ({ x: from.x + ((to.x - from.x) * part) / parts, y: from.y + ((to.y - from.y) * part) / parts }));
  });
}

// How far along a ring each of its points lies.
function travelled(ring) {
  let length = 0;
  return ring.map((point, place) => {
    if (place > 0) length += distance(ring[place - 1], point);
    return length;
  });
}

// Places of points that are about evenly apart along a ring.
function evenly(along, count, length) {
  const places = [];
  along.forEach((travel, place) => {
    if (places.length < count && travel >= (places.length * length) / count) places.push(place);
  });
  return places;
}
