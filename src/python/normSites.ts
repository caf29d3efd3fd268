import { calleeOf, membersOf } from "./members";
import type { PythonClass, PythonFunction, PythonModule } from "./module";
import type { NormKind } from "./norms";
import { isNormClass, isNormFactory, normFunctionNamed, normNamed, normOf } from "./norms";
import type { Steps } from "./slices";
import { atOnce } from "./slices";
import type { SyntaxNode } from "./syntax";
import { callArguments, dottedName, stringValue } from "./syntax";

/** A place in the code that constructs a norm, or that normalises by a function. */
export interface NormSite {
  readonly how: "constructed" | "called";
  readonly kind: NormKind;
  /** As written: `nn.LayerNorm`, `norm_layer`. */
  readonly callee: string;
  /** What the name stands for: `torch.nn.LayerNorm`. */
  readonly qualified: string;
  /** The call. */
  readonly node: SyntaxNode;
  /** The class whose code it is in. */
  readonly owner: PythonClass | undefined;
  /** The method or function whose code it is in. */
  readonly scope: PythonFunction | undefined;
  /**
   * Where the owner has it, as a checkpoint would name it: `input_layernorm`, `transformer.ln_f`,
   * `norms.*`. Undefined where that is not written, as for a function without weights.
   */
  readonly attribute: string | undefined;
}

/**
 * The norm sites of a file, in order. What a class that is a norm does inside is none: it is
 * that class's constructions that count.
 */
export function normSites(module: PythonModule): NormSite[] {
  return atOnce(normSitesInSteps(module));
}

/** The same, with a pause after each statement. */
export function* normSitesInSteps(module: PythonModule): Steps<NormSite[]> {
  const sites: NormSite[] = [];
  for (const candidates of candidatesOf(module)) {
    for (const candidate of candidates) {
      const site = readSite(module, candidate);
      if (site !== undefined) sites.push(site);
    }
    yield;
  }
  return withNumberedNames(sites);
}

/** A call that may be a norm site, with what its statement alone tells of it. */
interface Candidate {
  readonly node: SyntaxNode;
  readonly callee: string;
  readonly owner: PythonClass | undefined;
  readonly scope: PythonFunction | undefined;
  /** The part of the owner that the call makes. */
  readonly member: string | undefined;
  /** `self.norm(x)` uses a part; `self.norm_class(size)` makes one where it becomes a part. */
  readonly isOwn: boolean;
}

function readSite(module: PythonModule, candidate: Candidate): NormSite | undefined {
  const { node, callee, owner, scope, member, isOwn } = candidate;
  if (owner !== undefined && isNormClass(module, owner)) return undefined;
  const place = { node, callee, owner, scope };
  const norm = isOwn ? undefined : normNamed(module, callee, scope);
  if (norm !== undefined) {
    const attribute = member ?? stringValue(callArguments(node).keywords.get("name"));
    return { how: "constructed", ...norm, ...place, attribute };
  }
  const applied = isOwn ? undefined : normFunctionNamed(module, callee);
  if (applied !== undefined) {
    const attribute = weightOf(node, selfOf(candidate));
    return { how: "called", ...applied, ...place, attribute };
  }
  if (member !== undefined && isNormFactory(module, callee)) {
    return { how: "constructed", ...normOf(callee, callee), ...place, attribute: member };
  }
  return undefined;
}

function selfOf({ owner, scope }: Pick<Candidate, "owner" | "scope">): string | undefined {
  return owner === undefined ? undefined : scope?.parameters[0]?.name;
}

/** The parameter that a functional norm scales by, or the module that has it: `ln_weight`, `ln_1`. */
function weightOf(call: SyntaxNode, self: string | undefined): string | undefined {
  if (self === undefined) return undefined;
  const { positional, keywords } = callArguments(call);
  const named = keywords.get("weight");
  for (const value of named === undefined ? positional.slice(1) : [named]) {
    const name = dottedName(value);
    if (name?.startsWith(`${self}.`) === true && !/shape|size|dim|eps/.test(name)) {
      return name.slice(self.length + 1).replace(/\.weight$/, "");
    }
  }
  return undefined;
}

