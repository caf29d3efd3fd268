/** The reading thread: answers the calls of `ThreadedReader` with what `directReader` says. */
import { answerCalls } from "../threads/answerCalls";
import { readDirectory } from "./directoryReader";

// All but the directory is loaded when it is first asked for: it takes longer to load than to read.
answerCalls(() => async (signal, method) => {
  if (method === "directoryOf") return { directoryOf: readDirectory };
  const { packedReader } = await import("./packedReader");
  return packedReader(signal);
});
