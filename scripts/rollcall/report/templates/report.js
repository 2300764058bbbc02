"use strict";
// Search and sort for every table; without it the pages read the same.
for (const block of document.querySelectorAll(".rows")) {
  const table = block.querySelector("table");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const found = block.querySelector(".found");
  if (rows.length > 5) {
    block.querySelector(".tools").hidden = false;
    block.querySelector("input").addEventListener("input", (event) => {
      const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      rows.forEach((row, i) => {
        row.hidden = !words.every((word) => texts[i].includes(word));
        count += row.hidden ? 0 : 1;
      });
      found.textContent = words.length ? `${count} of ${rows.length} rows shown` : "";
    });
  }
  if (rows.length > 1) {
    Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      const value = (row) => row.cells[column].textContent.trim();
      const number = (text) => Number(text.replaceAll(",", ""));
      const compare = head.classList.contains("n")
        ? (a, b) => number(a) - number(b)
        : (a, b) => a.localeCompare(b, "en", { numeric: true });
      button.addEventListener("click", () => {
        const way = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", way);
        const sign = way === "ascending" ? 1 : -1;
        body.append(...rows.toSorted((x, y) => {
          const a = value(x), b = value(y);
          if (a === "" || b === "") return (a === "") - (b === "");
          return sign * compare(a, b);
        }));
      });
    });
  }
}
