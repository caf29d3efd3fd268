import { t } from "@vscode/l10n";
import type { Site } from "./construction";
import { statementAround } from "./construction";
import { Flow } from "./flow/flow";
import { Refusal } from "./outcome";
import { opposingGuard } from "./placement";
import type { ClassDefinition } from "./program";
import type { Value } from "./flow/values";
import type { Model } from "./model";
import { unique } from "./nodes";
import type { ScaledClass } from "./placement";

/** Layers of one residual stream must be counted by one variable. */
export class StackChecks {
  constructor(
    private readonly model: Model,
    private readonly scaled: readonly ScaledClass[],
  ) {}

  /** Layers of several lists must not form one stack, whose count would start again. */
  checkStacks(): void {
    const sites = this.sites();
    const stacks = new Map<string, Site[]>();
    for (const site of unique(sites.map((site) => ({ ...site, node: site.call })))) {
      const key = `${site.module.path}:${site.function?.node.start ?? -1}:${containerOf(site)}`;
      const known = stacks.get(key) ?? [];
      const clash = known.find((other) => !isSameRound(site, other));
      if (clash !== undefined) {
        throw new Refusal(
          "unclear-index",
          t(
            "Several loops or rounds add layers to {0}, so no one variable counts them all.",
            containerOf(site),
          ),
        );
      }
      stacks.set(key, [...known, site]);
    }
    const groups = [...stacks.values()];
    const hosts = new Set(groups.map(([site]) => site?.function?.owner));
    for (const host of hosts) {
      const own = groups.filter(([site]) => site?.function?.owner === host);
      if (host === undefined || own.length < 2) continue;
      this.checkSeparateStreams(host, own);
    }
  }

  /** The attributes that hold layers, without what they are attributes of: `layers`, `h`. */
  lists(): Set<string> {
    return new Set(
      this.sites().flatMap((site) => {
        const copied = this.model.copies.stackOf(site)?.layers;
        const container = copied ?? containerOf(site);
        if (container.includes(".")) return [container.split(".").at(-1)!];
        // A local list becomes an attribute, and a keyword the name of an entry.
        const isNamed = new RegExp(`\\b${container}\\b`);
        const kept = (site.function?.owner?.attributes ?? [])
          .filter(({ value }) => /^\w+$/.test(container) && isNamed.test(value.text))
          .flatMap(({ path }) => path.filter((part) => part !== "*").at(-1) ?? []);
        return [container, ...kept];
      }),
    );
  }

  /** Where layers, or what holds them, are made in loops or copied. */
  private sites(): Site[] {
    return this.model.program.classes
      .filter((definition) => this.isOnTheWay(definition))
      .flatMap((definition) => this.model.constructions.sitesOf(definition))
      .filter((site) => site.loops.length > 0 || this.model.copies.stackOf(site) !== undefined);
  }

  private checkSeparateStreams(host: ClassDefinition, groups: readonly Site[][]): void {
    const groupOf = new Map(
      groups.flatMap((sites, index) => sites.map(({ call }) => [call, index])),
    );
    const indexOf = (value: Value): number | undefined =>
      value.kind === "instance" && value.construction !== undefined
        ? groupOf.get(value.construction)
        : undefined;
    const flow = new Flow(this.model.program).throughLoops(
      host,
      (value) => indexOf(value) !== undefined,
    );
    const mixed = flow.layerElements.some(
      (element) => new Set(leavesOf(element).flatMap((leaf) => indexOf(leaf) ?? [])).size > 1,
    );
    if (flow.continued.length === 0 && !mixed) return;
    throw new Refusal(
      "unclear-index",
      t(
        "{0} runs several lists of layers on one residual stream, so no one variable counts them all.",
        host.name,
      ),
    );
  }

  /** Whether a class is scaled or has to hand the index on to one that is. */
  private isOnTheWay(definition: ClassDefinition): boolean {
    return this.scaled.some(({ definition: scaled }) => {
      const lineage = this.model.program.lineage(definition);
      if (lineage.includes(scaled)) return true;
      return this.model.constructions
        .sitesOf(scaled)
        .some(
          ({ function: around }) =>
            around?.owner !== undefined &&
            lineage.includes(around.owner) &&
            around.name === "__init__",
        );
    });
  }
}

function leavesOf(value: Value): Value[] {
  if (value.kind === "tuple") return value.items.flatMap(leavesOf);
  if (value.kind === "container") return value.elements.flatMap(leavesOf);
  if (value.kind === "choice") return value.options.flatMap(leavesOf);
  return [value];
}

/** What a loop fills: `self.layers`, or a local name. */
function containerOf({ call }: Site): string {
  for (let at = call.parent, below = call; at !== undefined; below = at, at = at.parent) {
    if (at.type === "assignment" || at.type === "augmented_assignment") {
      const left = at.child("left");
      return (left?.type === "subscript" ? left.child("value") : left)?.text ?? "";
    }
    if (at.type === "call" && below.field === "arguments") {
      const callee = at.child("function");
      if (
        /^(append|extend|insert|add_module|update)$/.test(callee?.child("attribute")?.text ?? "")
      ) {
        return callee!.child("object")!.text;
      }
    }
    if (at.type === "keyword_argument") return at.child("name")!.text;
    if (/statement$|^block$/.test(at.type)) break;
  }
  return statementAround(call).text.split("\n")[0]!;
}

/** Two constructions that make one layer between them, or either of which makes it. */
function isSameRound(one: Site, other: Site): boolean {
  if (one.loops[0]?.node !== other.loops[0]?.node) return false;
  if (opposingGuard(one.call, other.call) !== undefined) return true;
  // [Attention(…), FeedForward(…)] is one element where it is appended, two where the list grows by it.
  const statement = statementAround(one.call);
  const isOneStatement = statement === statementAround(other.call);
  return isOneStatement && !/\.extend\(|\+=/.test(statement.text);
}
