// Pictures that cannot be shown say so.

import { say } from "./page.js";

export function watchImages(part) {
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
