// Entry of the picture: one viewer for each place on the page, kept while Python runs again, so zoom and focus stay.

const viewers = new WeakMap();

class Viewer {
  constructor(root) {
    this.model = new Model();
    this.camera = new Camera();
    this.picture = new Picture(root, this.model, this.camera);
    const { model, camera, picture } = this;
    const report = this.reporter();
    this.detail = new Detail(picture, camera, model);
    this.act = actions({ model, camera, picture, report });
    const pointers = new Pointers(picture, camera, model);
    this.ruler = new Ruler(picture, camera, model, report);
    this.editor = new Editor(root, { model, camera, picture, pointers }, report);
    listenToObjects(picture.stage, model, this.act, () => pointers.dragged || model.tool !== null || model.editing);
    listenToButtons(root, model, this.act);
    this.forgetKeys = listenToKeys(root, model, this.act, this.editor);
  }

  // Python is told which image a click was made on: by the time it hears of it, it may show another.
  reporter() {
    const { model } = this;
    return {
      selected: (number) =>
        this.component.setStateValue("selected", { image: model.data.image, turn: model.turn, number }),
      navigate: (step) => this.component.setTriggerValue("navigate", step),
      editing: (on) => this.component.setStateValue("editing", on),
      edited: (how) => this.component.setTriggerValue("edited", how),
      line: (line) => {
        model.setTool(null);
        this.component.setTriggerValue("line", line);
      },
    };
  }

  update(component) {
    this.component = component;
    this.model.update(component.data);
    this.editor.update(component.data.editor);
    publish(component.data.name, this);
  }

  close() {
    this.forgetKeys();
    this.editor.close();
    this.picture.close();
    publish(this.component.data.name, null);
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
