// What a reader with a keyboard or a mouse is spared; every page works without it.
"use strict";

const rows = () => Array.from(document.querySelectorAll("a[data-row]"));

function move(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
  all[next].focus();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  g: () => location.assign("/"),
  "/": () => document.querySelector("[data-filter]")?.focus(),
  "?": () => document.getElementById("help").showModal(),
};

const writes = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || writes(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const act = keys[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// A dialog that arrives is opened as one; Esc is its Cancel button.
function openDialogs(root) {
  for (const dialog of root.querySelectorAll("dialog[data-modal]:not([open])")) {
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      dialog.querySelector("form[data-cancel]")?.requestSubmit();
    });
  }
}

document.addEventListener("htmx:afterSettle", (event) => openDialogs(event.target));

// Files dropped on a form are put into its field, where they can be seen before they are sent.
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.("[data-drop]");
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) {
      const field = zone.querySelector("input[type=file]");
      field.files = event.dataTransfer.files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
      field.form.requestSubmit();
    }
  });
}
