/** What in the code counts the rounds of a loop, or the layers that were made one by one. */
import type { SyntaxNode } from "../syntax";
import { callArguments, descendants, dottedName } from "../syntax";
import type { Loop, Site } from "./construction";
import type { LayerIndex } from "./layerIndex";

/** The variable that a loop already has for its rounds: `for i in range(n)`, enumerate. */
export function existingIndex({ node, clauses, hasCondition }: Loop): LayerIndex | undefined {
  const [clause] = clauses;
  if (clause === undefined || clauses.length > 1 || hasCondition) return undefined;
  const counted = countedBy(clause);
  if (counted === undefined || /^_+$/.test(counted.variable.text)) return undefined;
  const name = counted.variable.text;
  const body = node.child("body");
  const isChanged =
    body !== undefined &&
    [...descendants(body)].some(
      (at) => at.type.endsWith("assignment") && at.child("left")?.text === name,
    );
  return isChanged ? undefined : { text: name, countsFrom: counted.from };
}

/** The variable of a clause that counts rounds, from 0 or from 1. */
export function countedBy(clause: SyntaxNode): { variable: SyntaxNode; from: 0 | 1 } | undefined {
  const [target, iterated] = [clause.child("left"), clause.child("right")];
  if (target === undefined || iterated?.type !== "call") return undefined;
  const name = dottedName(iterated.child("function"));
  const { positional, keywords, hasSplat } = callArguments(iterated);
  if (hasSplat) return undefined;
  if (name === "range" && target.type === "identifier") {
    if (positional.length === 1) return { variable: target, from: 0 };
    if (positional.length !== 2) return undefined;
    if (positional[0]!.text === "0") return { variable: target, from: 0 };
    if (positional[0]!.text === "1") return { variable: target, from: 1 };
    return undefined;
  }
  if (name === "enumerate" && /^(pattern_list|tuple_pattern)$/.test(target.type)) {
    const variable = target.children[0];
    if (variable?.type !== "identifier") return undefined;
    const start = (keywords.get("start") ?? positional[1])?.text ?? "0";
    if (start === "0") return { variable, from: 0 };
    if (start === "1") return { variable, from: 1 };
  }
  return undefined;
}

/** Loops of a few rounds inside a layer make its sublayers. */
export function isShort({ node, clauses }: Loop): boolean {
  const iterated = clauses[0]?.child("right");
  if (clauses.length !== 1 || node.type === "for_statement" || iterated?.type !== "call")
    return false;
  if (dottedName(iterated.child("function")) !== "range") return false;
  const { positional } = callArguments(iterated);
  return positional.length === 1 && /^[1-4]$/.test(positional[0]!.text);
}

/** block1, block2, block3: the layers of a constructor in the order of their numbers. */
export function positionInName(site: Site, sites: readonly Site[]): number | undefined {
  const numbered = sites
    .filter(({ function: around }) => around === site.function)
    .map((one) => {
      const assignment = one.call.parent;
      const target = assignment?.type === "assignment" ? assignment.child("left") : undefined;
      const match = /^(\w+\.[A-Za-z_]+?)_?(\d+)$/.exec(target?.text ?? "");
      return match === null ? undefined : { one, stem: match[1]!, number: Number(match[2]) };
    });
  const own = numbered.find((entry) => entry?.one.call === site.call);
  if (own === undefined || numbered.length < 2) return undefined;
  const first = numbered[0]?.number;
  const isRow = numbered.every(
    (entry, index) => entry?.stem === own.stem && entry.number === first! + index,
  );
  return isRow && (first === 0 || first === 1) ? own.number - first : undefined;
}

/**
 * The length of the list that a loop fills with nothing else, which is empty before: `len(self.layers)`
 * in `while …: self.layers.append(Block())`.
 */
export function lengthOfFilled({ call, function: around, loops }: Site): LayerIndex | undefined {
  const append = call.parent?.parent;
  const callee = append?.child("function");
  if (around === undefined || append?.type !== "call" || callee?.type !== "attribute") {
    return undefined;
  }
  const list = dottedName(callee.child("object"));
  if (list === undefined || callee.child("attribute")?.text !== "append") return undefined;
  // Reading the list, as in the loop's condition, changes nothing.
  const uses = [...descendants(around.body)].filter((node) => dottedName(node) === list);
  // A list that is emptied in each round has the layers of one round only.
  const outermost = loops.at(-1)?.node ?? call;
  const isEmptied = uses.filter(
    (use) => use.field === "left" && makesEmptyList(use.parent) && use.end <= outermost.start,
  );
  const others = uses.filter((use) => !isEmptied.includes(use) && !isMeasured(use));
  const isFilledHere = others.every((use) => use.parent === callee);
  return isEmptied.length === 1 && isFilledHere
    ? { text: `len(${list})`, countsFrom: 0 }
    : undefined;
}

function makesEmptyList(assignment: SyntaxNode | undefined): boolean {
  const value = assignment?.type === "assignment" ? assignment.child("right")?.text : undefined;
  return /^(?:\[\]|list\(\)|(?:\w+\.)*ModuleList\((?:\[\])?\))$/.test(value ?? "");
}

/** `len(layers)`, or `layers` where it is handed over once it is whole. */
function isMeasured({ parent }: SyntaxNode): boolean {
  const call = parent?.type === "argument_list" ? parent.parent : undefined;
  return /^(?:len|(?:\w+\.)*(?:ModuleList|Sequential))$/.test(call?.child("function")?.text ?? "");
}
