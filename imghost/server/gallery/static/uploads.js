// One upload: copy its link, send, discard or forget it.

import { $, say } from "./page.js";
import { renew } from "./renewing.js";
import { post } from "./server.js";
import { copy, failed, tell } from "./telling.js";

export const cardOf = (element) => element && element.closest(".card");
const idOf = (card) => Number(card.dataset.id);

const acts = {
  copy: (card) => copy(card.dataset.text, card.querySelector('[data-do="copy"]')),
  async retry(card) {
    await post("/gallery/retry", { ids: [idOf(card)] });
    tell(say("queued"));
    setTimeout(() => location.reload(), 900);
  },
  async discard(card) {
    await post("/gallery/discard", { ids: [idOf(card)] });
    gone(card);
  },
  async forget(card) {
    const button = card.querySelector('[data-do="forget"]');
    if (!button) return;
    const dialog = $("forget");
    $("forget-name").textContent = card.dataset.name;
    $("forget-host").hidden = button.dataset.deletes !== "1";
    $("forget-at-host").checked = false;
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "yes") return;
    const atHost = !$("forget-host").hidden && $("forget-at-host").checked;
    await post("/gallery/forget", { ids: [idOf(card)], at_host: atHost });
    gone(card);
  },
};

function gone(card) {
  if (document.body.dataset.page === "picture") {
    location.assign("/");
    return;
  }
  const next = card.nextElementSibling || card.previousElementSibling;
  card.remove();
  tell(say("erased"));
  if (!next) return location.reload();
  next.querySelector("a").focus();
  return renew().catch(failed);
}

export function act(name, element) {
  const card = cardOf(element);
  if (!card) return tell(say("pickOne"));
  if (name !== "copy" && !card.querySelector(`[data-do="${name}"]`)) return undefined;
  return Promise.resolve(acts[name](card)).catch(failed);
}
