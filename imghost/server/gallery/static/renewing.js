// The page as it is by now: its counts, and the cards of what is being sent.

import { renewTexts } from "./formats.js";
import { watchImages } from "./images.js";
import { $ } from "./page.js";

const MOVING = '.card[data-state="uploading"]';

export async function renew() {
  const response = await fetch(location.href);
  if (!response.ok) return;
  const now = new DOMParser().parseFromString(await response.text(), "text/html");
  const count = now.getElementById("count");
  if (count && $("count")) $("count").replaceChildren(...count.childNodes);
  for (const card of document.querySelectorAll(MOVING)) {
    const renewed = now.querySelector(`.card[data-id="${card.dataset.id}"]`);
    if (!renewed || renewed.dataset.state === card.dataset.state) continue;
    if (card.matches(".bench")) return location.reload();
    const hadFocus = card.contains(document.activeElement);
    card.replaceWith(renewed);
    watchImages(renewed);
    if (hadFocus) renewed.querySelector("a").focus();
    await renewTexts();
  }
}

export function setUpRenewing() {
  setInterval(() => {
    if (document.hidden || !document.querySelector(MOVING)) return;
    renew().catch(() => undefined); // it may be back at the next look
  }, 2000);
}
