import type { Binding } from "./bindings";
import type { Construction, Member } from "./members";
import { lastName, membersOf, partsOf } from "./members";
import type { PythonClass, PythonModule } from "./module";
import { constructorOf, partialOf, qualifiedName } from "./module";
import { isNormClass } from "./norms";
import type { NormSite } from "./normSites";
import type { SyntaxNode } from "./syntax";
import { callArguments, dottedName } from "./syntax";

/** A file, with the name by which imports find it. */
export interface ModuleFile {
  /** With `/` between folders. */
  readonly path: string;
  readonly module: PythonModule;
  readonly sites: readonly NormSite[];
}

/** A norm that an object of a class has, however deep. */
export interface NormLeaf {
  /** From the object: `["layers", "*", "input_layernorm"]`. */
  readonly path: readonly string[];
  readonly site: NormSite;
  readonly isConditional: boolean;
}

/** What an object of a class is made of, as far as the files tell. */
export interface Structure {
  readonly norms: readonly NormLeaf[];
  /** Parts of classes that no file defines. */
  readonly unknown: readonly (readonly string[])[];
}

interface Definition {
  readonly file: ModuleFile;
  readonly definition: PythonClass;
}

/** What a class was given where it was constructed. */
interface Handed {
  readonly call: SyntaxNode;
  readonly binding: Binding;
  readonly from: Scope;
}

/** A class being looked into, and what its constructor was given. */
interface Scope extends Definition {
  readonly handed: Handed | undefined;
  /** The classes that the object is inside of, from the outside. */
  readonly inside: readonly PythonClass[];
  /** Becomes true where what the constructor was given has mattered. */
  wasAsked: boolean;
}

const deepest = 12;
const mostParts = 20_000;

/** Puts the classes of several files together, as their constructors do. */
export class Structures {
  private readonly byName = new Map<string, Definition[]>();
  private readonly sites = new Map<SyntaxNode, NormSite>();
  private readonly known = new Map<PythonClass, Structure>();
  private readonly found = new Map<ModuleFile, Map<string, Definition | undefined>>();
  private parts = 0;
  private cuts = 0;

  constructor(private readonly files: readonly ModuleFile[]) {
    for (const file of files) {
      for (const site of file.sites) this.sites.set(site.node, site);
      for (const definition of file.module.classes) {
        const known = this.byName.get(definition.name);
        if (known === undefined) this.byName.set(definition.name, [{ file, definition }]);
        else known.push({ file, definition });
      }
    }
  }

  /** Every class with what its objects are made of. */
  *all(): Generator<Definition & { readonly structure: Structure }> {
    for (const file of this.files) {
      for (const definition of file.module.classes) {
        if (isNormClass(file.module, definition)) continue;
        const root = { file, definition, handed: undefined, inside: [], wasAsked: false };
        yield { file, definition, structure: this.structureOf(root) };
      }
    }
  }

  /** Of a class alone; the same wherever nothing that it is given matters. */
  private structureOf(scope: Scope): Structure {
    const { definition, inside } = scope;
    const known = this.known.get(definition);
    if (known !== undefined) return known;
    if (inside.length > deepest || inside.includes(definition)) {
      this.cuts++;
      return { norms: [], unknown: [] };
    }
    const { cuts } = this;
    const norms: NormLeaf[] = this.weightsOf(scope).map((site) => ({
      path: site.attribute!.split("."),
      site,
      isConditional: false,
    }));
    const structure = { norms, unknown: [] as (readonly string[])[] };
    for (const { member, owner } of this.members(scope)) {
      this.add(owner.definition === definition ? scope : { ...scope, ...owner }, member, structure);
    }
    if (!scope.wasAsked && this.cuts === cuts) this.known.set(definition, structure);
    return structure;
  }

  /** Adds what a part of the class in `scope` is made of. */
  private add(
    scope: Scope,
    member: Member,
    to: { readonly norms: NormLeaf[]; readonly unknown: (readonly string[])[] },
  ): void {
    const { path, isConditional } = member;
    if (++this.parts > mostParts) return;
    if (member.kind === "handed") {
      for (const { from, part } of this.handedParts(scope, member.parameter, path)) {
        this.add(from, isConditional ? { ...part, isConditional } : part, to);
      }
      return;
    }
    const site = this.sites.get(member.call);
    const made = this.definitionOf(scope, member);
    if (made !== undefined && !isNormClass(made.file.module, made.definition)) {
      const handed = { call: member.call, binding: member.binding, from: scope };
      const inside = [...scope.inside, scope.definition];
      const part = this.structureOf({ ...made, handed, inside, wasAsked: false });
      for (const norm of part.norms) {
        const isMaybe = isConditional || norm.isConditional;
        to.norms.push({ ...norm, path: [...path, ...norm.path], isConditional: isMaybe });
      }
      for (const unknown of part.unknown) to.unknown.push([...path, ...unknown]);
    } else if (site !== undefined) {
      to.norms.push({ path, site, isConditional });
    } else if (!libraries.test(qualifiedName(scope.file.module, member.callee))) {
      to.unknown.push(path);
    }
  }

