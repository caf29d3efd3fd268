/** Which reading a person chose of each checkpoint, and which there were to choose from. */
import type { ReadingCandidate } from "../../diagnosis/report";
import type { DiagnosisRequest } from "../../protocol/messages";

/** What the editor keeps for a workspace. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

export type ChosenSettings = Readonly<Record<string, string>>;

interface Remembered {
  readonly chosen?: ChosenSettings;
  readonly candidates?: readonly ReadingCandidate[];
}

const memoryKey = "readings";

/** More are no choice; the best come first. */
const candidatesKept = 40;
/** Checkpoints that are remembered; the one that was looked at longest ago goes first. */
const checkpointsKept = 200;

export class ChosenReadings {
  constructor(private readonly memory: Memory) {}

  /** What a request says of the choice. */
  requestPart(checkpoint: string): Pick<DiagnosisRequest, "chosenReading"> {
    const chosen = this.chosenFor(checkpoint);
    return chosen === undefined ? {} : { chosenReading: { ...chosen } };
  }

  /** The settings that were chosen for a checkpoint, by its key; undefined where none were. */
  chosenFor(checkpoint: string): ChosenSettings | undefined {
    return this.all()[checkpoint]?.chosen;
  }

  /** The readings that were tried when it was last diagnosed, the best first. */
  candidatesFor(checkpoint: string): readonly ReadingCandidate[] {
    return this.all()[checkpoint]?.candidates ?? [];
  }

  async noteCandidates(checkpoint: string, candidates: readonly ReadingCandidate[]): Promise<void> {
    await this.keep(checkpoint, { candidates: candidates.slice(0, candidatesKept) });
  }

  async choose(checkpoint: string, chosen: ChosenSettings): Promise<void> {
    await this.keep(checkpoint, { chosen });
  }

  /** Leaves it to the evidence again. */
  async clear(checkpoint: string): Promise<void> {
    const { candidates } = this.all()[checkpoint] ?? {};
    await this.write(checkpoint, candidates === undefined ? {} : { candidates });
  }

  private async keep(checkpoint: string, more: Remembered): Promise<void> {
    await this.write(checkpoint, { ...this.all()[checkpoint], ...more });
  }

  private async write(checkpoint: string, remembered: Remembered): Promise<void> {
    const others = Object.entries(this.all()).filter(([key]) => key !== checkpoint);
    const kept = [...others, [checkpoint, remembered] as const];
    await this.memory.update(memoryKey, Object.fromEntries(kept.slice(-checkpointsKept)));
  }

  private all(): Readonly<Record<string, Remembered>> {
    return (this.memory.get(memoryKey) ?? {}) as Record<string, Remembered>;
  }
}
