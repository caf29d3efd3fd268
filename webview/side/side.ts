/** The charts of the side panel: shows whatever report it is sent, and which layer is meant. */
import { t } from "@vscode/l10n";
import type { NormSummary } from "../../src/diagnosis/report";
import type {
  HostToSide,
  KnownCheckpoints,
  SideReport,
  SideState,
  SideToHost,
} from "../../src/protocol/messages";
import { counted, familyName, figure, schemeName } from "../../src/report/format";
import { normRolesText } from "../../src/report/normPlace";
import { verdictCount, verdictName, type Verdict } from "../../src/report/verdict";
import { verdictsOf, type ReportView } from "../panel/chartModel";
import { verdictGlyph } from "../panel/glyphs";
import { element, setText } from "../shared/dom";
import { readTexts } from "../shared/texts";
import { button, type Button } from "../shared/toolkit";
import { CompactChart } from "./compactChart";
import { compactModels } from "./compactModels";
import { CompactTable } from "./compactTable";
import { readChoice, type SideChoice } from "./sideChoice";
import "./side.css";

interface VsCodeApi {
  postMessage(message: SideToHost): void;
  getState(): unknown;
  setState(state: SideChoice): void;
}

declare const acquireVsCodeApi: () => VsCodeApi;

class SidePanel {
  private readonly empty: EmptyState;
  private readonly name = element("button", { class: "name", attributes: { type: "button" } });
  private readonly facts = element("p", { class: "facts" });
  private readonly verdicts = element("ul", { class: "verdict-key" });
  private readonly layerLine = element("p", { class: "layer-line" });
  private readonly charts: CompactChart[];
  private readonly table: CompactTable;
  private readonly tableToggle: Toggle;
  private readonly jacobianLog: Toggle;
  private readonly pruningLog: Toggle;
  private readonly chartStack: HTMLElement;
  private readonly content: HTMLElement;
  private choice: SideChoice;
  private state: SideState | undefined;
  private chosen: number | undefined;
  private hovered: number | undefined;
  private norm: NormSummary | undefined;

  constructor(
    root: HTMLElement,
    private readonly api: VsCodeApi,
  ) {
    this.choice = readChoice(api.getState());
    this.empty = new EmptyState((type) => {
      api.postMessage({ type });
    });
    const events = {
      onHover: (layer: number | undefined) => {
        this.hovered = layer;
        this.highlight();
      },
      onChoose: (layer: number | undefined) => {
        this.choose(layer === this.chosen ? undefined : layer);
      },
    };
    this.jacobianLog = new Toggle(t("log"), t("Log scale of the Jacobian’s distance"), (isOn) => {
      this.change({ isJacobianLog: isOn });
    });
    this.pruningLog = new Toggle(t("log"), t("Log scale of the pruning sensitivity"), (isOn) => {
      this.change({ isPruningLog: isOn });
    });
    this.tableToggle = new Toggle(t("table"), t("Show the figures as a table"), (isOn) => {
      this.change({ isTable: isOn });
    });
    this.charts = [
      new CompactChart(events),
      new CompactChart(events, this.jacobianLog.node),
      new CompactChart(events, this.pruningLog.node),
    ];
    this.table = new CompactTable(events);
    this.name.addEventListener("click", () => {
      api.postMessage({ type: "open" });
    });
    this.chartStack = element("section", {
      class: "charts",
      attributes: { "aria-label": t("Charts over depth") },
      children: this.charts.map(({ node }) => node),
    });
    this.content = element("div", {
      class: "content",
      children: [
        element("header", {
          children: [
            element("div", {
              class: "name-line",
              children: [element("h2", { children: [this.name] }), this.tableToggle.node],
            }),
            this.facts,
          ],
        }),
        element("div", { class: "layer-bar", children: [this.verdicts, this.layerLine] }),
        this.chartStack,
        this.table.node,
      ],
    });
    root.replaceChildren(
      element("main", { class: "side", children: [this.empty.node, this.content] }),
    );
    this.content.hidden = true;
    window.addEventListener("message", (event: MessageEvent<HostToSide>) => {
      this.receive(event.data);
    });
    api.postMessage({ type: "ready" });
  }

  private receive(message: HostToSide): void {
    switch (message.type) {
      case "state":
        this.state = message.state;
        this.draw();
        break;
      case "layer":
        this.chosen = message.layer;
        this.highlight();
        if (message.layer !== undefined) this.table.reveal(message.layer);
        break;
      case "norm":
        this.norm = message.norm;
        this.sayWhat();
        break;
    }
  }

  private draw(): void {
    const { state } = this;
    if (!state) return;
    const shown = state.kind === "report" ? state.shown : undefined;
    this.empty.show(state);
    this.content.hidden = shown === undefined;
    if (shown) this.drawReport(shown);
  }

  private drawReport(shown: SideReport): void {
    const view = viewOf(shown);
    const models = compactModels(view, this.choice);
    setText(this.name, shown.name);
    this.name.title = t("Open the report of {0}", shown.name);
    this.facts.title = savedText(shown);
    this.sayWhat();
    this.verdicts.replaceChildren(...keyItems(verdictsOf(view)));
    this.tableToggle.set(this.choice.isTable);
    this.jacobianLog.set(this.choice.isJacobianLog);
    this.pruningLog.set(this.choice.isPruningLog);
    this.chartStack.hidden = this.choice.isTable;
    this.table.node.hidden = !this.choice.isTable;
    models.forEach((model, i) => {
      this.charts[i]?.show(model);
    });
    this.table.show(view, models);
    this.highlight();
  }

