// Closing the upload dialog: what is under way is not cut short.

import { $ } from "./page.js";
import { queue, refresh, remove, underWay } from "./queue.js";

let hasSent = false;

export function began() {
  hasSent = true;
}

export function setUpLeaving() {
  if (!$("upload")) return;
  $("upload").addEventListener("close", closed);
  $("upload").addEventListener("cancel", (event) => {
    if (!underWay().length) return;
    event.preventDefault();
    leave();
  });
  $("leaving").addEventListener("close", () => {
    if ($("leaving").returnValue !== "yes") return;
    remove(queue.filter(({ state }) => state !== "sending"));
    $("upload").close();
  });
  window.addEventListener("beforeunload", (event) => {
    if (underWay().length) event.preventDefault();
  });
}

export function removeItem(row) {
  remove(queue.filter((item) => item.row === row && item.state !== "sending"));
  if (queue.length) refresh();
  else $("upload").close();
}

export function leave() {
  if (!underWay().length) return $("upload").close();
  $("leaving").returnValue = "";
  return $("leaving").showModal();
}

// what is under way goes on behind the closed dialog: leaving the page would cut it short
function closed() {
  if ($("upload").open) return; // again already
  const goesOn = underWay();
  remove(queue.filter((item) => !goesOn.includes(item)));
  ended();
}

export function ended() {
  if ($("upload").open || underWay().length) return;
  const isWell = queue.every(({ state }) => state === "done");
  if (!isWell) $("upload").showModal(); // what failed behind it wants to be seen
  else if (hasSent) location.assign("/");
}
