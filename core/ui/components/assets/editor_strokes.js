// Strokes: what a line that was drawn with a tool changes of the spheroids. No tool takes pixels from a spheroid
// that it is not meant for: a pixel belongs to one.
// A stroke is { points, radius, start, selected, erase }: `start` is the number under its first point, or 0.

const CRUMB = 0.01; // share of a spheroid; smaller parts that an eraser leaves behind go with it
const BRIDGE = 12; // pixels; gaps of up to twice this are closed when spheroids are merged

class Refusal extends Error {}

const STROKES = {
  brush(draft, stroke) {
    const { box, mask } = painted(draft, stroke);
    const under = draft.numbersUnder(mask, box);
    const target = targetOf(draft, stroke, under);
    const numbers = draft.labels.read(box);
    const free = mask.map((inside, place) => (inside && (numbers[place] === 0 || numbers[place] === target) ? 1 : 0));
    if (!free.some(Boolean)) throw new Refusal("There is another spheroid. A pixel belongs to one.");
    if (!target) return [draft.newOne(regionsOfParts(free, box)[0])];
    const region = draft.objects.get(target);
    const whole = boxAround([box, region]);
    const both = maskIn(region, whole);
    stamp(free, box, both, whole);
    // What the stroke left beyond a neighbour does not connect, and is not meant.
    const held = regionsOfParts(both, whole).find((part) => draftTouches(part, region));
    return draft.changesTo(target, [held]);
  },

  erase(draft, stroke) {
    const { box, mask } = painted(draft, stroke);
    const under = draft.numbersUnder(mask, box);
    const targets = [stroke.selected, stroke.start].filter((number) => under.includes(number)).slice(0, 1);
    const changes = (targets.length > 0 ? targets : under).flatMap((number) => {
      const region = draft.objects.get(number);
      const rest = maskOf(region);
      const gone = cropped(mask, box, region);
      const parts = regionsOfParts(rest.map((inside, place) => (inside && !gone[place] ? 1 : 0)), region);
      const least = areaOf(region) * CRUMB;
      return draft.changesTo(number, parts.filter((part) => areaOf(part) >= least));
    });
    if (changes.length === 0) throw new Refusal("There is no spheroid to erase.");
    return changes;
  },

  draw(draft, stroke) {
    const box = boxOfPoints(stroke.points, 0, draft.image);
    if (stroke.points.length < 3 || !box) throw new Refusal("Draw round the spheroid, and let go where you began.");
    const numbers = draft.labels.read(box);
    const mask = polygonMask([stroke.points], box).map((inside, place) => (inside && numbers[place] === 0 ? 1 : 0));
    const [region] = regionsOfParts(mask, box);
    if (!region) throw new Refusal("There is an outline already. Delete it first, or mend it with the brush.");
    return [draft.newOne(region)];
  },

  cut(draft, stroke) {
    const { box, mask } = passed(draft, stroke);
    const changes = draft.numbersUnder(mask, box).flatMap((number) => {
      const parts = cutParts(draft.objects.get(number), mask, box);
      return parts.length > 1 ? draft.changesTo(number, parts) : [];
    });
    if (changes.length === 0) throw new Refusal("Draw the cut through a spheroid, from outside to outside.");
    return changes;
  },

  merge(draft, stroke) {
    const numbers = touched(draft, stroke);
    if (numbers.length === 1 && stroke.selected && stroke.selected !== numbers[0]) numbers.push(stroke.selected);
    if (numbers.length < 2) throw new Refusal("Draw a line from one spheroid to the other.");
    return merged(draft, numbers);
  },

  delete(draft, stroke) {
    const numbers = touched(draft, stroke);
    if (numbers.length === 0) throw new Refusal("Click a spheroid, or draw a line through several.");
    return numbers.flatMap((number) => draft.changesTo(number, []));
  },

  fill(draft, stroke) {
    const numbers = touched(draft, stroke);
    const changes = numbers.flatMap((number) => filled(draft, number));
    if (changes.length === 0) throw new Refusal(numbers.length ? "It has no hole." : "Click a spheroid with a hole.");
    return changes;
  },
};

