/**
 * Every id that package.json and the extension share. A unit test ties the two together, so a
 * rename on one side only cannot pass.
 */

export const commands = {
  /** Takes nothing (asks), a URI or path, or what an explorer or editor-title menu passes. */
  diagnoseDepth: "fathom.diagnoseDepth",
  /** Takes nothing (asks) or an export format. */
  exportReport: "fathom.exportReport",
  showReport: "fathom.showReport",
  showLog: "fathom.showLog",
  /** These take what the light bulb passes, or nothing: then the cursor says where. */
  applyScaling: "fathom.applyLayerNormScaling",
  previewScaling: "fathom.previewLayerNormScaling",
  copyScalingRecipe: "fathom.copyLayerNormScalingRecipe",
  /** These take the URI of a Python file, as text, or nothing: the file that is edited. */
  chooseCheckpointOfCode: "fathom.chooseCheckpointOfCode",
  unpinCheckpointOfCode: "fathom.unpinCheckpointOfCode",

  // Those of the side panel take a row of its tree and all the selected rows, or nothing: the selection.
  openReport: "fathom.openReport",
  openShownReport: "fathom.openShownReport",
  diagnoseSelected: "fathom.diagnoseSelected",
  compareSelected: "fathom.compareSelected",
  revealCheckpoint: "fathom.revealCheckpoint",
  revealReportFile: "fathom.revealReportFile",
  deleteReport: "fathom.deleteReport",
  refreshCheckpoints: "fathom.refreshCheckpoints",
  showIgnoredCheckpoints: "fathom.showIgnoredCheckpoints",
  hideIgnoredCheckpoints: "fathom.hideIgnoredCheckpoints",
  pinReport: "fathom.pinReport",
  unpinReport: "fathom.unpinReport",
  /** These take nothing (ask), a URI or path of a checkpoint, or what the explorer passes. */
  describeArchitecture: "fathom.describeArchitecture",
  chooseReading: "fathom.chooseReading",
  /** Takes nothing (asks), what the explorer passes, or a list of paths or of the tree's rows. */
  compare: "fathom.compare",
  /** Takes nothing (asks), a URI or path of a run's folder, or what the explorer passes. */
  diagnoseRun: "fathom.diagnoseRun",
  /** As `diagnoseRun`, of two runs; the second is asked for where it is not selected with the first. */
  compareRuns: "fathom.compareRuns",
  /** As `diagnoseRun`; nothing means the run whose panel is looked at, where there is one. */
  watchRun: "fathom.watchRun",
  stopWatchingRun: "fathom.stopWatchingRun",
} as const;

/** Commands that only the extension itself leads to; package.json does not declare them. */
export const innerCommands = {
  /** Takes the key of a stored report: what a CodeLens and a hover over a norm lead to. */
  openNorm: "fathom.openNorm",
  /** Takes what a click on the status bar does. */
  follow: "fathom.followStatusLine",
} as const;

/** The settings of a measurement below `fathom.`; their keys are the words the code uses. */
export const settings = {
  textFiles: "textFiles",
  tokensFile: "tokensFile",
  sequenceLength: "sequenceLength",
  maxTokens: "maxTokens",
  metrics: "metrics",
  probes: "probes",
  scheme: "scheme",
  stack: "stack",
  device: "device",
  threads: "threads",
  memoryGib: "memoryGib",
  seed: "seed",
} as const;

/** What the editor shows, which changes no figure. */
export const viewSettings = {
  codeLens: "codeLens",
} as const;

/** The settings below `fathom.` that only "Watch Run" reads. */
export const watchSettings = {
  settleSeconds: "watch.settleSeconds",
  maxLastLayerVariance: "watch.maxLastLayerVariance",
  minNeededShare: "watch.minNeededShare",
  minDeepIdentityDistance: "watch.minDeepIdentityDistance",
} as const;

export const settingsSection = "fathom";

export const contextKeys = {
  /**
   * Paths of the folders that hold a checkpoint: the explorer menu asks for them. Nothing but a key
   * tells it what a folder holds, and no event comes before a menu: hence `onStartupFinished`.
   */
  checkpointFolders: "fathom.checkpointFolders",
  /** True once a report, however partial, can be exported. */
  hasReport: "fathom.hasReport",
  /** The tree lists checkpoints that .gitignore names. */
  showsIgnored: "fathom.showsIgnoredCheckpoints",
  /** It leaves out at least one. */
  hidesCheckpoints: "fathom.hidesCheckpoints",
  /** The charts of the side panel show a report of the store. */
  showsStoredReport: "fathom.showsStoredReport",
  hasPinnedReport: "fathom.hasPinnedReport",
  /** Paths of the folders that hold the checkpoints of at least two steps. */
  runFolders: "fathom.runFolders",
  /** Paths of the folders that hold the checkpoint of a step, one or several. */
  stepFolders: "fathom.stepFolders",
  isWatchingRun: "fathom.isWatchingRun",
} as const;

export const tools = {
  depth: "fathom_depth",
} as const;

export const webviews = {
  diagnosis: "fathom.diagnosis",
  /** The custom editor of `.fathom.json` files. */
  report: "fathom.report",
  /** The custom editor of checkpoints: their tensor directory. */
  directory: "fathom.checkpoint",
  comparison: "fathom.comparison",
  run: "fathom.run",
} as const;

export const views = {
  charts: "fathom.charts",
  checkpoints: "fathom.checkpoints",
} as const;
