// Sending pictures, two at a time, and what came of it.

import { began, ended } from "./leaving.js";
import { say, token } from "./page.js";
import { query, queue, refresh, said } from "./queue.js";

export function sendAll() {
  for (const item of queue) if (item.state === "ready") wait(item);
  sendNext();
}

export function sendItem(item) {
  wait(item);
  sendNext();
}

function wait(item) {
  item.state = "waiting";
  said(item, say("waiting"));
}

function sendNext() {
  const busy = queue.filter(({ state }) => state === "sending").length;
  for (const item of queue.filter(({ state }) => state === "waiting").slice(0, 2 - busy)) {
    item.state = "sending";
    began();
    send(item).then(
      (answer) => finished(item, answer),
      (error) => { item.state = "failed"; said(item, error.message); },
    ).finally(() => {
      item.row.querySelector("progress").hidden = true;
      sendNext();
      ended();
    });
  }
  refresh();
}

function send(item) {
  const bar = item.row.querySelector("progress");
  bar.hidden = false;
  bar.value = 0;
  said(item, say("sending"));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of how far it is
    const asked = query(item);
    request.open("POST", `/gallery/upload?${asked}`);
    request.setRequestHeader("X-Imghost-Page", token);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value");
      said(item, say("atHost"));
    });
    request.addEventListener("error", () => reject(new Error(say("unreachable"))));
    request.addEventListener("load", () => {
      if (request.status === 200 && request.response) resolve(request.response);
      else reject(new Error(request.response?.error || say("unreachable")));
    });
    request.send(item.file);
  });
}

function finished(item, answer) {
  item.state = answer.text ? "done" : "failed";
  said(item, answer.error || (answer.reused ? say("reused") : say("sent")));
  if (!answer.text) return;
  item.row.querySelector(".link").hidden = false;
  item.row.querySelector(".link input").value = answer.text;
  if (document.activeElement === document.body || document.activeElement?.dataset.do === "send") {
    item.row.querySelector('[data-do="copy-item"]').focus();
  }
}
