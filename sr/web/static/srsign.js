// What a reader with a keyboard or a mouse is spared; every page works without it.
"use strict";

const all = (what, root = document) => Array.from(root.querySelectorAll(what));

function move(by) {
  const rows = all("a[data-row]");
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1);
  rows[next].focus();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  g: () => location.assign("/"),
  "/": () => document.querySelector("[data-filter]")?.focus(),
  "?": () => document.getElementById("help").showModal(),
};

const writes = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

// Whoever speaks to the machine, or touches keys by chance, switches single keys off.
const KEYS = "srsign-single-keys";
const single = document.querySelector("[data-single-keys]");
single.checked = localStorage.getItem(KEYS) !== "off";
single.addEventListener("change", () => localStorage.setItem(KEYS, single.checked ? "on" : "off"));

document.addEventListener("keydown", (event) => {
  if (!single.checked || event.ctrlKey || event.altKey || event.metaKey || writes(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const act = keys[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

for (const button of all("[data-opens]")) {
  button.hidden = false;
  button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
}

// A dialog that arrives is opened as one; Esc is its Cancel button, where it has one.
function openDialogs(root) {
  for (const dialog of all("dialog[data-modal]:not([open])", root)) {
    const cancel = dialog.querySelector("form[data-cancel]");
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
    dialog.addEventListener("cancel", (event) => {
      if (!cancel) return;
      event.preventDefault();
      cancel.requestSubmit();
    });
  }
}

// What arrives to be read gets the focus; whoever was in what went away is at the page again.
let inside = false;
document.addEventListener("htmx:beforeSwap", (event) => {
  inside = event.detail.target.contains(document.activeElement);
});
document.addEventListener("htmx:afterSettle", (event) => {
  openDialogs(event.target);
  const arrived = document.querySelector("[data-arrive]");
  if (arrived) arrived.focus();
  else if (inside && document.activeElement === document.body) document.getElementById("main").focus();
});

document.addEventListener("htmx:sendError", () => document.getElementById("unreached").showModal());

// A list too long to read is narrowed while one writes.
for (const field of all("[data-narrows]")) {
  field.closest("[hidden]").hidden = false;
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    for (const each of all(field.dataset.narrows)) {
      each.hidden = !each.textContent.toLocaleLowerCase().includes(wanted);
      if (each.hidden) each.querySelector("input").checked = false;
    }
  });
}

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
