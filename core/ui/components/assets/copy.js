/* The clipboard's own interface exists only on this computer and over https; the older way works everywhere. */
async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return true;
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

export default function (component) {
  const { data, parentElement } = component;
  let button = parentElement.querySelector("button");
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy as CSV";
    parentElement.append(button);
  }
  button.onclick = async () => {
    const copied = await copy(data.text).catch(() => false);
    button.textContent = copied ? "Copied" : "Could not copy";
    setTimeout(() => {
      button.textContent = "Copy as CSV";
    }, 1500);
  };
}
