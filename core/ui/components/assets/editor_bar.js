// Bar: the buttons of the editor, what is saved, its sentences and its questions.

const TOOLS = [
  { name: "hand", icon: "arrow_selector_tool", label: "Select", key: "Esc", hint: "Click a spheroid to select it, drag to move the picture." },
  { name: "brush", icon: "brush", label: "Brush", key: "B", hint: "Drag from inside a spheroid to enlarge it. Shift erases, [ and ] change the size." },
  { name: "erase", icon: "ink_eraser", label: "Erase", key: "X", hint: "Drag over what does not belong to the spheroid. [ and ] change the size." },
  { name: "draw", icon: "gesture", label: "Draw", key: "D", hint: "Draw round a spheroid that has no outline." },
  { name: "cut", icon: "content_cut", label: "Cut", key: "K", hint: "Draw a line through a spheroid: it becomes two, or more." },
  { name: "merge", icon: "join_inner", label: "Merge", key: "M", hint: "Draw a line from one spheroid to another: they become one." },
  { name: "bend", icon: "timeline", label: "Bend", key: "V", hint: "Drag an outline where it is wrong. The further you drag, the longer the stretch that follows." },
  { name: "click", icon: "wand_stars", label: "Click", key: "A", hint: "Click a spheroid to outline it, or the part that its outline lacks. Or take away what is too much (right click), or split (Shift)." },
  { name: "fill", icon: "format_color_fill", label: "Fill", key: "H", hint: "Click a spheroid to fill its holes." },
  { name: "delete", icon: "delete", label: "Delete", key: "Del", hint: "Click a spheroid, or draw a line through several." },
];
const CLICK_HINTS = { add: TOOLS.find(({ name }) => name === "click").hint, away: "Click what is too much of a spheroid: it is taken away.", split: "Click one part of a spheroid, then the other: it is parted between them." };
const HINT_MS = 6000;

class EditorBar {
  constructor(root, act) {
    Object.assign(this, { root, act, hidesAt: 0 });
    this.hint = root.querySelector(".hint");
    this.size = root.querySelector(".size input");
    this.saved = root.querySelector(".saved");
    this.strip = root.querySelector(".tools");
    this.ways = root.querySelector(".ways");
    this.ways.querySelectorAll("button").forEach((button) => button.addEventListener("click", () => act.setWay(button.dataset.way)));
    this.strip.replaceChildren(...TOOLS.map((tool) => this.toolButton(tool)));
    root.querySelectorAll("[data-edit]").forEach((button) => {
      button.addEventListener("click", () => act[button.dataset.edit]());
    });
    this.size.addEventListener("input", () => act.setSize(Number(this.size.value)));
    this.size.addEventListener("change", () => this.size.blur()); // a slider with the focus would keep the keys
    this.prepareReason();
  }

