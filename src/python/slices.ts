/** Work that can pause where it yields. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Does the work without a pause. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** How long other work waits, in milliseconds. */
const defaultSlice = 8;

/** Tells when a slice is over. */
export class SliceClock {
  private end = 0;

  constructor(private readonly milliseconds = defaultSlice) {
    this.restart();
  }

  isOver = (): boolean => performance.now() >= this.end;

  restart(): void {
    this.end = performance.now() + this.milliseconds;
  }
}

/**
 * Does the work, giving way to other work where it yields after the time of a slice.
 *
 * @returns undefined when `signal` was aborted
 */
export async function inSlices<T>(
  steps: Steps<T>,
  clock: SliceClock,
  signal?: AbortSignal,
): Promise<T | undefined> {
  let isDone = false;
  try {
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        isDone = true;
        return step.value;
      }
      if (!clock.isOver()) continue;
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted === true) return undefined;
      clock.restart();
    }
  } finally {
    // What was stopped lets go of what it holds.
    if (!isDone) steps.return(undefined as never);
  }
}
