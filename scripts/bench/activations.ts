/**
 * Prints the bytes that the activations of the sweep's largest runs take, by liveness: of one layer
 * of the checkpoint named on the command line, differentiated and plain.
 */
import { describeArchitecture } from "../../src/architecture/describe";
import { openCheckpoint } from "../../src/checkpoint/open";
import { tokensAtOnce } from "../../src/diagnosis/layerRun";
import { jvp } from "../../src/graph/jvp";
import { layerGraph, layerInputs, layerOutputs } from "../../src/graph/layer";
import { activationBytes } from "../../src/graph/memory";

async function main([checkpoint, sequence, probes]: string[]): Promise<void> {
  const { layers, hiddenSize } = describeArchitecture(await openCheckpoint(checkpoint!));
  const plain = layerGraph(layers[0]!, hiddenSize, false);
  const differentiated = jvp(plain, layerInputs.stream, [layerOutputs.stream]);
  const bytes = (count: number): number =>
    activationBytes(differentiated, {
      sequence: Number(sequence),
      probes: count,
      batch: Math.floor(tokensAtOnce / Number(sequence) / (1 + count)),
    });
  process.stdout.write(String(Math.max(bytes(Number(probes)), bytes(0))));
}

void main(process.argv.slice(2));
