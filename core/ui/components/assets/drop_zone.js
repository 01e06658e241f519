// Takes files and folders, by dropping or choosing them, and hands them to the window's uploads (uploads_drops.js).
class Zone {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(name);
    const [files, folder] = root.querySelectorAll("input");
    this.part(".files").addEventListener("click", () => files.click());
    this.part(".folder").addEventListener("click", () => folder.click());
    files.addEventListener("change", () => this.chosen(files, false));
    folder.addEventListener("change", () => this.chosen(folder, true));
    root.addEventListener("dragenter", () => root.classList.add("over"));
    root.addEventListener("dragover", (event) => {
      event.preventDefault();
      root.classList.add("over");
    });
    root.addEventListener("dragleave", (event) => {
      if (!root.contains(event.relatedTarget)) root.classList.remove("over");
    });
    root.addEventListener("drop", (event) => this.dropped(event));
  }

  update(component) {
    this.component = component;
    this.part(".formats").textContent = component.data.formats;
  }

  chosen(input, folder) {
    const files = [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
    input.value = ""; // so that the same file can be chosen again
    this.take(files, folder);
  }

  async dropped(event) {
    event.preventDefault();
    event.stopPropagation(); // or the page would take it as well
    this.root.classList.remove("over");
    try {
      const { files, folder } = await window.spheroscopeDrops.read(event.dataTransfer);
      this.take(files, folder);
    } catch {
      this.part(".left-out").textContent = "A folder could not be read. Check that you may open all of it, then drop it again.";
    }
  }

  take(files, folder) {
    const { suffixes, target } = this.component.data;
    this.part(".left-out").textContent = window.spheroscopeDrops.take(files, folder, suffixes, target);
  }
}

const zones = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".zone");
  if (!zones.has(root)) zones.set(root, new Zone(root));
  zones.get(root).update(component);
}