function painted(draft, { points, radius }) {
  const box = boxOfPoints(points, radius, draft.image);
  if (!box) throw new Refusal("That is outside of the picture.");
  return { box, mask: strokeMask(points, radius, box) };
}

function passed(draft, { points }) {
  const box = boxOfPoints(points, 1, draft.image);
  if (!box) throw new Refusal("That is outside of the picture.");
  return { box, mask: lineMask(points.length > 1 ? points : [points[0], points[0]], box) };
}

function touched(draft, stroke) {
  const { box, mask } = passed(draft, stroke);
  return draft.numbersUnder(mask, box);
}

// The spheroid that a brush paints into: where the stroke began, else the selected one or the first on its way.
function targetOf(draft, { points, start, selected }, under) {
  if (start) return start;
  if (under.includes(selected)) return selected;
  const onWay = points.map(({ x, y }) => draft.labels.at(Math.floor(x), Math.floor(y))).find((number) => number > 0);
  return onWay ?? under[0] ?? 0;
}

function merged(draft, numbers) {
  const ordered = [...numbers].sort((one, other) => areaOf(draft.objects.get(other)) - areaOf(draft.objects.get(one)));
  const box = grownBox(boxAround(ordered.map((number) => draft.objects.get(number))), BRIDGE + 1, draft.image);
  const union = new Uint8Array(box.width * box.height);
  const there = draft.labels.read(box);
  there.forEach((number, place) => (union[place] = numbers.includes(number) ? 1 : 0));
  const apart = partsOf(union, box.width, box.height).sizes.length > 1;
  const whole = apart ? bridged(union, box.width, box.height, BRIDGE) : union;
  const free = whole.map((inside, place) => (inside && (there[place] === 0 || numbers.includes(there[place])) ? 1 : 0));
  const parts = regionsOfParts(free, box);
  if (parts.length > 1) throw new Refusal("They are too far apart to be one. Bring them together with the brush.");
  const [first, ...others] = ordered;
  return [...draft.changesTo(first, parts, ordered), ...others.flatMap((number) => draft.changesTo(number, []))];
}

function filled(draft, number) {
  const region = draft.objects.get(number);
  const others = draft.labels.read(region);
  const mask = filledHoles(maskOf(region), region.width, region.height);
  const free = mask.map((inside, place) => (inside && (others[place] === 0 || others[place] === number) ? 1 : 0));
  // An island in a hole, in a ring of another spheroid, does not connect.
  return draft.changesTo(number, [regionsOfParts(free, region).find((part) => draftTouches(part, region))]);
}

// The parts of a region along a line; what lies under the line goes to the nearest part.
function cutParts(region, line, box) {
  const mask = maskOf(region);
  const crossed = cropped(line, box, region);
  const { width, height } = region;
  const { numbers, sizes } = partsOf(mask.map((inside, place) => (inside && !crossed[place] ? 1 : 0)), width, height);
  if (sizes.filter((size) => size > 3).length < 2) return [region];
  const large = numbers.map((number) => (number && sizes[number - 1] > 3 ? number : 0));
  const whole = spread(large, mask, width, height);
  return regionsOfNumbers(whole, sizes.length, region);
}

// The bytes of a mask in another box; 0 where the mask does not reach.
function cropped(mask, box, frame) {
  const out = new Uint8Array(frame.width * frame.height);
  stamp(mask, box, out, frame);
  return out;
}

// Set the pixels of a mask in another one.
function stamp(mask, box, target, frame) {
  const [left, right] = [Math.max(box.x, frame.x), Math.min(box.x + box.width, frame.x + frame.width)];
  const [top, bottom] = [Math.max(box.y, frame.y), Math.min(box.y + box.height, frame.y + frame.height)];
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      if (mask[(row - box.y) * box.width + column - box.x]) target[(row - frame.y) * frame.width + column - frame.x] = 1;
    }
  }
}

function draftTouches(part, region) {
  const own = maskIn(region, part);
  const mask = maskOf(part);
  return own.some((inside, place) => inside && mask[place]);
}
