// Entry of the table: it draws the spheroids of the viewer whose name it is given, wherever both stand.

const tables = new WeakMap();

// A table belongs to one viewer; for another one it is made anew, so that nothing listens to both.
class Side {
  constructor(root, name) {
    Object.assign(this, { root, name, viewer: null, blank: root.innerHTML });
    this.stop = follow(name, (viewer) => this.use(viewer));
  }

  use(viewer) {
    if (viewer === this.viewer) return;
    this.viewer = viewer;
    this.root.innerHTML = this.blank;
    const table = new Table(this.root, viewer.model);
    listenToObjects(table.body, viewer.model, viewer.act);
    listenToRows(table, viewer.act);
  }
}

export default function (component) {
  const root = component.parentElement.querySelector(".measured");
  if (!tables.has(root)) tables.set(root, new Side(root, component.data.name));
  const side = tables.get(root);
  side.component = component;
  return () => {
    if (side.component !== component) return;
    tables.delete(root);
    side.stop();
  };
}
