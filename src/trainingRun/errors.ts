/** What is wrong with a training run, for code that must tell one cause from another. */
export type TrainingRunProblem = "unreadable" | "notARun" | "lossLog" | "tooLarge";

/** A folder that is no run, or a log that cannot be read. The message is one line that names it. */
export class TrainingRunError extends Error {
  override readonly name = "TrainingRunError";

  constructor(
    readonly problem: TrainingRunProblem,
    message: string,
  ) {
    super(message);
  }
}
