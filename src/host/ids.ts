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

  // Those of the side panel take a row of its tree and all the selected rows, or nothing: the selection.
  openReport: "fathom.openReport",
  diagnoseSelected: "fathom.diagnoseSelected",
  compareSelected: "fathom.compareSelected",
  revealCheckpoint: "fathom.revealCheckpoint",
  deleteReport: "fathom.deleteReport",
  refreshCheckpoints: "fathom.refreshCheckpoints",
  showIgnoredCheckpoints: "fathom.showIgnoredCheckpoints",
  hideIgnoredCheckpoints: "fathom.hideIgnoredCheckpoints",
  pinReport: "fathom.pinReport",
  unpinReport: "fathom.unpinReport",
} as const;

/** Commands that only what Fathom itself shows leads to; a menu or a palette has nothing to give them. */
export const ownCommands = {
  /** Takes the key of a stored report: what a CodeLens and a hover over a norm lead to. */
  openNorm: "fathom.openNorm",
} as const;

/** The settings of a measurement below `fathom.`; their keys are the words the code uses. */
export const settings = {
  textFiles: "textFiles",
  sequenceLength: "sequenceLength",
  maxTokens: "maxTokens",
  metrics: "metrics",
  probes: "probes",
  scheme: "scheme",
  device: "device",
  threads: "threads",
  memoryGib: "memoryGib",
  seed: "seed",
} as const;

/** What the editor shows, which changes no figure. */
export const viewSettings = {
  codeLens: "codeLens",
} as const;

export const settingsSection = "fathom";

export const contextKeys = {
  /** Paths of the folders that hold config.json and safetensors: the explorer menu asks for them. */
  checkpointFolders: "fathom.checkpointFolders",
  /** True once a report, however partial, can be exported. */
  hasReport: "fathom.hasReport",
  /** True once the command that compares reports is there. */
  canCompare: "fathom.canCompare",
  /** The tree lists checkpoints that .gitignore names. */
  showsIgnored: "fathom.showsIgnoredCheckpoints",
  /** The charts of the side panel show a report of the store. */
  showsStoredReport: "fathom.showsStoredReport",
  hasPinnedReport: "fathom.hasPinnedReport",
} as const;

export const tools = {
  depth: "fathom_depth",
} as const;

export const webviews = {
  diagnosis: "fathom.diagnosis",
  /** The custom editor of `.fathom.json` files. */
  report: "fathom.report",
} as const;

export const views = {
  charts: "fathom.charts",
  checkpoints: "fathom.checkpoints",
} as const;
