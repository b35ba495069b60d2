// Settings: what counts from the next picture on, and pausing.

import { $, say } from "./page.js";
import { post } from "./server.js";
import { failed, tell } from "./telling.js";

export async function choose(what, value) {
  await post("/gallery/choose", { what, value });
  tell(say("chosen"));
}

export function setUpSettings() {
  if (!$("settings")) return;
  const wrong = (error) => {
    $("settings-error").textContent = error.message;
    failed(error);
  };
  for (const radio of document.querySelectorAll('#settings input[type="radio"]')) {
    radio.addEventListener("change", () =>
      choose(radio.name, radio.value)
        .then(() => { if (radio.name === "host") setTimeout(() => location.reload(), 700); })
        .catch((error) => { wrong(error); setTimeout(() => location.reload(), 2500); }));
  }
  for (const form of document.querySelectorAll(".other")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      choose(form.dataset.other, form.value.value.trim())
        .then(() => setTimeout(() => location.reload(), 700))
        .catch(wrong);
    });
  }
}

export async function watch(button) {
  const minutes = button.dataset.minutes ? Number(button.dataset.minutes) : null;
  await post("/gallery/watch", { what: button.dataset.what, minutes });
  location.reload();
}