  private highlight(): void {
    const shown = this.state?.kind === "report" ? this.state.shown : undefined;
    const layer = this.hovered ?? this.chosen;
    const view = shown && viewOf(shown);
    const known = layer !== undefined && view && layer < view.layers ? layer : undefined;
    for (const chart of this.charts) chart.highlight(known);
    this.table.highlight(known);
    const isNamed = view !== undefined && known !== undefined;
    this.content.classList.toggle("has-layer", isNamed);
    setText(this.layerLine, isNamed ? nameOf(view, known) : "");
  }

  /** Below the name: the norm that the cursor in the code is at, or what the model is made of. */
  private sayWhat(): void {
    if (this.state?.kind !== "report") return;
    const { shown } = this.state;
    const norm = this.norm && normRolesText(this.norm, shown.report);
    setText(this.facts, norm ?? factsOf(shown));
    this.facts.classList.toggle("norm", norm !== undefined);
  }

  private choose(layer: number | undefined): void {
    this.chosen = layer;
    this.highlight();
    this.api.postMessage({ type: "layer", ...(layer !== undefined && { layer }) });
  }

  private change(part: Partial<SideChoice>): void {
    this.choice = { ...this.choice, ...part };
    this.api.setState(this.choice);
    this.draw();
  }
}

/** Why there are no charts, and what to do about it. */
class EmptyState {
  readonly node: HTMLElement;
  private readonly text = element("p");
  private readonly button: Button;
  private action: "diagnose" | "showIgnored" = "diagnose";

  constructor(act: (action: "diagnose" | "showIgnored") => void) {
    const onPress = (): void => {
      act(this.action);
    };
    this.button = button(t("Diagnose…"), { appearance: "primary", onPress });
    this.node = element("div", { class: "empty", children: [this.text, this.button.node] });
  }

  show(state: SideState): void {
    this.node.hidden = state.kind === "report";
    this.button.setHidden(state.kind === "running");
    const areHidden = state.kind === "nothing" && state.checkpoints === "hidden";
    this.action = areHidden ? "showIgnored" : "diagnose";
    switch (state.kind) {
      case "report":
        break;
      case "nothing":
        setText(this.text, nothingText(state.checkpoints));
        this.button.node.textContent = areHidden ? t("Show Them") : t("Diagnose…");
        break;
      case "running":
        setText(
          this.text,
          t("{0} is being measured; its first figures will come soon.", state.name),
        );
        break;
      case "unmeasured":
        setText(this.text, t("{0} has not been diagnosed yet.", state.name));
        this.button.node.textContent = t("Diagnose");
        break;
    }
  }
}

function nothingText(checkpoints: KnownCheckpoints): string {
  switch (checkpoints) {
    case "listed":
      return t("Diagnose a checkpoint to see how much each of its layers does.");
    case "hidden":
      return t("All checkpoints of this workspace are ones that .gitignore names.");
    case "none":
      return t(
        "No checkpoint was found in this workspace. Choose one to see how much each of its layers does.",
      );
  }
}

/** A small word that is pressed or not. */
class Toggle {
  readonly node: HTMLButtonElement;

  constructor(word: string, meaning: string, onChange: (isOn: boolean) => void) {
    this.node = element("button", {
      class: "toggle",
      text: word,
      attributes: { type: "button", title: meaning, "aria-label": meaning },
    });
    this.node.addEventListener("click", () => {
      onChange(this.node.getAttribute("aria-pressed") !== "true");
    });
  }

  set(isOn: boolean): void {
    this.node.setAttribute("aria-pressed", String(isOn));
  }
}

function viewOf({ report, isRunning }: SideReport): ReportView {
  return { report, layers: report.architecture.layers, isRunning };
}

/** `LLaMA · Pre-LN · 16 layers · ppl 20.8` */
function factsOf({ report, isRunning }: SideReport): string {
  const { architecture, baseline } = report;
  return [
    familyName(architecture.family),
    schemeName(architecture.normScheme),
    counted(architecture.layers, "layer"),
    ...(baseline?.perplexity === undefined ? [] : [t("ppl {0}", figure(baseline.perplexity))]),
    ...(isRunning ? [t("measuring…")] : []),
  ].join(" · ");
}

function savedText({ savedAt }: SideReport): string {
  return savedAt === undefined ? "" : t("Measured on {0}", new Date(savedAt).toLocaleString());
}

/** `● 12 needed`, with the shape and the tint that the charts use; verdicts that no layer has are left out. */
function keyItems(verdicts: readonly (Verdict | undefined)[]): HTMLElement[] {
  const kinds: Verdict[] = ["needed", "free", "uncertain"];
  return kinds.flatMap((kind) => {
    const count = verdicts.filter((verdict) => verdict === kind).length;
    return count === 0
      ? []
      : [element("li", { children: [verdictGlyph(kind), verdictCount(kind, count)] })];
  });
}

/** `Layer 12 · free` */
function nameOf(view: ReportView, layer: number): string {
  const verdict = verdictsOf(view)[layer];
  return [t("Layer {0}", layer), ...(verdict ? [verdictName(verdict)] : [])].join(" · ");
}

readTexts();
const root = document.getElementById("root");
if (root) new SidePanel(root, acquireVsCodeApi());
