/** The platforms that ONNX Runtime has binaries for, as the extension marketplace names them. */
import { existsSync } from "node:fs";
import path from "node:path";
import { root, Stop } from "./process.mjs";

export const hostTarget = `${process.platform}-${process.arch}`;

/**
 * @param target for example `linux-x64`
 * @returns the folder of its binaries, relative to the repository
 */
export function runtimeFolder(target) {
  const folder = `node_modules/onnxruntime-node/bin/napi-v6/${target.replace("-", "/")}`;
  if (!existsSync(path.join(root, folder))) {
    throw new Stop(`ONNX Runtime has no binaries for ${target}: ${folder} does not exist.`);
  }
  return folder;
}
