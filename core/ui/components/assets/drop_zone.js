// Takes files and folders, by dropping or choosing them, and hands them to the uploads of the window (uploads_queue.js).
const HIDDEN = /^(\.|thumbs\.db$|desktop\.ini$)/i;

// Every file below a dropped entry, with the folders it lies in.
async function below(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return found; // it hands over a hundred at a time
    for (const inner of entries) found.push(...(await below(inner)));
  }
}

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
    this.root.classList.remove("over");
    // Entries are there during the event only.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const plain = [...event.dataTransfer.files].map((file) => ({ file, path: file.name }));
    if (!entries.some((entry) => entry.isDirectory)) return this.take(plain, false);
    try {
      const found = [];
      for (const entry of entries) found.push(...(await below(entry)));
      this.take(found, true);
    } catch {
      this.part(".left-out").textContent = "A folder could not be read. Check that you may open all of it, then drop it again.";
    }
  }

  // Of a folder, what no name of an image ends in is left out; of single files, everything gets its verdict.
  take(files, folder) {
    const { suffixes, target } = this.component.data;
    const seen = files.filter(({ path }) => !HIDDEN.test(path.split("/").pop()));
    const images = folder ? seen.filter(({ path }) => suffixes.some((suffix) => path.toLowerCase().endsWith(suffix))) : seen;
    const left = seen.length - images.length;
    const words = left ? `${left} other ${left > 1 ? "files" : "file"} in the folder left out.` : "";
    this.part(".left-out").textContent = folder && !images.length ? `No images in this folder. ${words}` : words;
    images.sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
    if (images.length) window.spheroscopeUploads.add(target, images);
  }
}

const zones = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".zone");
  if (!zones.has(root)) zones.set(root, new Zone(root));
  zones.get(root).update(component);
}