  toolButton({ name, icon, label, key, hint }) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.editTool = name;
    button.setAttribute("aria-label", label);
    button.title = `${label}. ${hint} (${key})`;
    const [sign, mark] = [document.createElement("span"), document.createElement("kbd")];
    sign.textContent = icon; // a ligature of the font that Streamlit's own icons are in
    sign.setAttribute("aria-hidden", "true");
    mark.textContent = key;
    button.append(sign, mark);
    button.addEventListener("click", () => this.act.useTool(name));
    return button;
  }

  // Show the bar of the editor instead of the viewer's own, or the other way round.
  show(editing) {
    this.root.classList.toggle("correcting", editing);
    if (editing) this.allow(false);
    this.root.querySelectorAll(".only-editing").forEach((part) => (part.hidden = !editing));
    this.root.querySelectorAll(".only-viewing").forEach((part) => (part.hidden = editing));
    if (!editing) this.ways.hidden = true;
    if (!editing) this.say("");
  }

  // Words and tools for a picture whose outlines are hidden, or for a correction.
  showBlind(blind) {
    this.strip.querySelector("[data-edit-tool=click]").hidden = blind;
    const [discard, done] = ["discard", "finish"].map((name) => this.root.querySelector(`[data-edit=${name}]`));
    discard.textContent = blind ? "Start again" : "Discard";
    discard.title = blind ? "Take away all that you have drawn" : "Give this correction up";
    done.title = blind ? "Keep this drawing as a second opinion (Enter)" : "Keep this correction as the image's result (Enter)";
  }

  // Whether correcting can begin.
  allow(may) {
    this.root.querySelector("[data-edit=begin]").closest(".group").hidden = !may;
  }

  showTool(name) {
    this.strip.querySelectorAll("button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.editTool === name));
    });
    this.root.querySelector(".size").classList.toggle("unused", name !== "brush" && name !== "erase");
    this.ways.hidden = name !== "click";
    const tool = TOOLS.find((each) => each.name === name);
    this.say(`${tool.label}: ${tool.hint}`);
  }

  // What a click does: add, take away or split.
  showWay(name) {
    this.ways.querySelectorAll("button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.way === name));
    });
    this.say(CLICK_HINTS[name]);
  }

  showSteps(undo, redo) {
    this.root.querySelector("[data-edit=undo]").disabled = !undo;
    this.root.querySelector("[data-edit=redo]").disabled = !redo;
  }

  // Whether everything has been stored; the mark is words and not colour alone.
  showSaved(waiting, problem) {
    this.saved.textContent = waiting === 0 ? "Saved" : problem ? `${waiting} not saved` : "Saving…";
    this.saved.classList.toggle("warn", Boolean(problem));
    this.saved.title = problem || (waiting === 0 ? "Every change is stored" : "");
    if (problem) this.say(problem, Infinity);
    else if (this.problem) this.say("Connected again. Everything is saved.");
    this.problem = problem;
  }

  // A drawing is sent once it is done; until then this browser has it.
  showKept(kept) {
    this.saved.textContent = kept ? "Kept here" : "Not kept";
    this.saved.classList.toggle("warn", !kept);
    this.saved.title = kept ? "This browser keeps every line, also over a reload; Done sends them" : "This browser keeps nothing: do not leave before Done";
  }

  say(text, ms = HINT_MS) {
    this.hint.textContent = text;
    this.hint.hidden = text === "";
    clearTimeout(this.hiding);
    if (text && Number.isFinite(ms)) this.hiding = setTimeout(() => (this.hint.hidden = true), ms);
  }

  get asking() {
    return this.root.querySelector(".reason").open || !this.root.querySelector(".conflict").hidden;
  }

  // Ask what only a person can decide; resolves with the name of the chosen one of two `choices`.
  ask(question, choices) {
    const box = this.root.querySelector(".conflict");
    const buttons = [...box.querySelectorAll("button")];
    box.querySelector("p").textContent = question;
    box.hidden = false;
    buttons[0].focus();
    return new Promise((resolve) => {
      Object.entries(choices).forEach(([name, label], place) => {
        buttons[place].textContent = label;
        buttons[place].onclick = () => {
          box.hidden = true;
          resolve(name);
        };
      });
    });
  }

  prepareReason() {
    const dialog = this.root.querySelector(".reason");
    const field = dialog.querySelector("input");
    dialog.querySelectorAll("[data-reason]").forEach((chip) => {
      chip.addEventListener("click", () => {
        field.value = chip.dataset.reason;
        field.dispatchEvent(new Event("input"));
      });
    });
    dialog.querySelector(".cancel").addEventListener("click", () => dialog.close());
  }

  // Ask why the outlines were corrected; resolves with the reason, or null where the question was closed.
  askReason({ optional, summary }) {
    const dialog = this.root.querySelector(".reason");
    const [field, form] = [dialog.querySelector("input"), dialog.querySelector("form")];
    const finish = dialog.querySelector("[type=submit]");
    dialog.querySelector(".summary").textContent = summary;
    dialog.querySelector(".optional").hidden = !optional;
    field.value = "";
    finish.disabled = !optional;
    field.oninput = () => (finish.disabled = !optional && field.value.trim() === "");
    dialog.showModal();
    field.focus();
    return new Promise((resolve) => {
      form.onsubmit = (event) => {
        event.preventDefault();
        if (finish.disabled) return;
        dialog.close("done");
      };
      dialog.onclose = () => {
        resolve(dialog.returnValue === "done" ? field.value.trim() : null);
        dialog.returnValue = "";
      };
    });
  }
}