  /** The class's functional norms that have a weight of their own. */
  private weightsOf({ file, definition }: Definition): NormSite[] {
    return file.sites.filter(
      ({ how, owner, attribute }) =>
        how === "called" && owner === definition && attribute !== undefined,
    );
  }

  /** The parts of a class and those that its bases give it and it does not replace. */
  private members(
    of: Definition,
    seen: readonly PythonClass[] = [],
  ): { member: Member; owner: Definition }[] {
    const { definition } = of;
    if (seen.includes(definition)) return [];
    const own = membersOf(definition).map((member) => ({ member, owner: of }));
    const replaced = new Set(own.map(({ member }) => member.path[0]));
    const inherited = definition.bases.flatMap((base) => {
      const found = this.find(of, base);
      return found === undefined ? [] : this.members(found, [...seen, definition]);
    });
    return [...inherited.filter(({ member }) => !replaced.has(member.path[0])), ...own];
  }

  /** The parts that a parameter of the constructor was given, in the scope that gave them. */
  private handedParts(
    scope: Scope,
    parameter: string,
    path: readonly string[],
  ): { from: Scope; part: Member }[] {
    const given = givenTo(scope, parameter);
    const method = given?.from.definition.methods.find(({ name }) => name === given.binding.method);
    if (given === undefined || method === undefined) return [];
    return partsOf(given.value, path, given.binding, method).map((part) => ({
      from: given.from,
      part,
    }));
  }

  /** The class that a name makes: the class itself, or what a parameter of that name holds. */
  private definitionOf(scope: Scope, { callee, binding }: Construction): Definition | undefined {
    const found = this.find(scope, callee);
    if (found !== undefined || callee.includes(".")) return found;
    const method = scope.definition.methods.find(({ name }) => name === binding.method);
    const given = givenTo(scope, callee);
    const givenName = dottedName(given?.value) ?? partialOf(given?.value);
    if (given !== undefined && givenName !== undefined) return this.find(given.from, givenName);
    const values = [
      method?.parameters.find(({ name }) => name === callee)?.default,
      ...(method?.locals ?? []).filter(({ path }) => path.join(".") === callee).map((l) => l.value),
    ];
    for (const value of values) {
      const name = dottedName(value) ?? partialOf(value);
      const held = name === undefined || name === callee ? undefined : this.find(scope, name);
      if (held !== undefined) return held;
    }
    return undefined;
  }

  /** The class that a name of a file stands for, in that file or where it was imported from. */
  private find({ file }: Definition, name: string): Definition | undefined {
    let known = this.found.get(file);
    if (known === undefined) {
      known = new Map<string, Definition | undefined>();
      this.found.set(file, known);
    }
    if (!known.has(name)) known.set(name, this.search(file, name));
    return known.get(name);
  }

  private search(from: ModuleFile, name: string): Definition | undefined {
    const qualified = qualifiedName(from.module, name).replace(maker, "$1");
    const candidates = this.byName.get(lastName(qualified)) ?? [];
    if (!qualified.includes(".")) {
      const here = candidates.filter(({ file }) => file === from);
      if (here.length > 0) return here.at(-1);
    }
    if (candidates.length === 0 || libraries.test(qualified)) return undefined;
    const there = candidates.filter(({ file }) => isImportedFrom(file.path, qualified, from.path));
    if (there.length === 1) return there[0];
    // A package may hand on what it imports, and `import *` says no names.
    return candidates.length === 1 && candidates[0]!.file !== from ? candidates[0] : undefined;
  }
}

/** What `Block.from_config(config)` makes is a Block. */
const maker = /((?:^|\.)_*[A-Z]\w*)\.[a-z_]\w*$/;

const libraries = /^(?:torch|jax|flax|equinox|keras|tensorflow|numpy|apex|transformer_engine)\./;

/** Whether a file is the module that `.layers.Block` or `tiny.layers.Block` is imported from. */
function isImportedFrom(path: string, qualified: string, importer: string): boolean {
  const module = qualified.slice(0, qualified.lastIndexOf("."));
  const dots = /^\.*/.exec(module)![0].length;
  const names = module
    .slice(dots)
    .split(".")
    .filter((name) => name !== "");
  const known = path.replace(/(?:(?:^|\/)__init__)?\.py$/, "");
  if (dots === 0) return names.length > 0 && `/${known}`.endsWith(`/${names.join("/")}`);
  // One dot is the importer's folder, and each further one the folder above.
  return known === [...importer.split("/").slice(0, -dots), ...names].join("/");
}

function givenTo(
  scope: Scope,
  parameter: string,
): (Handed & { readonly value: SyntaxNode }) | undefined {
  const { definition, handed } = scope;
  const parameters = constructorOf(definition)?.parameters.slice(1) ?? [];
  const index = parameters.findIndex(({ name }) => name === parameter);
  if (index === -1) return undefined;
  scope.wasAsked = true;
  if (handed === undefined) return undefined;
  const { positional, keywords } = callArguments(handed.call);
  const isByPlace = parameters[index]!.kind === "positional";
  const value = keywords.get(parameter) ?? (isByPlace ? positional[index] : undefined);
  return value === undefined ? undefined : { ...handed, value };
}
