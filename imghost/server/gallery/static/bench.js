// The style bench: a picture before and after, and its links with the style.

import { $, say } from "./page.js";
import { get } from "./server.js";
import { choose } from "./settings.js";
import { copy } from "./telling.js";

let looking = null;
let drawn = "";

export function setUpBench() {
  const form = $("style-form");
  if (!form) return;
  let timer = 0;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    const suffix = event.target.name === "suffix" ? form.suffix.value.trim() : built(form);
    timer = setTimeout(() => look(suffix, event.target.name), 250);
  });
  for (const chip of document.querySelectorAll(".chip")) {
    chip.addEventListener("click", () => {
      if ("style" in chip.dataset) look(chip.dataset.style, "");
      if (chip.dataset.focus) form.elements[chip.dataset.focus].focus();
    });
  }
  look(new URLSearchParams(location.search).get("style") || "", "");
}

function built(form) {
  const parts = ["w", "h", "e"].filter((letter) => form.elements[letter].value)
    .map((letter) => `${form.elements[letter].value}${letter}`);
  if (form.c.checked) parts.push("1c");
  if (form.q.value) parts.push(`${form.q.value}q`);
  const ending = form.f.value ? `.${form.f.value}` : "";
  return parts.length || ending ? `@${parts.join("_")}${ending}` : "";
}

async function look(suffix, changed) {
  looking?.abort();
  const mine = (looking = new AbortController());
  const card = document.querySelector(".bench");
  const id = card.dataset.id;
  $("style-error").textContent = "";
  $("after").classList.add("busy");
  $("after-facts").textContent = say("drawing");
  $("after-change").textContent = "";
  $("after-warn").textContent = "";
  $("use-style").disabled = true;
  try {
    const query = (style) => new URLSearchParams({ style });
    const bench = await get(`/gallery/bench/${id}?${query(suffix)}`);
    if (mine.signal.aborted) return;
    fill(bench, changed);
    const drawing = `/gallery/styled/${id}?${query(bench.style)}`;
    const response = await fetch(drawing, { signal: mine.signal });
    if (!response.ok) throw new Error((await response.json()).error);
    const blob = await response.blob();
    if (mine.signal.aborted) return;
    await showAfter(bench, blob, Number(card.dataset.bytes));
  } catch (error) {
    if (mine.signal.aborted) return;
    if ($("use-style").disabled) fillLinks({});
    document.querySelector("#after img").hidden = true;
    $("after-facts").textContent = "";
    $("style-error").textContent = error instanceof TypeError ? say("unreachable") : error.message;
  }
  $("after").classList.remove("busy");
}

function fill(bench, changed) {
  const form = $("style-form");
  for (const [name, value] of Object.entries(bench.fields)) {
    if (name === changed) continue;
    const field = form.elements[name];
    if (field.type === "checkbox") field.checked = Boolean(value);
    else field.value = value ?? "";
  }
  if (changed !== "suffix") form.suffix.value = bench.style;
  for (const chip of document.querySelectorAll(".chip[data-style]:not([data-focus])")) {
    chip.setAttribute("aria-pressed", String(chip.dataset.style === bench.style));
  }
  fillLinks(bench.links);
  document.querySelector(".bench").dataset.style = bench.style;
  $("use-style").disabled = false;
}

function fillLinks(links) {
  for (const row of document.querySelectorAll("#links li")) {
    const text = links[row.dataset.format] || "";
    row.querySelector("code").textContent = text;
    row.hidden = !text;
  }
  const card = document.querySelector(".bench");
  card.dataset.text = links[card.dataset.format] || "";
}

async function showAfter(bench, blob, before) {
  const image = document.querySelector("#after img");
  const former = drawn;
  drawn = URL.createObjectURL(blob);
  image.src = drawn;
  image.hidden = false;
  await image.decode().catch(() => undefined);
  URL.revokeObjectURL(former);
  const ending = blob.type.replace("image/", "").replace("jpeg", "jpg");
  $("after-facts").textContent =
    `${image.naturalWidth} × ${image.naturalHeight} · ${sizeOf(blob.size)} · ${ending}`;
  const percent = Math.round((blob.size / before - 1) * 100);
  const change = $("after-change");
  change.classList.toggle("larger", percent >= 0);
  const warnings = [];
  if (bench.style && percent < 0) change.textContent = say("smaller", { percent: -percent });
  if (bench.style && percent === 0) warnings.push(say("sameSize"));
  if (bench.style && percent > 0) warnings.push(say("notSmaller", { percent }));
  if (bench.is_void) warnings.unshift(say("void"));
  $("after-warn").textContent = warnings.join(" ");
}

function sizeOf(bytes) {
  let size = bytes;
  let unit = "B";
  for (const larger of ["kB", "MB", "GB"]) {
    if (size < 1000) break;
    size /= 1000;
    unit = larger;
  }
  return `${size < 10 && unit !== "B" ? size.toFixed(1) : Math.round(size)} ${unit}`;
}

export async function useStyle() {
  await choose("style", document.querySelector(".bench").dataset.style || "");
}

export const copyRow = (button) => copy(button.previousElementSibling.textContent, button);
