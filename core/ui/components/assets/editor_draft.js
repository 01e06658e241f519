// Draft: the spheroids of an image as they are while somebody corrects them, and their label image.
// A change is { number, before, after, parents }; before and after are regions, or null where there is none.

const NEW_FROM = 65_536; // numbers that the browser gives until the server has given its own; those are smaller

class EditorDraft {
  constructor(image) {
    this.image = image; // { width, height }
    this.objects = new Map();
    this.labels = new Labels(image.width, image.height);
    // Lists of two tabs may come together, so that each begins somewhere else.
    this.nextNew = NEW_FROM + Math.floor(Math.random() * 2 ** 30);
  }

  load(objects) {
    this.objects = new Map();
    this.labels = new Labels(this.image.width, this.image.height);
    this.apply([...objects].map(([number, after]) => ({ number, before: null, after })));
  }

  // All spheroids of a change are taken away before any is drawn, since one may get pixels of another.
  apply(changes) {
    for (const { number } of changes) {
      const there = this.objects.get(number);
      if (there) this.labels.clear(there, number);
      this.objects.delete(number);
    }
    for (const { number, after } of changes) {
      if (!after) continue;
      this.labels.paint(after, number);
      this.objects.set(number, after);
      this.nextNew = Math.max(this.nextNew, number + 1);
    }
  }

  rename(number, other) {
    const region = this.objects.get(number);
    if (!region) return;
    this.objects.delete(number);
    this.objects.set(other, region);
    this.labels.paint(region, other);
  }

  // Numbers of the spheroids that have pixels in a mask, in the order of the mask's rows.
  numbersUnder(mask, box) {
    const numbers = this.labels.read(box);
    return [...new Set(numbers.filter((number, place) => number && mask[place]))];
  }

  // What making a spheroid these parts changes: it keeps its number on the largest, the others are new ones.
  changesTo(number, parts, parents = []) {
    const before = this.objects.get(number) ?? null;
    const [first, ...others] = parts;
    const changes = [{ number, before, after: first ?? null, parents }];
    return [...changes, ...others.map((part) => this.newOne(part, [number]))].filter(
      (change) => !sameRegion(change.before, change.after),
    );
  }

  newOne(after, parents = []) {
    return { number: this.nextNew++, before: null, after, parents };
  }

  // Whether changes fit: every spheroid is as it was before, and none would cover another one.
  fits(changes) {
    const numbers = new Set(changes.map((change) => change.number));
    return changes.every(({ number, before, after }) => {
      if (!sameRegion(before, this.objects.get(number) ?? null)) return false;
      return !after || this.numbersUnder(maskOf(after), after).every((under) => numbers.has(under));
    });
  }
}
