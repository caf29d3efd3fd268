/** The tensor directory of a checkpoint: shows what it is sent, and finds tensors by their names. */
import { t } from "@vscode/l10n";
import type { DirectoryToHost, HostToDirectory } from "../../src/protocol/directory";
import type { CheckpointDirectory } from "../../src/report/directory";
import { counted } from "../../src/report/format";
import { element, setText } from "../shared/dom";
import { connectPage, type PageHost } from "../shared/pageHost";
import { readTexts } from "../shared/texts";
import { button } from "../shared/toolkit";
import "./directory.css";
import { factsOf, headline, type ShownOutlook } from "./facts";
import { readNavigation, type Navigation } from "./navigation";
import { fullName, partKey, visibleRows, type Row } from "./rows";
import { TreeGrid } from "./treeGrid";

class DirectoryPage {
  private readonly title = element("h1");
  private readonly headline = element("p", { class: "facts" });
  private readonly facts = element("dl", { class: "fact-list" });
  private readonly problem = element("p", { class: "problem", attributes: { role: "alert" } });
  private readonly found = element("p", { class: "found", attributes: { role: "status" } });
  private readonly filter = element("input", {
    class: "filter",
    attributes: {
      type: "search",
      placeholder: t("Filter by name or type"),
      "aria-label": t("Filter tensors by name or type"),
      spellcheck: "false",
    },
  });
  private readonly diagnose = button(t("Diagnose Depth"), {
    appearance: "primary",
    onPress: () => {
      this.host.post({ type: "diagnose" });
    },
  });
  private readonly copyName = button(t("Copy name"), {
    appearance: "secondary",
    title: t("Copy the name of the chosen tensor (Ctrl+C)"),
    onPress: () => {
      void this.copy();
    },
  });
  private readonly revealFile = button(t("Reveal file"), {
    appearance: "secondary",
    title: t("Show the file of the chosen tensor in the explorer (Ctrl+Enter)"),
    onPress: () => {
      this.reveal();
    },
  });
  private readonly tree: TreeGrid;
  private readonly content: HTMLElement;
  private navigation: Navigation;
  private directory: CheckpointDirectory | undefined;
  private rows: readonly Row[] = [];

  constructor(
    root: HTMLElement,
    private readonly host: PageHost<HostToDirectory, DirectoryToHost>,
  ) {
    this.navigation = readNavigation(host.savedNavigation());
    this.filter.value = this.navigation.filter;
    this.filter.addEventListener("input", () => {
      // What was turned while others were looked for says nothing of these.
      const isNewSearch = (this.navigation.filter === "") !== (this.filter.value === "");
      this.navigate({
        filter: this.filter.value,
        active: 0,
        ...(isNewSearch ? { turned: [] } : {}),
      });
      this.draw();
    });
    this.filter.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        this.tree.node.focus();
      }
    });
    this.tree = new TreeGrid({
      onToggle: (part) => {
        this.toggle(part);
      },
      onActive: (active) => {
        this.navigate({ active });
        this.showChoice();
      },
      onCopy: () => {
        void this.copy();
      },
      onReveal: () => {
        this.reveal();
      },
    });
    this.content = element("div", {
      class: "content",
      children: [
        this.facts,
        element("div", {
          class: "tools",
          children: [
            this.filter,
            this.found,
            element("div", {
              class: "actions",
              children: [this.copyName.node, this.revealFile.node, this.diagnose.node],
            }),
          ],
        }),
        this.tree.node,
      ],
    });
    this.content.hidden = true;
    this.problem.hidden = true;
    root.replaceChildren(
      element("main", {
        class: "directory",
        children: [
          element("header", { class: "checkpoint", children: [this.title, this.headline] }),
          this.problem,
          this.content,
        ],
      }),
    );
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "f" && !this.content.hidden) {
        event.preventDefault();
        this.filter.focus();
        this.filter.select();
      }
    });
    host.onMessage((message) => {
      this.receive(message);
    });
    host.post({ type: "ready" });
  }

  private receive(message: HostToDirectory): void {
    switch (message.type) {
      case "reading":
        setText(this.title, message.name);
        this.title.title = message.path;
        setText(this.headline, t("Reading…"));
        break;
      case "directory":
        this.directory = JSON.parse(
          new TextDecoder().decode(message.directory),
        ) as CheckpointDirectory;
        this.problem.hidden = true;
        this.content.hidden = false;
        setText(this.headline, headline(this.directory));
        this.showOutlook(undefined);
        this.draw();
        break;
      case "failed":
        this.directory = undefined;
        this.content.hidden = true;
        this.problem.hidden = false;
        setText(this.headline, "");
        setText(this.problem, t("This file cannot be shown. {0}", message.reason));
        break;
      case "outlook":
        this.showOutlook(message.outlook);
        break;
    }
  }

  private showOutlook(outlook: ShownOutlook | undefined): void {
    if (!this.directory) return;
    const facts = factsOf(this.directory, outlook);
    this.facts.replaceChildren(
      ...facts.map(({ name, text, isProblem }) =>
        element("div", {
          class: isProblem ? "fact fact-problem" : "fact",
          children: [element("dt", { text: name }), element("dd", { text })],
        }),
      ),
    );
    this.diagnose.setDisabled(facts.some(({ isProblem }) => isProblem));
  }

  private draw(): void {
    const { directory } = this;
    if (!directory) return;
    const { filter, turned, active } = this.navigation;
    this.rows = visibleRows(directory, { filter, turned: new Set(turned) });
    const found = this.rows.reduce((sum, row) => sum + (row.kind === "part" ? row.found : 0), 0);
    const isFiltered = filter.trim() !== "";
    setText(this.found, isFiltered ? t("{0} found", counted(found, "tensor")) : "");
    this.tree.show(directory, this.rows, active);
    this.showChoice();
  }

  private toggle(part: number): void {
    const key = partKey(this.directory!.parts[part]!);
    const { turned } = this.navigation;
    this.navigate({
      turned: turned.includes(key) ? turned.filter((one) => one !== key) : [...turned, key],
    });
    this.draw();
  }

  private showChoice(): void {
    const row = this.rows[this.navigation.active];
    this.copyName.setDisabled(row === undefined);
    this.revealFile.setDisabled(row === undefined);
  }

  /**
   * The name of a tensor, or what those of a layer begin with. The page copies it itself: an editor in
   * a browser that may not write to the clipboard takes the focus to do so, and the keys that follow.
   */
  private async copy(): Promise<void> {
    const row = this.rows[this.navigation.active];
    if (!this.directory || row === undefined) return;
    const name =
      row.kind === "tensor"
        ? fullName(this.directory, row.part, row.tensor)
        : this.directory.parts[row.part]!.prefix.replace(/\.$/, "");
    if (name === "") return;
    try {
      await navigator.clipboard.writeText(name);
    } catch {
      this.host.post({ type: "copy", name });
    }
    setText(this.found, t("Copied {0}", name));
  }

  private reveal(): void {
    const row = this.rows[this.navigation.active];
    if (!this.directory || row === undefined) return;
    const { tensors } = this.directory.parts[row.part]!;
    const [, , , , file] = tensors[row.kind === "tensor" ? row.tensor : 0]!;
    this.host.post({ type: "reveal", file });
  }

  private navigate(change: Partial<Navigation>): void {
    this.navigation = { ...this.navigation, ...change };
    this.host.saveNavigation(this.navigation);
  }
}

readTexts();
const root = document.getElementById("root");
// The page is never exported, so it never answers itself.
if (root)
  new DirectoryPage(
    root,
    connectPage(() => ({ answer: () => undefined })),
  );
