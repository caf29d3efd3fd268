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
} as const;

/** The settings below `fathom.`; their keys are the words the code uses. */
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
  codeLens: "codeLens",
} as const;

export const settingsSection = "fathom";

export const contextKeys = {
  /** Paths of the folders that hold config.json and safetensors: the explorer menu asks for them. */
  checkpointFolders: "fathom.checkpointFolders",
  /** True once a report, however partial, can be exported. */
  hasReport: "fathom.hasReport",
} as const;

export const tools = {
  depth: "fathom_depth",
} as const;

export const webviews = {
  diagnosis: "fathom.diagnosis",
} as const;
