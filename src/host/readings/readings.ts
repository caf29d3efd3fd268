/** How checkpoints are read: what a person chose, and the commands to choose and to describe. */
import * as vscode from "vscode";
import type { Outcome } from "../../engineClient";
import type { DiagnosisRequest } from "../../protocol/messages";
import type { Checkpoint } from "../checkpoint";
import { namedCheckpoint, type CheckpointPicker } from "../checkpointPicker";
import { pointedAt } from "../diagnoseCommand";
import type { Doing } from "../doings";
import type { Guard } from "../guard";
import { commands } from "../ids";
import type { Reader } from "../reading/reader";
import { requestFor } from "../settings";
import { ChosenReadings } from "./chosenReadings";
import type { ReadingChooser } from "./readingChooser";

export interface ReadingsServices {
  extensionUri: vscode.Uri;
  guard: Guard;
  reader: Pick<Reader, "statementOf">;
  picker: CheckpointPicker;
  memory: vscode.Memento;
  diagnose: (checkpoint: Checkpoint) => Promise<unknown>;
}

export class Readings {
  private readonly chosen: ChosenReadings;
  private chooser: Promise<ReadingChooser> | undefined;

  constructor(private readonly services: ReadingsServices) {
    this.chosen = new ChosenReadings(services.memory);
  }

  /** What the settings and a choice, if there was one, ask of a checkpoint. */
  requestFor(checkpoint: string): DiagnosisRequest {
    return {
      ...requestFor(checkpoint, this.services.extensionUri),
      ...this.chosen.requestPart(namedCheckpoint(checkpoint).key),
    };
  }

  /** Keeps the readings that were tried, and asks which is meant where the evidence told none. */
  async ended(checkpoint: Checkpoint, outcome: Outcome): Promise<void> {
    const tried = outcome.ok
      ? outcome.report.architecture.reading?.candidates
      : outcome.failure.readings;
    if (tried !== undefined) await this.chosen.noteCandidates(checkpoint.key, tried);
    if (!outcome.ok && tried !== undefined) await (await this.asking()).ask(checkpoint);
  }

  /** The commands; each takes a URI or path, what a menu passes, or nothing: then it asks. */
  register(): vscode.Disposable {
    const { guard, picker } = this.services;
    const register = (
      command: string,
      doing: Doing,
      title: string,
      act: (checkpoint: Checkpoint) => Promise<void>,
    ): vscode.Disposable =>
      vscode.commands.registerCommand(command, (target: unknown) =>
        guard.run(doing, async () => {
          const checkpoint = await pointedAt(target, picker, title);
          if (checkpoint !== undefined) await act(checkpoint);
        }),
      );
    return vscode.Disposable.from(
      register(
        commands.describeArchitecture,
        "describe the architecture",
        vscode.l10n.t("Describe This Architecture"),
        async (checkpoint) => (await this.asking()).describe(checkpoint),
      ),
      register(
        commands.chooseReading,
        "choose the reading",
        vscode.l10n.t("Choose How to Read"),
        async (checkpoint) => (await this.asking()).ask(checkpoint),
      ),
    );
  }

  /** What asks, which few windows need: it is loaded when it is first wanted. */
  private asking(): Promise<ReadingChooser> {
    const { reader, diagnose } = this.services;
    return (this.chooser ??= import("./readingChooser").then(
      (loaded) => new loaded.ReadingChooser({ chosen: this.chosen, reader, diagnose }),
    ));
  }
}
