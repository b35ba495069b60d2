// What the pages do when something is pressed. Words come from the page, and text is only ever set
// as text: names of files may be anything.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const words = JSON.parse(document.body.dataset.words);
  const token = document.querySelector('meta[name="imghost-page"]').content;

  const printable = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (hidden) => {
    const point = hidden.codePointAt(0).toString(16);
    return point.length > 2 ? `\\u${point.padStart(4, "0")}` : `\\x${point.padStart(2, "0")}`;
  });

  const say = (name, fields = {}) =>
    words[name].replace(/\{(\w+)\}/g, (whole, key) => (key in fields ? String(fields[key]) : whole));

  // -- telling

  let fading = 0;
  function tell(text, isBad = false) {
    const toast = $("toast");
    toast.textContent = text;
    toast.classList.toggle("bad", isBad);
    toast.classList.add("on");
    clearTimeout(fading);
    fading = setTimeout(() => toast.classList.remove("on"), isBad ? 6000 : 2200);
    // a dialog lies above everything else: the toast goes into it
    (document.querySelector("dialog[open]") || document.body).append(toast);
  }

  async function copy(text, button) {
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

  // -- asking the server

  async function asked(response) {
    const value = await response.json();
    if (!response.ok) throw new Error(value.error);
    return value;
  }

  async function get(path) {
    try {
      return await asked(await fetch(path));
    } catch (error) {
      throw error instanceof TypeError ? new Error(say("unreachable")) : error;
    }
  }

  async function post(path, value) {
    const headers = { "Content-Type": "application/json", "X-Imghost-Page": token };
    try {
      return await asked(await fetch(path, { method: "POST", headers, body: JSON.stringify(value) }));
    } catch (error) {
      throw error instanceof TypeError ? new Error(say("unreachable")) : error;
    }
  }

  const failed = (error) => tell(error.message, true);

  // -- one upload: copy, send, discard, forget

  const cardOf = (element) => element && element.closest(".card");
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

  function act(name, element) {
    const card = cardOf(element);
    if (!card) return tell(say("pickOne"));
    if (name !== "copy" && !card.querySelector(`[data-do="${name}"]`)) return undefined;
    return Promise.resolve(acts[name](card)).catch(failed);
  }

  // -- as it is by now: the counts, and the cards of what is being sent

  const MOVING = '.card[data-state="uploading"]';

  async function renew() {
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
      await copyingChanged?.();
    }
  }

  function setUpRenewing() {
    setInterval(() => {
      if (document.hidden || !document.querySelector(MOVING)) return;
      renew().catch(() => undefined); // it may be back at the next look
    }, 2000);
  }

  // -- pictures that cannot be shown say so

  function watchImages(part) {
    for (const image of part.querySelectorAll(".thumb img, .stage figure:first-child img")) {
      const lost = () => {
        image.classList.add("gone");
        image.parentElement.classList.add("gone");
        image.parentElement.dataset.gone = say("gone");
      };
      image.addEventListener("error", () => {
        if (image.dataset.tries) return lost();
        image.dataset.tries = "1"; // it may have been busy
        setTimeout(() => { image.src = `${image.src}?again`; }, 1500);
      });
    }
  }

  // -- how links are copied

  let copyingChanged = null;

  function setUpCopying() {
    const form = $("copy-format");
    const style = $("copy-style");
    if (!form) return;
    const kept = JSON.parse(localStorage.getItem("imghost-copy") || "null");
    const initial = form.value;
    if (kept) {
      for (const [select, value] of [[form, kept.format], [style, kept.style]]) {
        if ([...select.options].some((option) => option.value === value)) select.value = value;
      }
    }
    const change = async () => {
      const cards = [...document.querySelectorAll(".grid .card")];
      if (!cards.length) return;
      const ids = cards.map((card) => card.dataset.id).join(",");
      const query = new URLSearchParams({ ids, format: form.value, style: style.value });
      const texts = await get(`/gallery/texts?${query}`);
      for (const card of cards) {
        if (card.dataset.text) card.dataset.text = texts[card.dataset.id] || "";
      }
    };
    const isChosen = () => form.value !== initial || style.value;
    copyingChanged = async () => { if (isChosen()) await change(); };
    const changed = () => {
      const value = { format: form.value, style: style.value };
      localStorage.setItem("imghost-copy", JSON.stringify(value));
      change().catch(failed);
    };
    form.addEventListener("change", changed);
    style.addEventListener("change", changed);
    copyingChanged().catch(failed);
  }

  // -- uploading: shown first

  const queue = []; // { file, row, state, facts, shown }
  let previewing = 0;
  let hasSent = false;

  function setUpDrop() {
    const drop = $("drop");
    if (!drop) return;
    const atOnce = $("at-once");
    atOnce.checked = localStorage.getItem("imghost-at-once") === "yes";
    atOnce.addEventListener("change", () =>
      localStorage.setItem("imghost-at-once", atOnce.checked ? "yes" : "no"));
    $("files").addEventListener("change", (event) => {
      add([...event.target.files]);
      event.target.value = "";
    });
    document.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length) add([...event.clipboardData.files]);
    });
    const carries = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    document.addEventListener("dragover", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      $("over").hidden = Boolean(document.querySelector("dialog[open]"));
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) $("over").hidden = true;
    });
    document.addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      $("over").hidden = true;
      add([...event.dataTransfer.files]);
    });
    $("upload").addEventListener("close", closed);
    $("upload").addEventListener("cancel", (event) => {
      if (!underWay().length) return;
      event.preventDefault();
      leave();
    });
    $("leaving").addEventListener("close", () => {
      if ($("leaving").returnValue !== "yes") return;
      remove(queue.filter(({ state }) => state !== "sending"));
      $("upload").close();
    });
    window.addEventListener("beforeunload", (event) => {
      if (underWay().length) event.preventDefault();
    });
  }

  function underWay() {
    const states = ["sending", "waiting", ...($("at-once").checked ? ["new", "reading"] : [])];
    return queue.filter(({ state }) => states.includes(state));
  }

  function add(files) {
    if (!files.length) return;
    for (const file of files) {
      const row = $("item").content.firstElementChild.cloneNode(true);
      row.querySelector(".name").textContent = printable(file.name);
      $("queue").append(row);
      const item = { file, row, state: "new", facts: null, shown: "" };
      queue.push(item);
      said(item, say("reading"));
    }
    if (!$("upload").open) $("upload").showModal();
    next();
  }

  function said(item, text) {
    item.row.querySelector(".said").textContent = text;
    item.row.className = `item ${item.state}`;
  }

  const query = (item) => {
    const { host, bucket } = $("drop").dataset;
    return new URLSearchParams({ name: item.file.name, host, bucket });
  };

  function next() {
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

  function refresh() {
    const ready = queue.filter(({ state }) => state === "ready").length;
    const send = document.querySelector('[data-do="send"]');
    const wasDisabled = send.disabled;
    send.disabled = !ready;
    send.textContent = ready > 1 ? say("uploadMany", { n: ready }) : say("uploadOne");
    if (ready && wasDisabled) send.focus();
  }

  function sendAll() {
    for (const item of queue) if (item.state === "ready") wait(item);
    sendNext();
  }

  function sendItem(item) {
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
      hasSent = true;
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

  function removeItem(row) {
    remove(queue.filter((item) => item.row === row && item.state !== "sending"));
    if (queue.length) refresh();
    else $("upload").close();
  }

  function remove(items) {
    for (const item of items) {
      queue.splice(queue.indexOf(item), 1);
      URL.revokeObjectURL(item.shown);
      item.row.remove();
    }
  }

  function leave() {
    if (!underWay().length) return $("upload").close();
    $("leaving").returnValue = "";
    return $("leaving").showModal();
  }

  // what is under way goes on behind the closed dialog: leaving the page would cut it short
  function closed() {
    if ($("upload").open) return; // again already
    const goesOn = underWay();
    remove(queue.filter((item) => !goesOn.includes(item)));
    ended();
  }

  function ended() {
    if ($("upload").open || underWay().length) return;
    if (queue.some(({ state }) => state !== "done")) $("upload").showModal(); // what failed behind it wants to be seen
    else if (hasSent) location.assign("/");
  }

  // -- the style bench

  let looking = null;
  let drawn = "";

  function setUpBench() {
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
      const asked = new URLSearchParams({ style: suffix });
      const bench = await get(`/gallery/bench/${id}?${asked}`);
      if (mine.signal.aborted) return;
      fill(bench, changed);
      const response = await fetch(`/gallery/styled/${id}?${new URLSearchParams({ style: bench.style })}`, { signal: mine.signal });
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

  async function useStyle() {
    await choose("style", document.querySelector(".bench").dataset.style || "");
  }

  // -- settings

  async function choose(what, value) {
    await post("/gallery/choose", { what, value });
    tell(say("chosen"));
  }

  function setUpSettings() {
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

  async function watch(button) {
    const minutes = button.dataset.minutes ? Number(button.dataset.minutes) : null;
    await post("/gallery/watch", { what: button.dataset.what, minutes });
    location.reload();
  }

  // -- presses and keys

  const presses = {
    choose: () => $("files").click(),
    add: () => $("files").click(),
    send: sendAll,
    unfold: (button) => button.form.classList.toggle("open"),
    help: () => $("help").showModal(),
    "close-upload": leave,
    "remove-item": (button) => removeItem(button.closest(".item")),
    "copy-item": (button) => copy(button.previousElementSibling.value, button),
    "copy-format": (button) => copy(button.previousElementSibling.textContent, button),
    "use-style": () => useStyle().catch(failed),
    watch: (button) => watch(button).catch(failed),
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const name = button.dataset.do;
    if (presses[name]) presses[name](button);
    else act(name, button);
  });

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

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.target.matches("input:not([type=checkbox], [type=radio]), select, textarea")) return;
    if (event.key.startsWith("Arrow")) {
      if (!event.target.matches("[type=radio]")) move(event);
      return;
    }
    const row = /^[1-9]$/.test(event.key) && document.querySelectorAll("#links li")[event.key - 1];
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (row && !row.hidden) presses["copy-format"](row.querySelector("button"));
    else if (keys[key]) keys[key]();
    else return;
    event.preventDefault();
  });

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

  watchImages(document);
  setUpRenewing();
  setUpCopying();
  setUpDrop();
  setUpBench();
  setUpSettings();
})();
