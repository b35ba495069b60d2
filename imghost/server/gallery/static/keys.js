// What keys do.

import { copyRow } from "./bench.js";
import { $ } from "./page.js";
import { act, cardOf } from "./uploads.js";

const keys = {
  u: () => $("files")?.click(),
  "/": () => $("search")?.focus(),
  "?": () => $("help").showModal(),
  c: () => act("copy", current()),
  r: () => act("retry", current()),
  Delete: () => act("forget", current()),
  n: () => document.querySelector('[rel="next"]')?.click(),
  p: () => document.querySelector('[rel="prev"]')?.click(),
  g: () => location.assign("/"),
  s: () => location.assign("/settings"),
};

const current = () =>
  cardOf(document.activeElement) ? document.activeElement : document.querySelector(".bench");

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.target.matches("input:not([type=checkbox], [type=radio]), select, textarea")) return;
  if (event.key.startsWith("Arrow")) {
    if (!event.target.matches("[type=radio]")) move(event);
    return;
  }
  const row = /^[1-9]$/.test(event.key) && document.querySelectorAll("#links li")[event.key - 1];
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (row && !row.hidden) copyRow(row.querySelector("button"));
  else if (keys[key]) keys[key]();
  else return;
  event.preventDefault();
}

function move(event) {
  const cards = [...document.querySelectorAll(".grid .card")];
  if (!cards.length) return;
  const at = cards.indexOf(cardOf(document.activeElement));
  const columns = cards.filter((card) => card.offsetTop === cards[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  if (at < 0 && event.key !== "ArrowDown" && event.key !== "ArrowRight") return;
  const to = at < 0 ? 0 : at + step;
  if (!cards[to]) return;
  event.preventDefault();
  cards[to].querySelector("a").focus();
  cards[to].scrollIntoView({ block: "nearest" });
}

export function setUpKeys() {
  document.addEventListener("keydown", pressed);
}
