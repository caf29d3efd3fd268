import { basename } from "node:path";
import type { Format } from "../format";
import { isConsolidated, readConsolidated } from "./consolidated";
import { isLegacy, isZip } from "./container";
import { isDeepSpeed } from "./deepSpeed";
import { readTorch } from "./readTorch";

export const torch: Format = {
  name: "PyTorch",
  usual: [
    "pytorch_model.bin",
    "consolidated.00.pth",
    "model.pt",
    "model.pth",
    "ckpt.pt",
    "best.pt",
  ],
  recognises: (name, head) =>
    // Other programs call their files .bin and .ckpt too.
    !isDeepSpeed(name) &&
    (/\.(pt|pth)$/i.test(name) || isLegacy(head) || (/\.(bin|ckpt)$/i.test(name) && isZip(head))),
  index: ".bin.index.json",
  read: (file, named) =>
    isConsolidated(basename(named)) ? readConsolidated(named) : readTorch(file),
};
