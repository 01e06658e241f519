// Focuses the first field of the dialog around this component, once, when the dialog opens.
const TRIES = 20; // frames: the dialog takes the focus itself while it opens

export default function (component) {
  const host = component.parentElement.getRootNode().host ?? component.parentElement;
  const dialog = host.closest("[role=dialog]");
  const field = dialog && dialog.querySelector("input, textarea, select");
  if (!field) return;
  let left = TRIES;
  const focus = () => {
    if (dialog.contains(document.activeElement) && document.activeElement.matches("input")) return;
    field.focus();
    if ((left -= 1) > 0) requestAnimationFrame(focus);
  };
  focus();
}
