// Sort the table by a click on a heading; without JavaScript it stays in the order to look at.
(() => {
  "use strict";
  const table = document.getElementById("scans");
  const body = table.tBodies[0];
  document.querySelectorAll(".with-script").forEach((item) => { item.hidden = false; });

  function value(row, column, kind) {
    const text = row.cells[column].dataset.value;
    return kind === "number" ? (text === "" ? Infinity : Number(text)) : text;
  }

  function sort(heading) {
    const column = heading.cellIndex;
    const kind = heading.dataset.sort;
    const down = heading.getAttribute("aria-sort") === "ascending";
    const rows = Array.from(body.rows);
    rows.sort((a, b) => {
      const [first, second] = [value(a, column, kind), value(b, column, kind)];
      const order = kind === "number" ? first - second || 0 : first.localeCompare(second, undefined, { numeric: true });
      return down ? -order : order;
    });
    table.querySelectorAll("th[aria-sort]").forEach((item) => item.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows);
  }

  table.querySelectorAll("th[data-sort]").forEach((heading) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(heading));
  });
})();
