// What the page is made of: its elements, its words, and its token to change things.

export const $ = (id) => document.getElementById(id);
const words = JSON.parse(document.body.dataset.words);
export const token = document.querySelector('meta[name="imghost-page"]').content;

export const printable = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (hidden) => {
  const point = hidden.codePointAt(0).toString(16);
  return point.length > 2 ? `\\u${point.padStart(4, "0")}` : `\\x${point.padStart(2, "0")}`;
});

export const say = (name, fields = {}) =>
  words[name].replace(/\{(\w+)\}/g, (whole, key) => (key in fields ? String(fields[key]) : whole));
