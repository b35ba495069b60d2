// Asking the server.

import { say, token } from "./page.js";

async function asked(response) {
  const value = await response.json();
  if (!response.ok) throw new Error(value.error);
  return value;
}

export async function get(path) {
  try {
    return await asked(await fetch(path));
  } catch (error) {
    throw error instanceof TypeError ? new Error(say("unreachable")) : error;
  }
}

export async function post(path, value) {
  const headers = { "Content-Type": "application/json", "X-Imghost-Page": token };
  try {
    return await asked(await fetch(path, { method: "POST", headers, body: JSON.stringify(value) }));
  } catch (error) {
    throw error instanceof TypeError ? new Error(say("unreachable")) : error;
  }
}
