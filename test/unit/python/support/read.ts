import type { PythonModule } from "../../../../src/python/module";
import { readModule } from "../../../../src/python/module";
import { normSites } from "../../../../src/python/normSites";
import type { ModuleFile } from "../../../../src/python/structure";
import { parser } from "./parser";

export function read(text: string): PythonModule {
  return readModule(parser.parse(text));
}

/** A file with its norm sites, as matching takes it. */
export function file(path: string, text: string): ModuleFile {
  const module = read(text);
  return { path, module, sites: normSites(module) };
}

/** The norm sites in a line each: `Block.ln_1 = nn.LayerNorm (layer, constructed)`. */
export function sitesOf(text: string): string[] {
  return file("model.py", text).sites.map(
    ({ owner, attribute, callee, kind, how }) =>
      `${owner?.name ?? "-"}.${attribute ?? "?"} = ${callee} (${kind}, ${how})`,
  );
}
