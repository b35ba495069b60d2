// Telling the person something, and copying for them.

import { $, say } from "./page.js";

let fading = 0;
export function tell(text, isBad = false) {
  const toast = $("toast");
  toast.textContent = text;
  toast.classList.toggle("bad", isBad);
  toast.classList.add("on");
  clearTimeout(fading);
  fading = setTimeout(() => toast.classList.remove("on"), isBad ? 6000 : 2200);
  // a dialog lies above everything else: the toast goes into it
  (document.querySelector("dialog[open]") || document.body).append(toast);
}

export async function copy(text, button) {
  if (!text) return tell(say("noLink"), true);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copiedTheOldWay(text)) return tell(say("notCopied"), true);
  }
  tell(`${say("copied")}: ${text}`);
  if (button) {
    const label = button.textContent;
    button.classList.add("done");
    button.textContent = say("copied");
    setTimeout(() => {
      button.classList.remove("done");
      button.textContent = label === say("copied") ? say("copy") : label;
    }, 1400);
  }
}

function copiedTheOldWay(text) {
  const area = document.createElement("textarea");
  const focused = document.activeElement;
  area.value = text;
  (document.querySelector("dialog[open]") || document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (focused) focused.focus();
  return done;
}

export const failed = (error) => tell(error.message, true);
