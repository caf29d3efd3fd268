/**
 * The rows as a tree grid. A checkpoint may have a hundred thousand tensors: only the rows in sight are
 * nodes of the page, and the active one, which assistive technology is pointed at.
 */
import { t } from "@vscode/l10n";
import type { CheckpointDirectory } from "../../src/report/directory";
import { bytes, counted, countedOf, largeCount } from "../../src/report/format";
import { element } from "../shared/dom";
import { onNextFrame } from "../shared/nextFrame";
import { fullName, partTitle, typeOf, type Row } from "./rows";

export interface TreeGridEvents {
  onToggle: (part: number) => void;
  /** Another row became the active one, by its place. */
  onActive: (at: number) => void;
  onCopy: () => void;
  onReveal: () => void;
}

/** From left to right, with their heads. */
const columns = [
  { id: "name", head: () => t("Name") },
  { id: "shape", head: () => t("Shape") },
  { id: "type", head: () => t("Type") },
  { id: "parameters", head: () => t("Parameters") },
  { id: "size", head: () => t("Size") },
] as const;

/** Rows that are nodes above and below those in sight, so that scrolling finds them there. */
const margin = 12;

export class TreeGrid {
  readonly node: HTMLElement;
  private readonly head: HTMLElement;
  private readonly body = element("div", { class: "rows", attributes: { role: "rowgroup" } });
  private readonly drawn = new Map<number, HTMLElement>();
  private directory: CheckpointDirectory | undefined;
  private rows: readonly Row[] = [];
  private active = 0;
  private rowHeight = 0;
  private readonly drawSoon = onNextFrame(() => {
    this.draw();
  });

  constructor(private readonly events: TreeGridEvents) {
    this.head = element("div", {
      class: "row head",
      attributes: { role: "row", "aria-rowindex": "1" },
      children: columns.map(({ head }, at) =>
        element("span", {
          class: cellClass(at),
          text: head(),
          attributes: { role: "columnheader" },
        }),
      ),
    });
    this.node = element("div", {
      class: "tree",
      attributes: {
        role: "treegrid",
        tabindex: "0",
        "aria-label": t("Tensors by layer"),
        "aria-colcount": String(columns.length),
        "aria-keyshortcuts": "Control+C Control+Enter",
      },
      children: [
        element("div", { attributes: { role: "rowgroup" }, children: [this.head] }),
        this.body,
      ],
    });
    this.node.addEventListener("scroll", () => {
      this.drawSoon();
    });
    this.node.addEventListener("keydown", (event) => {
      if (this.handled(event)) event.preventDefault();
    });
    this.body.addEventListener("click", (event) => {
      this.click(event);
    });
    new ResizeObserver(() => {
      this.drawSoon();
    }).observe(this.node);
  }

  /** @param active place of the active row; the nearest that there is becomes it */
  show(directory: CheckpointDirectory, rows: readonly Row[], active: number): void {
    this.directory = directory;
    this.rows = rows;
    this.active = Math.max(0, Math.min(active, rows.length - 1));
    this.node.setAttribute("aria-rowcount", String(rows.length + 1));
    for (const row of this.drawn.values()) row.remove();
    this.drawn.clear();
    this.draw();
  }

  activate(at: number): void {
    if (this.rows.length === 0) return;
    this.active = Math.max(0, Math.min(at, this.rows.length - 1));
    this.reveal(this.active);
    this.draw();
    this.events.onActive(this.active);
  }

  private handled(event: KeyboardEvent): boolean {
    const hasCommand = event.ctrlKey || event.metaKey;
    if (hasCommand && event.key === "c") this.events.onCopy();
    else if (hasCommand && event.key === "Enter") this.events.onReveal();
    else if (hasCommand || event.altKey) return false;
    else return this.moved(event.key);
    return true;
  }

  private moved(key: string): boolean {
    const row = this.rows[this.active];
    if (row === undefined) return false;
    const page = Math.max(1, Math.floor(this.node.clientHeight / this.rowHeight) - 2);
    switch (key) {
      case "ArrowDown":
        this.activate(this.active + 1);
        return true;
      case "ArrowUp":
        this.activate(this.active - 1);
        return true;
      case "PageDown":
        this.activate(this.active + page);
        return true;
      case "PageUp":
        this.activate(this.active - page);
        return true;
      case "Home":
        this.activate(0);
        return true;
      case "End":
        this.activate(this.rows.length - 1);
        return true;
      case "ArrowRight":
        if (row.kind === "part" && !row.isOpen) this.events.onToggle(row.part);
        else if (row.kind === "part") this.activate(this.active + 1);
        return true;
      case "ArrowLeft":
        if (row.kind === "tensor") this.activate(this.active - row.place);
        else if (row.isOpen) this.events.onToggle(row.part);
        return true;
      case "Enter":
      case " ":
        if (row.kind === "part") this.events.onToggle(row.part);
        return true;
      default:
        return false;
    }
  }

