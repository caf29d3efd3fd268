/**
 * Whether it is what JSON calls an object. The formats' readers check by hand what they read: loading a
 * library of schemas would take longer than reading a directory of a thousand tensors.
 */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
