// Files and folders that are dropped anywhere on a page, on tables in frames as well, go to the page's project.
const HIDDEN = /^(\.|thumbs\.db$|desktop\.ini$)/i;
const UNREADABLE = "A folder could not be read. Check that you may open all of it, then drop it again.";

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

class Drops {
  constructor(uploads) {
    this.uploads = uploads;
    this.frames = new WeakSet();
    this.watch(window);
    this.watchFrames();
    new MutationObserver(() => this.watchFrames()).observe(document.body, { childList: true, subtree: true });
  }

  // target: as Uploads.add has it, or null; refusal: why nothing can be dropped where it is null.
  update({ target, refusal, suffixes }) {
    Object.assign(this, { target, refusal, suffixes });
  }

  // Whatever is dropped on a frame is the frame's, and would be opened in place of it.
  watchFrames() {
    document.querySelectorAll("iframe").forEach((frame) => {
      if (this.frames.has(frame)) return;
      this.frames.add(frame);
      frame.addEventListener("load", () => this.watch(frame.contentWindow));
      this.watch(frame.contentWindow);
    });
  }

  watch(view) {
    const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    // A dialog has a field of its own for files, or takes none: they are no images for the page behind it.
    // The path is that of when the event began: the field has been drawn anew by now.
    const isWithin = (event, selector) => event.composedPath().some((node) => node.matches?.(selector));
    const isForDialog = (event) => {
      if (!isWithin(event, "[role=dialog], [data-testid=stDialog], dialog")) return false;
      if (!isWithin(event, "[data-testid=stFileUploaderDropzone]")) {
        event.preventDefault(); // else the browser would open the file in place of the page
        event.dataTransfer.dropEffect = "none";
      }
      return true;
    };
    try {
      if (view.spheroscopeDrops) return;
      view.spheroscopeDrops = this;
      view.addEventListener("dragover", (event) => {
        if (!hasFiles(event) || isForDialog(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
        this.show();
      });
      view.addEventListener("drop", (event) => {
        if (!hasFiles(event) || isForDialog(event)) return;
        event.preventDefault();
        this.hide();
        this.dropped(event.dataTransfer);
      });
    } catch {
      // A frame of another origin, where nothing can be done.
    }
  }

  async dropped(transfer) {
    const read = this.read(transfer);
    if (!this.target) return this.uploads.notify(this.refusal);
    try {
      const { files, folder } = await read;
      this.uploads.notify(this.take(files, folder, this.suffixes, this.target));
    } catch {
      this.uploads.notify(UNREADABLE);
    }
  }

  // What was dropped: its files, and whether there was a folder among it.
  async read(transfer) {
    // Entries are there during the event only.
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = [...transfer.files].map((file) => ({ file, path: file.name }));
    if (!entries.some((entry) => entry.isDirectory)) return { files, folder: false };
    const found = [];
    for (const entry of entries) found.push(...(await below(entry)));
    return { files: found, folder: true };
  }

  // Hands images to the uploads and returns what is to be said of the rest. Of a folder, what no name of an image
  // ends in is left out; of single files, everything gets its verdict.
  take(files, folder, suffixes, target) {
    const seen = files.filter(({ path }) => !HIDDEN.test(path.split("/").pop()));
    const images = folder ? seen.filter(({ path }) => suffixes.some((suffix) => path.toLowerCase().endsWith(suffix))) : seen;
    const left = seen.length - images.length;
    const words = left ? `${left} other ${left > 1 ? "files" : "file"} in the folder left out.` : "";
    images.sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
    if (images.length) this.uploads.add(target, images);
    return folder && !images.length ? `No images in this folder. ${words}` : words;
  }

  // Which project it goes to, while files are held over the page.
  show() {
    if (!this.hint) {
      this.hint = document.createElement("div");
      this.hint.id = "spheroscope-drop";
      this.hint.setAttribute("role", "status");
      document.body.append(this.hint);
    }
    this.hint.textContent = this.target ? `Drop to add to ${this.target.projectName}` : this.refusal;
    this.hint.className = this.target ? "taken" : "refused";
    this.hint.hidden = false;
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => this.hide(), 400); // while something is held, the browser says so again and again
  }

  hide() {
    if (this.hint) this.hint.hidden = true;
  }
}
