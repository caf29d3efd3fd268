import type { Checkpoint } from "../../checkpoint/checkpoint";
import { quote } from "../../checkpoint/errors";
import type { Proposal, Settings, Statements } from "../reading";
import { withoutIdle } from "../reading";
import { assemble } from "./assemble";
import { refuseUnread } from "./unread";
import type { Part } from "./parts";
import { nothingElseFits, settle } from "./settle";
import { normalisedSettings, statementOf } from "./stated";
import type { Structure } from "./structure";
import { readStructure } from "./structure";

/**
 * Tells a model from the names and shapes of its tensors: what it is made of must be clear, and every
 * tensor must have its place. What weights cannot tell stays open (see `OpenSetting`).
 *
 * @throws CheckpointError naming the tensors that do not fit
 */
export async function inferArchitecture(
  checkpoint: Checkpoint,
  statements: Statements,
): Promise<Proposal> {
  const stated: Statements = {
    ...statements,
    stated: statements.stated.map((one) => ({
      ...one,
      settings: normalisedSettings(checkpoint, one),
    })),
    guess: normalisedSettings(checkpoint, { settings: statements.guess, by: "the guess" }),
  };
  const structure = await readStructure(checkpoint, stated);
  const { settled, open } = settle(checkpoint, structure, stated);
  const fixed: Settings = Object.fromEntries(settled.map(({ name, value }) => [name, value]));
  refuseUnread(
    checkpoint,
    (name) => statementOf(stated, name) !== undefined,
    {
      valuesOf: (name) => {
        const value = fixed[name];
        return value !== undefined
          ? [value]
          : (open.find((one) => one.name === name)?.values ?? []);
      },
      isBidirectional: structure.ends.kind === "images" || fixed.attention === "bidirectional",
    },
    stated.ignoredConfigKeys,
  );
  const norm = settled.find(({ name, by }) => name === "norm" && by !== nothingElseFits);
  return {
    source: "inference",
    settled,
    open,
    ...doubtOf(structure),
    architecture: (settings) => {
      const whole = withoutIdle(open, settings);
      const architecture = assemble(structure, { ...settings, ...whole, ...fixed });
      const { scheme } = architecture;
      return norm ? { ...architecture, scheme: { ...scheme, source: norm.by } } : architecture;
    },
  };
}

/** One norm may be that of parallel sublayers, and may be part of something else. */
function doubtOf({ stack, layers }: Structure): Pick<Proposal, "doubt"> {
  const [norms] = layers[0]!.normOrders as [readonly Part[]];
  if (norms.length !== 1) return {};
  const name = quote(`${stack.prefix}0.${norms[0]!.names[0]!}`);
  return { doubt: `its layers have one norm, ${name}, and are taken for parallel sublayers` };
}
