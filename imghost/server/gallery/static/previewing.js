// Pictures are shown first, as they would be sent.

import { ended } from "./leaving.js";
import { $, printable, say, token } from "./page.js";
import { query, queue, refresh, said } from "./queue.js";
import { sendItem } from "./sending.js";

let previewing = 0;

export function next() {
  while (previewing < 2) {
    const item = queue.find(({ state }) => state === "new");
    if (!item) break;
    previewing += 1;
    item.state = "reading";
    preview(item)
      .catch((error) => { item.state = "failed"; said(item, error.message); })
      .finally(() => { previewing -= 1; next(); ended(); });
  }
  refresh();
}

async function preview(item, triesLeft = 10) {
  let response;
  try {
    response = await fetch(`/gallery/preview?${query(item)}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream", "X-Imghost-Page": token },
      body: item.file,
    });
  } catch {
    throw new Error(say("unreachable"));
  }
  if (response.status === 503 && triesLeft) {
    await new Promise((resolve) => setTimeout(resolve, 2000)); // another page is at it
    return preview(item, triesLeft - 1);
  }
  if (!response.ok) throw new Error((await response.json()).error);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (!queue.includes(item)) return undefined;
  const end = bytes.indexOf(10);
  const facts = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  item.facts = facts;
  item.state = "ready";
  show(item, facts.id ? item.file : new Blob([bytes.subarray(end + 1)], { type: facts.mime_type }));
  said(item, facts.id ? say("known") : say("ready"));
  if ($("at-once").checked) sendItem(item);
  return undefined;
}

function show(item, blob) {
  const { facts, row } = item;
  const change = facts.is_changed ? say("original", { size: facts.original_size }) : say("asItIs");
  row.querySelector(".name").textContent = printable(facts.name);
  row.querySelector(".meta").textContent =
    `${facts.width_px} × ${facts.height_px} · ${facts.format} · ${facts.size} (${change})`;
  row.querySelector(".note").textContent = facts.notes.join(" · ");
  const image = row.querySelector("img");
  item.shown = URL.createObjectURL(blob);
  image.src = item.shown;
  image.hidden = false;
}
