import { t } from "@vscode/l10n";
import type { SyntaxNode } from "../syntax";
import { descendants, dottedName } from "../syntax";
import { lineOf } from "./nodes";
import type { ScalingWarning } from "./outcome";
import { Refusal } from "./outcome";
import { opposingGuard } from "./placement";
import type { FunctionDefinition, Program } from "./program";

/**
 * The index of a layer is its depth only where the stack is run once, forwards and whole. Looks at
 * every method that runs the layers of a list: by a loop over it, by its indices, or as it is.
 */
export class StackOrder {
  private readonly warnings: ScalingWarning[] = [];

  /** @param lists the attributes that hold layers: `layers`, `h` */
  constructor(
    private readonly program: Program,
    private readonly lists: ReadonlySet<string>,
  ) {}

  /**
   * @returns what to know where only the first layers are run
   * @throws Refusal where a layer's index does not tell how many layers run before it
   */
  check(): ScalingWarning[] {
    for (const { methods, module } of this.program.classes) {
      for (const method of methods.values()) {
        // A model is run anew for each token that it makes.
        if (method.name === "__init__" || /generate|sample|decode_step/.test(method.name)) continue;
        this.checkMethod(method, module.path);
      }
    }
    return this.warnings;
  }

  private checkMethod(method: FunctionDefinition, path: string): void {
    const walks: Walk[] = [];
    for (const node of descendants(method.body)) {
      const isList =
        node.type === "attribute" && this.lists.has(node.child("attribute")?.text ?? "");
      if (isList) walks.push(...walksOf(node, method));
    }
    for (const walk of walks) {
      if (walk.fault !== undefined) throw new Refusal("unclear-index", walk.fault);
      if (walk.part !== undefined) {
        this.warnings.push({
          message: t(
            "Not all layers are run; each keeps the factor of its place in the list: {0}",
            walk.part,
          ),
          at: { path, line: walk.part },
        });
      }
      const around = loopAround(walk.node, method);
      if (around === undefined) continue;
      throw new Refusal(
        "unclear-index",
        t(
          "The layers are run more than once, so that their indices are not their depths: {0}",
          firstLine(around),
        ),
      );
    }
    walks.forEach((walk, index) => {
      const again = walks
        .slice(index + 1)
        .find((other) => other.list === walk.list && isAfter(walk.node, other.node));
      if (again === undefined) return;
      throw new Refusal(
        "unclear-index",
        t(
          "The layers are run again, so that their indices are not their depths: {0}",
          firstLine(again.node),
        ),
      );
    });
  }
}

/** A place that runs the layers of a list one after the other. */
interface Walk {
  /** `self.layers` */
  readonly list: string;
  /** The loop, or the call of a sequence. */
  readonly node: SyntaxNode;
  /** Why the order is not that of the indices. */
  readonly fault: string | undefined;
  /** The line that leaves out the last layers. */
  readonly part: string | undefined;
}

/** Follows a list from where it is named to the loops that run its layers. */
function walksOf(
  list: SyntaxNode,
  method: FunctionDefinition,
  seen: readonly string[] = [],
): Walk[] {
  const name = list.text;
  let fault: string | undefined;
  let part: string | undefined;
  for (let below = list, at = list.parent; at !== undefined; below = at, at = at.parent) {
    switch (at.type) {
      case "subscript": {
        const [index] = at.children.filter(({ field }) => field === "subscript");
        if (below.field !== "value" || index === undefined) return [];
        if (index.type !== "slice") return indexWalks(name, at, index, method);
        const kind = sliceKind(index.text);
        if (kind === "other") fault ??= outOfOrder(lineOf(at));
        if (kind === "part") part = firstLine(statementOf(at));
        break;
      }
      case "call": {
        if (below.field === "function") {
          if (/\.(?:values|items|children|named_children)$/.test(below.text)) break;
          return below === list ? [{ list: name, node: at, fault, part }] : [];
        }
        const callee = dottedName(at.child("function"))?.split(".").at(-1) ?? "";
        if (callee === "reversed") fault ??= outOfOrder(lineOf(at));
        else if (!/^(?:enumerate|zip|list|tuple|iter|tqdm)$/.test(callee)) {
          if (at.field !== "right" || !(at.parent?.type ?? "").startsWith("for_")) return [];
          fault ??= outOfOrder(lineOf(at));
        }
        break;
      }
      case "attribute":
        if (!/^(?:values|items|children|named_children)$/.test(at.child("attribute")!.text)) {
          return [];
        }
        break;
      case "argument_list":
      case "parenthesized_expression":
        break;
      case "for_statement": {
        const runs = below.field === "right" ? runsOf(at, method) : [];
        if (runs.length === 0) return [];
        const again = runs.find(
          ({ isInnerLoop, call, variable }) =>
            isInnerLoop ||
            runs.some(
              (other) =>
                other.call !== call &&
                variable !== undefined &&
                variable === other.variable &&
                isAfter(other.call, call),
            ),
        );
        if (again !== undefined) {
          fault ??= t(
            "Each layer is run more than once, so that its index is not its depth: {0}",
            firstLine(statementOf(again.call)),
          );
        }
        return [{ list: name, node: at, fault, part }];
      }
      case "assignment": {
        const [left, right] = [at.child("left"), at.child("right")];
        if (left?.type !== "identifier" || right !== below || seen.includes(left.text)) return [];
        return usesOf(left.text, method)
          .filter(({ start }) => start >= at.end)
          .flatMap((use) => walksOf(use, method, [...seen, left.text]))
          .map((walk) => ({
            list: name,
            node: walk.node,
            fault: fault ?? walk.fault,
            part: part ?? walk.part,
          }));
      }
      default:
        return [];
    }
  }
  return [];
}

