/** The command "Compare Depth", and all comparisons of this window: one for each set of reports. */
import * as vscode from "vscode";
import { mostReports } from "../../report/comparison";
import type { CheckpointFolders } from "../checkpointFolders";
import type { PageExporter } from "../pageExporter";
import type { PageServices } from "../pagePanel";
import type { Reader } from "../reading/reader";
import { isOfPanel } from "../panelArgument";
import { savedSource } from "../savedSource";
import { comparisonMembers, type MemberSources } from "./members";
import { ShownComparison } from "./shownComparison";
import { comparisonTargets, targetText, type ComparisonTarget } from "./target";

export interface ComparisonServices extends PageServices, MemberSources {
  reader: Pick<Reader, "readReport" | "comparisonContent">;
  folders: CheckpointFolders;
  exporter: PageExporter;
}

export class Comparisons implements vscode.Disposable {
  private readonly bySet = new Map<string, ShownComparison>();

  constructor(private readonly services: ComparisonServices) {}

  /**
   * @param target a URI, or a list of paths or of what the tree passes; nothing: the user is asked
   * @param selection all that was selected in the explorer, `target` included
   * @returns how many reports are compared; undefined when the user let it be
   */
  async run(target?: unknown, selection?: unknown): Promise<number | undefined> {
    const given = givenTargets(target, selection);
    // A row of the tree or the title of a report's editor passes one: it is compared with what is chosen.
    const chosen = given.length < 2 ? await this.pick(given[0]) : given;
    if (chosen === undefined) return undefined;
    const targets = comparisonTargets(chosen, mostReports);
    const known = this.bySet.get(setOf(targets));
    const shown = known ?? (await this.open(targets));
    if (known) shown.reveal();
    return shown.gather(true);
  }

  /** Fills a panel of an earlier window again, with what is at hand; nothing is measured. */
  async restore(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { targets } = savedSource(state);
    try {
      const read = comparisonTargets(Array.isArray(targets) ? targets : [], mostReports);
      const shown = await this.open(read, panel);
      await shown.gather(false);
    } catch (error) {
      panel.dispose();
      throw error;
    }
  }

  dispose(): void {
    for (const shown of this.bySet.values()) shown.dispose();
  }

  private async pick(first: unknown): Promise<unknown[] | undefined> {
    const { pickTargets } = await import("./pickTargets");
    return pickTargets(this.services, first);
  }

  private async open(
    targets: readonly ComparisonTarget[],
    panel?: vscode.WebviewPanel,
  ): Promise<ShownComparison> {
    const { extensionUri, guard, log, exporter, reader } = this.services;
    const members = await comparisonMembers(targets, this.services);
    const set = setOf(targets);
    // Another call may have been quicker.
    const quicker = this.bySet.get(set);
    if (quicker && !panel) return quicker;
    const shown: ShownComparison = new ShownComparison(
      members,
      targets.map(targetText),
      {
        extensionUri,
        guard,
        log,
        exporter,
        reader,
        closed: () => {
          if (this.bySet.get(set) === shown) this.bySet.delete(set);
        },
      },
      panel,
    );
    this.bySet.set(set, shown);
    return shown;
  }
}

/** The same for the same things in any order. */
function setOf(targets: readonly ComparisonTarget[]): string {
  return targets.map(targetText).sort().join("\0");
}

/** What the explorer, the tree or a caller passed; the title of a panel passes nothing to compare. */
function givenTargets(target: unknown, selection: unknown): unknown[] {
  const some = Array.isArray(selection) && selection.length > 1 ? selection : target;
  const all: unknown[] = Array.isArray(some) ? some : some === undefined ? [] : [some];
  return all
    .filter((one) => !isOfPanel(one))
    .map((one) => (one instanceof vscode.Uri ? one.fsPath : one));
}