/** In Flax's compact methods, a part without a name is called after its class and a number. */
function withNumberedNames(sites: readonly NormSite[]): NormSite[] {
  const counts = new Map<PythonFunction, Map<string, number>>();
  return sites.map((site) => {
    const { scope, attribute, how, callee } = site;
    const isCompact = scope?.decorators.some((decorator) => /(^|\.)compact$/.test(decorator));
    if (attribute !== undefined || how === "called" || scope === undefined || isCompact !== true) {
      return site;
    }
    const numbers = counts.get(scope) ?? new Map<string, number>();
    counts.set(scope, numbers);
    const name = callee.split(".").at(-1)!;
    const number = numbers.get(name) ?? 0;
    numbers.set(name, number + 1);
    return { ...site, attribute: `${name}_${number}` };
  });
}

/** Calls of names that may be norms, by statement. Found in the text, since looking at each node costs more. */
function* candidatesOf(module: PythonModule): Generator<readonly Candidate[]> {
  const aliases = [...module.names.keys(), ...module.classes.map(({ name }) => name)].filter(
    (name) => !/norm|ln/i.test(name) && normNamed(module, name, undefined) !== undefined,
  );
  const names = ["\\w*norm\\w*", "ln\\w*", ...aliases].join("|");
  let definitions: Definitions | undefined;
  for (const root of module.source.nodes) {
    const known = knownCandidates.get(root);
    if (known?.names === names) {
      yield known.candidates;
      continue;
    }
    definitions ??= new Definitions(module);
    const calls = new Set<SyntaxNode>();
    for (const match of root.text.matchAll(new RegExp(`\\b(?:${names})`, "gi"))) {
      const name = nodeAt(root, root.start + match.index);
      const call = name === undefined ? undefined : callOf(name);
      if (call !== undefined) calls.add(call);
    }
    const candidates: Candidate[] = [];
    for (const call of calls) {
      const candidate = readCandidate(definitions, call);
      if (candidate !== undefined) candidates.push(candidate);
    }
    knownCandidates.set(root, { names, candidates });
    yield candidates;
  }
}

/** Of a statement that is still there after a parse, found by the same names. */
const knownCandidates = new WeakMap<
  SyntaxNode,
  { readonly names: string; readonly candidates: readonly Candidate[] }
>();

function readCandidate(definitions: Definitions, node: SyntaxNode): Candidate | undefined {
  const callee = calleeOf(node);
  if (callee === undefined) return undefined;
  const { owner, scope } = definitions.around(node);
  const self = selfOf({ owner, scope });
  const isOwn = self !== undefined && callee.startsWith(`${self}.`);
  const member = (owner === undefined ? [] : membersOf(owner))
    .find((part) => part.kind === "constructed" && part.call === node)
    ?.path.join(".");
  // Most are calls of a norm in a forward method.
  return isOwn && member === undefined ? undefined : { node, callee, owner, scope, member, isOwn };
}

function nodeAt(root: SyntaxNode, offset: number): SyntaxNode | undefined {
  let node: SyntaxNode | undefined = root;
  while (node !== undefined && node.children.length > 0) {
    node = node.children.find(({ start, end }) => start <= offset && offset < end);
  }
  return node?.type === "identifier" ? node : undefined;
}

/** The call whose callee a name is, or is in: `nn.LayerNorm(…)`, `norms["rms"](…)`. */
function callOf(name: SyntaxNode): SyntaxNode | undefined {
  let node = name;
  while (
    node.parent?.type === "attribute" ||
    (node.parent?.type === "subscript" && node.field === "value")
  ) {
    node = node.parent;
  }
  return node.field === "function" && node.parent?.type === "call" ? node.parent : undefined;
}

/** Which class and which function a node is in. */
class Definitions {
  private readonly classes = new Map<SyntaxNode, PythonClass>();
  private readonly functions = new Map<SyntaxNode, PythonFunction>();

  constructor({ classes, functions }: PythonModule) {
    for (const definition of classes) {
      this.classes.set(definition.node, definition);
      for (const method of definition.methods) this.functions.set(method.node, method);
    }
    for (const definition of functions) this.functions.set(definition.node, definition);
  }

  around(node: SyntaxNode): {
    owner: PythonClass | undefined;
    scope: PythonFunction | undefined;
  } {
    let scope: PythonFunction | undefined;
    for (let at = node.parent; at !== undefined; at = at.parent) {
      // The method is the outermost function inside the class.
      scope = this.functions.get(at) ?? scope;
      const owner = this.classes.get(at);
      if (owner !== undefined) return { owner, scope };
    }
    return { owner: undefined, scope };
  }
}
