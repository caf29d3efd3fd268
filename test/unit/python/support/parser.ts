import path from "node:path";
import { PythonParser } from "../../../../src/python/parser";

const modules = path.resolve(import.meta.dirname, "../../../../node_modules");

/** The WebAssembly files of the packages. */
export const wasmFiles = {
  treeSitter: path.join(modules, "web-tree-sitter/web-tree-sitter.wasm"),
  python: path.join(modules, "tree-sitter-python/tree-sitter-python.wasm"),
};

export const parser = await PythonParser.load(wasmFiles);
