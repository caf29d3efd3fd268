/**
 * `directory.js write FOLDER` writes a .pt of 1,000 tensors and a safetensors checkpoint in 100 shards;
 * `directory.js FILE` prints the milliseconds that reading the tensor directory takes a process that has
 * read none before.
 */
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { readDirectory } from "../../src/host/reading/directoryReader";
import { framed } from "../../test/unit/support/safetensors";
import { pickled, tensorCode, torchZip } from "../../test/unit/support/torchFiles";

const [first = "", folder = ""] = process.argv.slice(2);
if (first === "write") {
  mkdirSync(folder, { recursive: true });
  writeArchive(path.join(folder, "model.pt"));
  writeShards(folder);
} else {
  const start = performance.now();
  void readDirectory(first).then(() => {
    console.log(performance.now() - start);
  });
}

/** Tensors of 64 KiB, so that no two of their headers are read at once. */
function writeArchive(file: string): void {
  const count = 1000;
  const numbers = Buffer.alloc(2 ** 16);
  const named = Array.from({ length: count }, (_, at) => [
    `model.layers.${Math.floor(at / 10)}.part${at % 10}.weight`,
    tensorCode(String(at), [128, 128]),
  ]);
  const storages = Array.from({ length: count }, (_, at) => [at, numbers]);
  const root = pickled.dict(Object.fromEntries(named) as Record<string, Buffer>);
  writeFileSync(file, torchZip(root, Object.fromEntries(storages) as Record<number, Buffer>));
}

/** Shards of ten tensors each, sparse. */
function writeShards(folder: string): void {
  const shape = [1024, 1024];
  const bytes = 2 * 1024 * 1024;
  const map: Record<string, string> = {};
  for (let shard = 0; shard < 100; shard++) {
    const file = `model-${String(shard + 1).padStart(5, "0")}-of-00100.safetensors`;
    const header: Record<string, unknown> = {};
    for (let at = 0; at < 10; at++) {
      const name = `model.layers.${shard}.part${at}.weight`;
      header[name] = { dtype: "BF16", shape, data_offsets: [at * bytes, (at + 1) * bytes] };
      map[name] = file;
    }
    const head = framed(header);
    writeFileSync(path.join(folder, file), head);
    truncateSync(path.join(folder, file), head.length + 10 * bytes);
  }
  const index = JSON.stringify({ weight_map: map });
  writeFileSync(path.join(folder, "model.safetensors.index.json"), index);
}