  private click(event: MouseEvent): void {
    const { target } = event;
    const node = target instanceof Element ? target.closest<HTMLElement>("[data-at]") : null;
    if (node === null) return;
    const at = Number(node.dataset["at"]);
    this.activate(at);
    const row = this.rows[at];
    if (row?.kind === "part") this.events.onToggle(row.part);
  }

  private reveal(at: number): void {
    const { scrollTop, clientHeight } = this.node;
    const head = this.head.offsetHeight;
    const top = at * this.rowHeight;
    if (top < scrollTop) this.node.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + clientHeight - head) {
      this.node.scrollTop = top + this.rowHeight - clientHeight + head;
    }
  }

  private draw(): void {
    this.rowHeight = this.head.offsetHeight;
    if (this.rowHeight === 0) return;
    this.body.style.height = `${this.rows.length * this.rowHeight}px`;
    const { scrollTop, clientHeight } = this.node;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - margin);
    const end = Math.min(
      this.rows.length,
      Math.ceil((scrollTop + clientHeight) / this.rowHeight) + margin,
    );
    const wanted = new Set([this.active]);
    for (let at = first; at < end; at++) wanted.add(at);
    for (const [at, node] of this.drawn) {
      if (wanted.has(at)) continue;
      node.remove();
      this.drawn.delete(at);
    }
    for (const at of [...wanted].sort((a, b) => a - b)) {
      const row = this.rows[at];
      if (row !== undefined) this.place(at, row);
    }
    if (this.rows.length === 0) this.node.removeAttribute("aria-activedescendant");
    else this.node.setAttribute("aria-activedescendant", rowId(this.active));
  }

  private place(at: number, row: Row): void {
    let node = this.drawn.get(at);
    if (node === undefined) {
      node = row.kind === "part" ? this.partNode(row) : this.tensorNode(row);
      node.id = rowId(at);
      node.dataset["at"] = String(at);
      node.setAttribute("aria-rowindex", String(at + 2));
      this.drawn.set(at, node);
      this.body.append(node);
    }
    node.style.top = `${at * this.rowHeight}px`;
    node.classList.toggle("active", at === this.active);
    node.setAttribute("aria-selected", String(at === this.active));
  }

  private partNode({ part: index, isOpen, found }: Row & { kind: "part" }): HTMLElement {
    const part = this.directory!.parts[index]!;
    const { prefix, tensors, parameters, bytes: size } = part;
    const count =
      found === tensors.length
        ? counted(found, "tensor")
        : countedOf(found, tensors.length, "tensor");
    return rowNode("part", { "aria-level": "1", "aria-expanded": String(isOpen) }, [
      element("span", {
        class: "name",
        children: [
          element("span", { class: "twistie", attributes: { "aria-hidden": "true" } }),
          partTitle(part),
          " ",
          element("span", { class: "path", text: prefix.replace(/\.$/, "") }),
        ],
      }),
      count,
      typeOf(part),
      largeCount(parameters),
      bytes(size),
    ]);
  }

  private tensorNode({ part, tensor, place, found }: Row & { kind: "tensor" }): HTMLElement {
    const directory = this.directory!;
    const [name, dataType, shape, size, file] = directory.parts[part]!.tensors[tensor]!;
    const node = rowNode(
      "tensor",
      { "aria-level": "2", "aria-posinset": String(place), "aria-setsize": String(found) },
      [
        element("span", { class: "name", text: name }),
        shape.length === 0 ? t("scalar") : shape.join(" × "),
        dataType,
        largeCount(shape.reduce((product, axis) => product * axis, 1)),
        bytes(size),
      ],
    );
    node.title = `${fullName(directory, part, tensor)}\n${directory.files[file] ?? ""}`;
    return node;
  }
}

function rowNode(
  kind: string,
  attributes: Readonly<Record<string, string>>,
  cells: readonly (HTMLElement | string)[],
): HTMLElement {
  return element("div", {
    class: `row ${kind}`,
    attributes: { role: "row", ...attributes },
    children: cells.map((content, at) =>
      element("span", {
        class: cellClass(at),
        attributes: { role: at === 0 ? "rowheader" : "gridcell" },
        children: [content],
      }),
    ),
  });
}

function cellClass(column: number): string {
  return `cell ${columns[column]!.id}-cell`;
}

function rowId(at: number): string {
  return `row-${at}`;
}
