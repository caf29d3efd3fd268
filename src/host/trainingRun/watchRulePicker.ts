/** Asks what to warn of while a run is watched, and remembers it for the next time. */
import * as vscode from "vscode";
import type { AlertRules } from "../../trainingRun/alerts";

type Rule = keyof AlertRules;

interface Item extends vscode.QuickPickItem {
  /** What is chosen with it; a threshold is asked for where it is a rule's name. */
  choice: AlertRules | Rule;
}

const memoryKey = "watchRules";

export class WatchRulePicker {
  constructor(private readonly memory: vscode.Memento) {}

  /** What was chosen last; nothing where nobody has been asked. */
  get last(): AlertRules {
    return this.memory.get<AlertRules>(memoryKey) ?? {};
  }

  /** @returns undefined when the user let it be */
  async ask(): Promise<AlertRules | undefined> {
    const chosen = await vscode.window.showQuickPick(this.items(), {
      title: vscode.l10n.t("Watch Run"),
      placeHolder: vscode.l10n.t("Warn once when a new checkpoint crosses a threshold?"),
    });
    if (chosen === undefined) return undefined;
    const { choice } = chosen;
    const rules = typeof choice === "string" ? await this.askThreshold(choice) : choice;
    if (rules !== undefined) await this.memory.update(memoryKey, rules);
    return rules;
  }

  private items(): Item[] {
    const [[rule, threshold] = []] = entries(this.last);
    return [
      ...(rule !== undefined && threshold !== undefined
        ? [
            {
              label: vscode.l10n.t("{0} {1}", describe(rule), String(threshold)),
              description: vscode.l10n.t("as last time"),
              choice: this.last,
            },
          ]
        : []),
      { label: vscode.l10n.t("No warning"), choice: {} },
      ...rules.map((one) => ({
        label: vscode.l10n.t("{0}…", describe(one)),
        choice: one,
      })),
    ];
  }

  private async askThreshold(rule: Rule): Promise<AlertRules | undefined> {
    const last = this.last[rule];
    const atMost = rule === "neededShare" ? 1 : Infinity;
    const text = await vscode.window.showInputBox({
      title: vscode.l10n.t("Watch Run"),
      prompt: describe(rule),
      ...(last === undefined ? {} : { value: String(last) }),
      validateInput: (entered) =>
        isThreshold(entered, atMost)
          ? undefined
          : atMost === 1
            ? vscode.l10n.t("A number from 0 to 1.")
            : vscode.l10n.t("A number from 0 on."),
    });
    return text === undefined ? undefined : { [rule]: Number(text) };
  }
}

const rules: readonly Rule[] = ["lastLayerVariance", "neededShare", "deepIdentityDistance"];

function describe(rule: Rule): string {
  switch (rule) {
    case "lastLayerVariance":
      return vscode.l10n.t("Warn when the output variance of the last layer is above");
    case "neededShare":
      return vscode.l10n.t("Warn when the share of needed layers is below");
    case "deepIdentityDistance":
      return vscode.l10n.t("Warn when ‖J−I‖ of the deeper half averages below");
  }
}

function entries(chosen: AlertRules): [Rule, number][] {
  return rules.flatMap((rule): [Rule, number][] => {
    const threshold = chosen[rule];
    return threshold === undefined ? [] : [[rule, threshold]];
  });
}

function isThreshold(entered: string, atMost: number): boolean {
  const value = Number(entered);
  return entered.trim() !== "" && value >= 0 && value <= atMost && Number.isFinite(value);
}