function outOfOrder(code: string): string {
  return t("The layers are not run in the order of their indices: {0}", code);
}

/** A layer that is taken out of its list by an index, and run. */
function indexWalks(
  list: string,
  element: SyntaxNode,
  index: SyntaxNode,
  method: FunctionDefinition,
): Walk[] {
  if (index.type === "integer" || index.type === "string" || !isRun(element, method)) return [];
  const loops = loopsAround(element, method);
  const own = loops.find((loop) => namesIn(loop.child("left")).includes(index.text));
  const counts = own !== undefined && own === loops[0] && countsUp(own.child("right"));
  const fault = counts ? undefined : outOfOrder(firstLine(statementOf(element)));
  return [{ list, node: own ?? element, fault, part: undefined }];
}

/** Whether a loop gives 0, 1, 2 …: the numbers of a range from its beginning, or of enumerate. */
function countsUp(iterated: SyntaxNode | undefined): boolean {
  if (iterated?.type !== "call") return false;
  const callee = dottedName(iterated.child("function"))?.split(".").at(-1);
  const given = iterated.child("arguments")?.children ?? [];
  if (callee === "tqdm") return countsUp(given[0]);
  if (callee === "enumerate") return given.length === 1;
  if (callee !== "range") return false;
  const [first, , step] = given;
  return given.length === 1 || (first?.text === "0" && (step === undefined || step.text === "1"));
}

/** A slice from the first layer on is whole where it ends at their number, and else a part. */
function sliceKind(text: string): "whole" | "part" | "other" {
  const [start = "", stop = "", step = "1"] = text.split(":").map((bound) => bound.trim());
  if (!/^0?$/.test(start) || !/^1?$/.test(step)) return "other";
  return stop === "" || /^len\(|layers?$|depth$|blocks$/.test(stop) ? "whole" : "part";
}

/** A call in a loop over layers that runs one. */
interface Run {
  readonly call: SyntaxNode;
  /** The loop's variable that is called; undefined where it is handed on to what calls it. */
  readonly variable: string | undefined;
  readonly isInnerLoop: boolean;
}

/** Where what a loop goes over is run in it, rather than initialised or counted. */
function runsOf(loop: SyntaxNode, method: FunctionDefinition): Run[] {
  const variables = namesIn(loop.child("left"));
  const body = loop.child("body");
  if (body === undefined) return [];
  return [...descendants(body)].flatMap((call) => {
    if (call.type !== "call" || !isKept(call)) return [];
    const callee = call.child("function")?.text;
    const variable = variables.find((name) => name === callee);
    const given = call.child("arguments")?.children ?? [];
    const isHandedOn = given.some(
      ({ text, type }) => type === "identifier" && variables.includes(text),
    );
    if (variable === undefined && !isHandedOn) return [];
    const isInnerLoop = variable !== undefined && loopsAround(call, method)[0] !== loop;
    return [{ call, variable, isInnerLoop }];
  });
}

function isRun(element: SyntaxNode, method: FunctionDefinition): boolean {
  const { parent } = element;
  if (parent?.type === "call" && element.field === "function") return isKept(parent);
  if (parent?.type === "argument_list") return parent.parent !== undefined && isKept(parent.parent);
  const name = parent?.type === "assignment" ? parent.child("left")?.text : undefined;
  return (
    name !== undefined &&
    usesOf(name, method).some(
      ({ parent: call, field }) => call?.type === "call" && field === "function",
    )
  );
}

/** Whether a call's value goes on. */
function isKept(call: SyntaxNode): boolean {
  return /assignment$|^return_statement$/.test(
    ancestors(call).find(({ type }) => /assignment$|statement$/.test(type))?.type ?? "",
  );
}

/** Whether both are run: not one or the other, and not one where the method ends. */
function isAfter(one: SyntaxNode, other: SyntaxNode): boolean {
  if (opposingGuard(one, other) !== undefined) return false;
  for (let at = one; at.parent !== undefined; at = at.parent) {
    const { parent } = at;
    if (parent.type !== "block" || (parent.start <= other.start && other.end <= parent.end))
      continue;
    if (parent.children.at(-1)?.type === "return_statement") return false;
  }
  return true;
}

function loopAround(node: SyntaxNode, method: FunctionDefinition): SyntaxNode | undefined {
  return loopsAround(node, method)[0];
}

/** The loops around a node, the nearest first; of a loop, those around it. */
function loopsAround(node: SyntaxNode, method: FunctionDefinition): SyntaxNode[] {
  return ancestors(node).filter(
    ({ type, start }) => /^(?:for|while)_statement$/.test(type) && start >= method.node.start,
  );
}

/** What a node is in, from the inside. */
function ancestors(node: SyntaxNode): SyntaxNode[] {
  const above: SyntaxNode[] = [];
  for (let at = node.parent; at !== undefined; at = at.parent) above.push(at);
  return above;
}

function usesOf(name: string, method: FunctionDefinition): SyntaxNode[] {
  return [...descendants(method.body)].filter(
    ({ type, text, field }) => type === "identifier" && text === name && field !== "left",
  );
}

function namesIn(target: SyntaxNode | undefined): string[] {
  return target === undefined
    ? []
    : [...descendants(target)].filter(({ type }) => type === "identifier").map(({ text }) => text);
}

function statementOf(node: SyntaxNode): SyntaxNode {
  return ancestors(node).find(({ type }) => type.endsWith("_statement")) ?? node;
}

function firstLine(node: SyntaxNode): string {
  return node.text.split("\n")[0]!.trim();
}
