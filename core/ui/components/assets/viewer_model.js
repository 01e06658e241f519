// Model: everything the viewer knows. The views draw it, the tools change it, nobody else keeps a copy.

class Model {
  constructor() {
    this.data = null;
    this.objects = new Map();
    this.selected = null;
    this.hovered = null;
    this.show = { contrast: false, outlines: true, numbers: true };
    this.compared = "both"; // before, after or both, where two results are compared
    this.tool = null; // what a drag on the picture does, where it does not pan
    this.editing = false; // the objects are the editor's, whatever Python sends
    this.replaced = []; // numbers of the objects that were replaced last
    this.turn = null;
    this.listeners = [];
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  notify(change) {
    this.listeners.forEach((listener) => listener(change));
  }

  // Take what Python sent. It sends everything again after each run, so only real changes are told.
  update(data) {
    const before = this.data;
    const image = before?.image !== data.image;
    const table = image || JSON.stringify(tableOf(before)) !== JSON.stringify(tableOf(data));
    const picture = image || pictureOf(before) !== pictureOf(data);
    const comparison = JSON.stringify(before?.comparison ?? null) !== JSON.stringify(data.comparison);
    this.data = data;
    if (image) this.editing = false;
    if (table && !this.editing) this.objects = objectsOf(data);
    if (image) this.hovered = null;
    if (comparison) this.compared = "both";
    if (image) this.notify("image");
    else if (picture) this.notify("picture");
    if (table && !this.editing) this.notify("objects");
    if (comparison) this.notify("comparison");
    if (image) this.setTool(null);
    this.obey(data.selection);
  }

  // A selection made by the page counts once; after it the user's clicks count.
  obey(selection) {
    const wanted = selection.turn === this.turn ? this.selected : selection.number;
    this.turn = selection.turn;
    this.setSelected(this.objects.has(wanted) ? wanted : null);
  }

  beginEditing() {
    this.setTool(null);
    this.editing = true;
  }

  // With `restore` the objects are again those of the data; without, they stay until there are other ones.
  endEditing(restore) {
    if (!this.editing) return;
    this.editing = false;
    if (restore) this.setObjects([...objectsOf(this.data).values()]);
  }

  setObjects(items) {
    this.objects = new Map(items.map((item) => [item.number, item]));
    this.notify("objects");
    if (!this.objects.has(this.selected)) this.setSelected(null);
  }

  // Replace single objects: pairs of a number and what it is now, or null.
  replaceObjects(pairs) {
    for (const [number, item] of pairs) {
      if (item) this.objects.set(number, item);
      else this.objects.delete(number);
    }
    this.replaced = pairs.map(([number]) => number);
    this.notify("some objects");
    if (!this.objects.has(this.selected)) this.setSelected(null);
  }

  setSelected(number) {
    if (number === this.selected) return;
    this.selected = number;
    this.notify("selection");
  }

  hover(number) {
    if (number === this.hovered) return;
    this.hovered = number;
    this.notify("hover");
  }

  setTool(name) {
    const tool = name && this.data.canCalibrate ? name : null;
    if (tool === this.tool) return;
    this.tool = tool;
    this.notify("tool");
  }

  compare(side) {
    if (!this.data.comparison || side === this.compared) return;
    this.compared = side;
    this.notify("compared");
  }

  toggle(name) {
    this.show[name] = !this.show[name];
    this.notify("show");
  }

  get pictureUrl() {
    return this.show.contrast ? this.data.urls.contrast : this.data.urls.raw;
  }
}

function objectsOf(data) {
  return new Map(data.objects.map((item) => [item.number, withBox(item)]));
}

function tableOf(data) {
  return data && [data.columns, data.objects, data.ifEmpty, data.explained];
}

function pictureOf(data) {
  return [data.width, data.height, data.umPerPx, data.shownHeight, data.urls.raw, data.urls.contrast].join("\n");
}

// Box in pixels: left, top, right, bottom. Rings are flat lists x, y, x, y.
function withBox(item) {
  const [xs, ys] = [0, 1].map((odd) => (item.rings[0] ?? []).filter((_, at) => at % 2 === odd));
  if (xs.length === 0) return { ...item, box: [0, 0, 0, 0] };
  return { ...item, box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] };
}
