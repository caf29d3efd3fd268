/** Asks how a checkpoint is to be read where the evidence does not tell, and remembers the answer. */
import * as vscode from "vscode";
import type { ReadingCandidate } from "../../diagnosis/report";
import type { Checkpoint } from "../checkpoint";
import type { Reader } from "../reading/reader";
import type { ChosenReadings } from "./chosenReadings";
import { describeArchitecture } from "./describeArchitecture";
import { offeredReadings, settingsText } from "./offeredReadings";

export interface ReadingChooserServices {
  chosen: ChosenReadings;
  reader: Pick<Reader, "statementOf">;
  /** Diagnoses the checkpoint as it is now read. */
  diagnose: (checkpoint: Checkpoint) => Promise<unknown>;
}

interface Item extends vscode.QuickPickItem {
  readonly take?: () => Promise<unknown>;
}

export class ReadingChooser {
  constructor(private readonly services: ReadingChooserServices) {}

  /** Writes a fathom.json for the checkpoint and opens it. */
  async describe(checkpoint: Checkpoint): Promise<void> {
    await describeArchitecture(checkpoint, this.services.reader);
  }

  /** Asks, and does what was chosen; nothing where the question is dismissed. */
  async ask(checkpoint: Checkpoint): Promise<void> {
    const { chosen } = this.services;
    // There may be dozens of readings: what else can be done stands before the unlikely ones.
    const [best, ...rest] = this.readings(checkpoint, chosen.candidatesFor(checkpoint.key));
    const items = [
      ...(best ? [best] : []),
      ...this.others(checkpoint),
      { label: "", kind: vscode.QuickPickItemKind.Separator },
      ...rest,
    ];
    const choice = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t("How Is {0} Read?", checkpoint.name),
      placeHolder: vscode.l10n.t(
        "The readings that were tried on the evaluated tokens, the one that predicts best first",
      ),
      // The panel behind says what is in question, and may be looked at.
      ignoreFocusOut: true,
    });
    await choice?.take?.();
  }

  private readings(checkpoint: Checkpoint, candidates: readonly ReadingCandidate[]): Item[] {
    const { chosen, diagnose } = this.services;
    const taken = chosen.chosenFor(checkpoint.key);
    return offeredReadings(candidates).map(({ label, candidate: { settings, nll } }, at) => {
      const loss = vscode.l10n.t("{0} nats a token", nll?.toFixed(4) ?? "∞");
      const isTaken = taken !== undefined && settingsText(taken) === settingsText(settings);
      const note = isTaken ? ` · ${vscode.l10n.t("chosen by you")}` : "";
      return {
        label: at === 0 ? vscode.l10n.t("The reading that predicts best") : label,
        description: `${loss}${note}`,
        // What the others differ from.
        ...(at === 0 && { detail: label === "" ? settingsText(settings) : label }),
        take: async () => {
          await chosen.choose(checkpoint.key, settings);
          await diagnose(checkpoint);
        },
      };
    });
  }

  private others(checkpoint: Checkpoint): Item[] {
    const { chosen, diagnose } = this.services;
    const isChosen = chosen.chosenFor(checkpoint.key) !== undefined;
    const hasCandidates = chosen.candidatesFor(checkpoint.key).length > 0;
    return [
      ...(isChosen
        ? [
            {
              label: vscode.l10n.t("Forget the choice"),
              description: vscode.l10n.t("the evidence tells again"),
              take: async () => {
                await chosen.clear(checkpoint.key);
                await diagnose(checkpoint);
              },
            },
          ]
        : []),
      ...(hasCandidates || isChosen
        ? []
        : [
            {
              label: vscode.l10n.t("Try the readings"),
              description: vscode.l10n.t("none has been tried yet"),
              take: () => diagnose(checkpoint),
            },
          ]),
      {
        label: vscode.l10n.t("Describe this architecture…"),
        description: vscode.l10n.t("in a fathom.json beside the checkpoint"),
        take: () => this.describe(checkpoint),
      },
    ];
  }
}
