/**
 * Lets one through at a time, in the order they came. Two engines at once would compete for the
 * memory that each has been promised, so diagnoses wait here for their turn.
 */
export class Turnstile {
  private readonly line: { name: string; admit: () => void }[] = [];

  /** Name of the one that would have to leave first, from the view of a newcomer. */
  get ahead(): string | undefined {
    return this.line.at(-1)?.name;
  }

  /**
   * Waits for the turn of `name`.
   *
   * @returns a function that gives the turn to the next; calling it again does nothing
   * @throws the reason of `signal` when it aborts first
   */
  async enter(name: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    let admit = (): void => undefined;
    const turn = new Promise<void>((resolve) => {
      admit = resolve;
    });
    const entry = { name, admit };
    this.line.push(entry);
    if (this.line[0] === entry) admit();
    const leave = (): void => {
      this.leave(entry);
    };
    const abandoned = new Promise<never>((_, reject) => {
      signal.addEventListener(
        "abort",
        () => {
          reject(signal.reason instanceof Error ? signal.reason : new Error("Aborted."));
        },
        { once: true },
      );
    });
    try {
      await Promise.race([turn, abandoned]);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  private leave(entry: { name: string; admit: () => void }): void {
    const place = this.line.indexOf(entry);
    if (place === -1) return;
    this.line.splice(place, 1);
    if (place === 0) this.line[0]?.admit();
  }
}
