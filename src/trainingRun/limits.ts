/** Limits on what an untrusted run folder may ask of us, each checked before anything is allocated. */
export const limits = {
  /** A run that keeps a checkpoint every 500 steps for a million steps has 2,000. */
  steps: 10_000,
  /** Entries looked at in one folder; a run folder holds checkpoints and logs, not a data set. */
  folderEntries: 50_000,
  /** Loss logs read of one run: one beside each checkpoint, and those of a few restarts. */
  logFiles: 2_000,
  /** trainer_state.json takes about 150 bytes for each logged step: 400,000 of them. */
  stateBytes: 64_000_000,
  /** A CSV log takes about 60 bytes for each logged step. */
  csvBytes: 64_000_000,
  /** Event files may hold pictures and histograms beside the losses; these are skipped, but read. */
  eventFileBytes: 2_000_000_000,
  /** One record of an event file: a large picture or a graph definition. */
  eventRecordBytes: 64_000_000,
  /** Series with `loss` in their name: one a head, a task or a host. */
  series: 50,
  /** Points kept of one series, from the first on. */
  points: 2_000_000,
} as const;
