/**
 * The machine's plain MatMul rate through ONNX Runtime: tokens × hidden by hidden × inner, weights
 * from memory. Prints floating-point operations a second, the best of a few runs.
 */
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxRuntimeExecutor } from "../../src/engine/onnxRuntime";
import { GraphBuilder } from "../../src/graph/graph";

const tokens = 2048;
const hidden = 4096;
const inner = 14336;

async function main(): Promise<void> {
  const file = join(tmpdir(), `fathom-bench-matmul-${process.pid}.bin`);
  writeFileSync(file, new Uint8Array(new Float32Array(inner * hidden).fill(0.01).buffer));
  try {
    const builder = new GraphBuilder();
    const x = builder.input("x", { elementType: "float32", shape: ["batch", hidden] });
    const weight = builder.weight({
      name: "weight",
      dataType: "F32",
      shape: [inner, hidden],
      file,
      offset: 0,
      byteLength: inner * hidden * 4,
    });
    builder.output("y", builder.apply("Linear", [x, weight]));
    const executor = onnxRuntimeExecutor({
      provider: "cpu",
      threads: undefined,
      weightsFolder: tmpdir(),
    });
    const session = await executor.load(builder.build());
    const data = new Float32Array(tokens * hidden).fill(0.01);
    let best = Infinity;
    for (let repetition = 0; repetition < 4; repetition++) {
      const start = performance.now();
      await session.run({ x: { type: "float32", data, shape: [tokens, hidden] } }, ["y"]);
      best = Math.min(best, (performance.now() - start) / 1000);
    }
    process.stdout.write(String((2 * tokens * hidden * inner) / best));
  } finally {
    rmSync(file);
  }
}

void main();
