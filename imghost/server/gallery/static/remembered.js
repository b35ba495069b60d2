// What this browser remembers, where it may: texts by their names.

const keyOf = (name) => `imghost-${name}`;

export function recall(name) {
  try {
    return localStorage.getItem(keyOf(name));
  } catch {
    return null; // it keeps nothing of sites
  }
}

export function remember(name, text) {
  try {
    localStorage.setItem(keyOf(name), text);
  } catch {
    // then it counts for this page only
  }
}
