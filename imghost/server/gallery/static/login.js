// Logging in: a code to scan, and what becomes of it.

import { $, say } from "./page.js";
import { post } from "./server.js";
import { choose } from "./settings.js";

const CODES = 3;
const rest = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

async function followed(number) {
  for (let wait = 1; ; ) {
    await rest(wait);
    const now = await post("/gallery/login/poll", { number });
    $("login-state").textContent = now.said;
    if (now.state === "done" || now.state === "expired") return now.state;
    wait = now.rest_s;
  }
}

async function scanned() {
  for (let codes = 0; codes < CODES; codes += 1) {
    const code = await post("/gallery/login/begin", {});
    $("login-code").src = code.image;
    $("login-state").textContent = say("scan");
    $("login-box").hidden = false;
    if ((await followed(code.number)) === "done") return;
  }
  throw new Error(say("unscanned"));
}

let busy = false; // a button that is disabled would lose the keyboard
async function once(work) {
  if (busy) return;
  busy = true;
  $("login-error").textContent = "";
  try {
    await work();
    location.reload();
  } catch (error) {
    $("login-box").hidden = true;
    $("login-error").textContent = error.message;
  }
  busy = false;
}

export const logIn = () => once(scanned);
export const logOut = () => once(() => post("/gallery/login/forget", {}));
export const useHost = (button) => once(() => choose("host", button.dataset.host));
