// The pictures in the upload dialog.

import { $, say } from "./page.js";

// { file, row, state, facts, shown }; a state is new, reading, ready, waiting, sending, done or failed
export const queue = [];

export function underWay() {
  const states = ["sending", "waiting", ...($("at-once").checked ? ["new", "reading"] : [])];
  return queue.filter(({ state }) => states.includes(state));
}

export function said(item, text) {
  item.row.querySelector(".said").textContent = text;
  item.row.className = `item ${item.state}`;
}

export const query = (item) => {
  const { host, bucket } = $("drop").dataset;
  return new URLSearchParams({ name: item.file.name, host, bucket });
};

export function refresh() {
  const ready = queue.filter(({ state }) => state === "ready").length;
  const send = document.querySelector('[data-do="send"]');
  const wasDisabled = send.disabled;
  send.disabled = !ready;
  send.textContent = ready > 1 ? say("uploadMany", { n: ready }) : say("uploadOne");
  if (ready && wasDisabled) send.focus();
}

export function remove(items) {
  for (const item of items) {
    queue.splice(queue.indexOf(item), 1);
    URL.revokeObjectURL(item.shown);
    item.row.remove();
  }
}
