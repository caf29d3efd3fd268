/** The last step of a training run, and a line that says which that is of how many. */
export function lastStep(folder: string): { checkpoint: string; line: string };
