// Pictures that are dropped, pasted or chosen.

import { $, printable, say } from "./page.js";
import { next } from "./previewing.js";
import { queue, said } from "./queue.js";
import { recall, remember } from "./remembered.js";

export function setUpDrop() {
  const drop = $("drop");
  if (!drop) return;
  const atOnce = $("at-once");
  atOnce.checked = recall("at-once") === "yes";
  atOnce.addEventListener("change", () => remember("at-once", atOnce.checked ? "yes" : "no"));
  $("files").addEventListener("change", (event) => {
    add([...event.target.files]);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) add([...event.clipboardData.files]);
  });
  const carries = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    $("over").hidden = Boolean(document.querySelector("dialog[open]"));
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) $("over").hidden = true;
  });
  document.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    $("over").hidden = true;
    add([...event.dataTransfer.files]);
  });
}

function add(files) {
  if (!files.length) return;
  for (const file of files) {
    const row = $("item").content.firstElementChild.cloneNode(true);
    row.querySelector(".name").textContent = printable(file.name);
    $("queue").append(row);
    const item = { file, row, state: "new", facts: null, shown: "" };
    queue.push(item);
    said(item, say("reading"));
  }
  if (!$("upload").open) $("upload").showModal();
  next();
}
