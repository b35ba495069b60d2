// How links are copied: in which format and style.

import { $ } from "./page.js";
import { recall, remember } from "./remembered.js";
import { get } from "./server.js";
import { failed } from "./telling.js";

let initial = "";

export function setUpFormats() {
  if (!$("copy-format")) return;
  initial = $("copy-format").value;
  for (const [select, value] of Object.entries(kept())) {
    const options = [...$(select).options].map((option) => option.value);
    if (options.includes(value)) $(select).value = value;
  }
  for (const select of [$("copy-format"), $("copy-style")]) {
    select.addEventListener("change", () => {
      remember("copy", JSON.stringify({ format: $("copy-format").value, style: $("copy-style").value }));
      write().catch(failed);
    });
  }
  renewTexts().catch(failed);
}

function kept() {
  try {
    const { format, style } = JSON.parse(recall("copy")) ?? {};
    return { "copy-format": format, "copy-style": style };
  } catch {
    return {}; // nothing that we wrote
  }
}

// cards come from the server with links as they are configured
export async function renewTexts() {
  if ($("copy-format").value !== initial || $("copy-style").value) await write();
}

async function write() {
  const cards = [...document.querySelectorAll(".grid .card")];
  if (!cards.length) return;
  const ids = cards.map((card) => card.dataset.id).join(",");
  const query = new URLSearchParams({ ids, format: $("copy-format").value, style: $("copy-style").value });
  const texts = await get(`/gallery/texts?${query}`);
  for (const card of cards) {
    if (card.dataset.text) card.dataset.text = texts[card.dataset.id] || "";
  }
}
