import type { SyntaxNode } from "../../syntax";
import type { ModuleFile } from "../program";
import type { ClassDefinition } from "../program";
import type { Arguments, Part, Scope, Value } from "./values";
import { contains, nothing, partsOf, tensor } from "./values";

/** One application of a norm on the way through a layer. */
export interface NormUse {
  /** The call whose value is the norm's output. */
  readonly node: SyntaxNode;
  readonly module: ModuleFile;
  readonly inputs: ReadonlySet<Part>;
  /** True for LN(x + …): no other place can read that sum, so what follows builds on the output. */
  readonly isSumLost: boolean;
  /**
   * How the norm is applied: by a call of its own, as the first element of the nn.Sequential that
   * `node` calls, or as an element that no code can reach.
   */
  readonly application: "call" | "first" | "unreachable";
  /** True where the output is already divided by something that grows with the depth. */
  isScaled: boolean;
}

/** What was seen on the way through a layer. */
export interface LayerFlow {
  readonly uses: readonly NormUse[];
  /** What the layer hands on is a sum of these. */
  readonly output: ReadonlySet<Part>;
  /** Classes of these files whose code was passed through. */
  readonly classes: ReadonlySet<ClassDefinition>;
  /** Places where a norm is handed on instead of being called. */
  readonly escapes: readonly SyntaxNode[];
  /** Places where an attribute is looked up by a computed name. */
  readonly lookups: readonly SyntaxNode[];
  /** Uses, by position, that are not part of a layer: before and after the loop over layers. */
  readonly outside: ReadonlySet<number>;
  /** Stacks whose input is the residual stream of a stack before them. */
  readonly continued: readonly SyntaxNode[];
  /** What the variables of the loops over layers stand for. */
  readonly layerElements: readonly Value[];
}

/** What is noticed on the way. */
export class Sightings {
  readonly uses: NormUse[] = [];
  readonly classes = new Set<ClassDefinition>();
  readonly escapes: SyntaxNode[] = [];
  readonly lookups: SyntaxNode[] = [];
  readonly continued: SyntaxNode[] = [];
  readonly layerElements: Value[] = [];
  readonly usesInLoops = new Set<number>();
  readonly loopOutputs: Value[] = [];
  /** While one is set, a loop over a container that holds it is where layers follow each other. */
  stacked: ((value: Value) => boolean) | undefined;

  result(output: Set<Part>): LayerFlow {
    const { uses, classes, escapes, lookups, continued, layerElements } = this;
    const outside = new Set(
      this.stacked === undefined
        ? []
        : uses.map((_, index) => index).filter((index) => !this.usesInLoops.has(index)),
    );
    return { uses, output, classes, escapes, lookups, outside, continued, layerElements };
  }

  applyNorm(
    given: Arguments,
    node: SyntaxNode,
    scope: Scope,
    application: NormUse["application"] = "call",
  ): Value {
    const [input = nothing, ...others] = [...given.positional, ...given.keywords.values()];
    const isFused = others.some((other) => partsOf(other).size > 0);
    if (isFused || (application === "call" && isTakenApart(node))) this.escapes.push(node);
    const index = this.uses.length;
    this.uses.push({
      node,
      module: scope.module,
      inputs: partsOf(input),
      isSumLost: isSum(node.child("arguments")?.children[0]),
      application,
      isScaled: false,
    });
    return tensor([`norm:${index}`]);
  }

  /** A norm that is handed to code that is not here may be applied there. */
  noticeEscape({ positional, keywords }: Arguments, node: SyntaxNode): void {
    const isNorm = (value: Value): boolean => value.kind === "norm" && value.isCertain;
    const values = [...positional, ...keywords.values()];
    if (values.some((value) => contains(value, isNorm))) this.escapes.push(node);
  }

  /** Layers that follow layers on one residual stream count on; their indices do not start at 0. */
  enterStack(value: Value, at: SyntaxNode): void {
    if ([...partsOf(value)].some((part) => part.startsWith("stream:"))) this.continued.push(at);
  }
}

function isSum(node: SyntaxNode | undefined): boolean {
  return node?.type === "binary_operator" && node.child("operator")?.text === "+";
}

/** A norm that gives several things, or adds a residual itself, gives nothing to multiply. */
function isTakenApart(node: SyntaxNode): boolean {
  const { parent } = node;
  if (parent?.type === "subscript" && node.field === "value") {
    return parent.child("subscript")?.type === "integer";
  }
  const left = parent?.type === "assignment" ? parent.child("left") : undefined;
  return left !== undefined && /^(pattern_list|tuple_pattern|list_pattern)$/.test(left.type);
}
