// Entry: one viewer for each place on the page, kept while Python runs again, so zoom and focus stay.

const viewers = new WeakMap();

class Viewer {
  constructor(root) {
    this.model = new Model();
    this.camera = new Camera();
    this.picture = new Picture(root, this.model, this.camera);
    this.table = new Table(root, this.model);
    const { model, camera, picture, table } = this;
    const act = actions({ model, camera, picture, report: this.reporter() });
    const pointers = new Pointers(picture, camera);
    listenToObjects(picture.stage, model, act, () => pointers.dragged);
    listenToObjects(table.body, model, act);
    listenToButtons(root, model, act);
    listenToRows(table, act);
    this.forgetKeys = listenToKeys(root, model, act);
  }

  // Python is told which image a click was made on: by the time it hears of it, it may show another.
  reporter() {
    const { model } = this;
    return {
      selected: (number) =>
        this.component.setStateValue("selected", { image: model.data.image, turn: model.turn, number }),
      navigate: (step) => this.component.setTriggerValue("navigate", step),
    };
  }

  update(component) {
    this.component = component;
    this.model.update(component.data);
  }

  close() {
    this.forgetKeys();
    this.picture.close();
  }
}

export default function (component) {
  const root = component.parentElement.querySelector(".viewer");
  if (!viewers.has(root)) viewers.set(root, new Viewer(root));
  const viewer = viewers.get(root);
  viewer.update(component);
  return () => {
    // Streamlit also ends runs that a newer one has overtaken; those must not close the viewer.
    if (viewer.component !== component) return;
    viewers.delete(root);
    viewer.close();
  };
}
