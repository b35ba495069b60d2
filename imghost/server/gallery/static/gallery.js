// What the pages do when something is pressed. Words come from the page, and text is only ever set
// as text: names of files may be anything.

import { copyRow, setUpBench, useStyle } from "./bench.js";
import { setUpDrop } from "./dropping.js";
import { setUpFormats } from "./formats.js";
import { watchImages } from "./images.js";
import { setUpKeys } from "./keys.js";
import { leave, removeItem, setUpLeaving } from "./leaving.js";
import { logIn, logOut, useHost } from "./login.js";
import { $ } from "./page.js";
import { setUpRenewing } from "./renewing.js";
import { sendAll } from "./sending.js";
import { setUpSettings, watch } from "./settings.js";
import { copy, failed } from "./telling.js";
import { act } from "./uploads.js";

const presses = {
  choose: () => $("files").click(),
  add: () => $("files").click(),
  send: sendAll,
  unfold: (button) => button.form.classList.toggle("open"),
  help: () => $("help").showModal(),
  "close-upload": leave,
  "remove-item": (button) => removeItem(button.closest(".item")),
  "copy-item": (button) => copy(button.previousElementSibling.value, button),
  "copy-format": copyRow,
  "use-style": () => useStyle().catch(failed),
  watch: (button) => watch(button).catch(failed),
  login: logIn,
  logout: logOut,
  "use-host": useHost,
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  const name = button.dataset.do;
  if (presses[name]) presses[name](button);
  else act(name, button);
});

watchImages(document);
setUpRenewing();
setUpFormats();
setUpDrop();
setUpLeaving();
setUpBench();
setUpSettings();
setUpKeys();
