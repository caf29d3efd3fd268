/** Where to compute, as the user asks for it; all but `auto` are ONNX Runtime's names of providers. */
export const devices = ["auto", "cpu", "webgpu", "cuda", "dml", "coreml"] as const;

export type Device = (typeof devices)[number];
