/** What is added to a loop's variable where layers are numbered: `i + 1 + offset`. */
import type { SyntaxNode } from "../syntax";
import { descendants, dottedName } from "../syntax";
import type { Site } from "./construction";
import { statementAround } from "./construction";
import type { LayerIndex } from "./layerIndex";

/** A sum that has a loop's variable in it once, and whole numbers and names besides. */
export interface NumberedFrom {
  /**
   * From what the layers are counted, those before a pipeline's stage included: 1 of `i + start`
   * where `start = 1`. Undefined where `unknown` is not empty.
   */
  readonly from: number | undefined;
  /** Counts of the layers before this stage of a pipeline, as they are written. */
  readonly stages: readonly string[];
  /** What else is added, whose value the code does not tell. */
  readonly unknown: readonly string[];
}

/**
 * @param given what a layer is given as its number
 * @returns undefined where it is another expression
 */
export function numberedFrom(
  given: SyntaxNode,
  { text, countsFrom }: LayerIndex,
  site: Site,
): NumberedFrom | undefined {
  const terms = termsOf(given);
  const others = terms?.filter((term) => term.text !== text);
  if (terms === undefined || others?.length !== terms.length - 1) return undefined;
  let from: number = countsFrom;
  const stages: string[] = [];
  const unknown: string[] = [];
  for (const term of others) {
    const value = wholeNumber(term) ?? literalOf(term, site);
    if (value !== undefined) from += value;
    else if (isStageOffset(term, site)) stages.push(term.text);
    else unknown.push(term.text);
  }
  return { from: unknown.length === 0 ? from : undefined, stages, unknown };
}

function termsOf(node: SyntaxNode): SyntaxNode[] | undefined {
  if (node.type === "parenthesized_expression") return termsOf(node.children[0]!);
  if (node.type !== "binary_operator") return [node];
  if (node.child("operator")?.text !== "+") return undefined;
  const [left, right] = [termsOf(node.child("left")!), termsOf(node.child("right")!)];
  return left && right && [...left, ...right];
}

function wholeNumber({ type, text }: SyntaxNode): number | undefined {
  return type === "integer" && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The number that a name is given once and for all before the layers are made. */
function literalOf(name: SyntaxNode, site: Site): number | undefined {
  const bindings = bindingsOf(name, site);
  const [only] = bindings ?? [];
  if (bindings?.length !== 1 || only?.parent?.type !== "assignment") return undefined;
  const block = statementAround(only).parent;
  const isAtTop = block === undefined || block.type === "module";
  const isUnconditional = isAtTop || block.start === site.function?.body.start;
  if (!isUnconditional || only.start > site.call.start) return undefined;
  const value = only.parent.child("right");
  return value === undefined ? undefined : wholeNumber(value);
}

const offsetName = /^(?:(?:layer|stage|pipeline|pp)_?)?offset$/i;
const stageCount = /pipeline|pp_rank|pp_stage|(?:layer|stage)_offset\(/i;

/**
 * The layers before a pipeline's stage, as Megatron and its descendants count them: a name such as
 * `layer_offset` that is only ever given what is made of the stage's rank, or a function that says so.
 */
function isStageOffset(term: SyntaxNode, site: Site): boolean {
  if (term.type === "call") {
    const callee = dottedName(term.child("function"));
    return /(?:layer|stage)_offset$/i.test(callee?.split(".").at(-1) ?? "");
  }
  const name = dottedName(term);
  if (name === undefined || !offsetName.test(name.split(".").at(-1)!)) return false;
  const values = valuesOf(term, site);
  return (
    values?.some(({ text }) => stageCount.test(text)) === true &&
    values.every(({ text }) => text === "0" || stageCount.test(text))
  );
}

/** All that a local name, or an attribute of self, is given; undefined where that cannot be told. */
function valuesOf(term: SyntaxNode, site: Site): SyntaxNode[] | undefined {
  if (term.type === "identifier") {
    const bindings = bindingsOf(term, site);
    const values = bindings?.flatMap(({ parent }) =>
      parent?.type === "assignment" ? (parent.child("right") ?? []) : [],
    );
    return values?.length === bindings?.length ? values : undefined;
  }
  const self = site.function?.selfName;
  const [head, attribute, ...more] = dottedName(term)?.split(".") ?? [];
  if (self === undefined || head !== self || more.length > 0) return undefined;
  return site.function?.owner?.attributes
    .filter(({ path }) => path.length === 1 && path[0] === attribute)
    .map(({ value }) => value);
}

/** Where a name gets its value, in the function around the layers or else at the top of the file. */
function bindingsOf(name: SyntaxNode, site: Site): SyntaxNode[] | undefined {
  if (name.type !== "identifier") return undefined;
  const around = site.function;
  if (around?.parameters.some((parameter) => parameter.name === name.text) === true) {
    return undefined;
  }
  const local = around === undefined ? [] : bindingsIn(around.node, name.text);
  if (local.length > 0) return local;
  // Any function may change what stands at the top, so all of the file is looked through.
  return site.module.nodes.flatMap((node) => bindingsIn(node, name.text));
}

function bindingsIn(root: SyntaxNode, name: string): SyntaxNode[] {
  return [...descendants(root)].filter(
    (node) => node.type === "identifier" && node.text === name && isBound(node),
  );
}

/** True unless a name is only read where it stands. */
function isBound(node: SyntaxNode): boolean {
  let at = node;
  while (targetList.test(at.parent?.type ?? "")) at = at.parent!;
  const parent = at.parent?.type ?? "";
  if (at.field === "left") return !/^(?:binary|comparison|boolean)_operator$/.test(parent);
  if (at.field === "name") return parent !== "keyword_argument";
  return bindingPlace.test(parent);
}

const targetList = /^(?:(?:tuple|list|list_splat)_pattern|pattern_list|tuple|list)$/;
const bindingPlace =
  /^(?:global|nonlocal|delete)_statement$|parameters?$|^as_|^case_|^aliased_import$|^dotted_name$/;
