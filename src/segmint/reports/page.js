// Let the edge of each slider follow its range input, which mouse, finger and keys move.
document.documentElement.classList.add("live");
for (const slider of document.querySelectorAll(".slider")) {
  const input = slider.querySelector("input");
  const move = () => slider.style.setProperty("--edge", `${input.value}%`);
  input.addEventListener("input", move);
  move();
}

// Say of a page that nobody has written anew for long that what it shows is over.
const notice = document.querySelector(".notice[data-late-after]");
if (notice && Date.now() / 1000 > Number(notice.dataset.lateAfter)) {
  notice.textContent = notice.dataset.lateText;
}
