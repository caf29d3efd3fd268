import { limits, withinBytes } from "../../limits";
import { TensorReference } from "./objects";
import { Global, Inert } from "./pickle/values";

/** Levels of dictionaries and lists that settings are kept of. */
const depthLimit = 8;

/**
 * The plain values that were saved beside weights (`model_args`, `hyper_parameters`, a configuration
 * object's attributes, the tables of a tokenizer), under their own keys. What holds tensors, is too
 * long, too deep or no plain value is left out. Of whole modules, the plain attributes of each are
 * kept under the module's name: `blocks.0.attn.num_heads`.
 *
 * @param way objects from what was saved to the weights; keys of the outer ones come first
 * @param fileBytes size of the file, by which they are limited
 * @param isLeftOut keys of the outer ones whose values are no settings
 */
export function settingsOf(
  way: readonly unknown[],
  fileBytes: number,
  isLeftOut: (key: string) => boolean,
): Record<string, unknown> {
  const reading = new SettingsReading(fileBytes);
  const found = new Map<string, unknown>();
  for (const [level, object] of way.entries()) {
    const next = way[level + 1];
    const entries = object instanceof Inert ? reading.attributesOf(object) : entriesOf(object);
    for (const [key, value] of entries) {
      if (value === next || value instanceof TensorReference || found.has(key) || isLeftOut(key))
        continue;
      const plain = reading.plain(value, 0);
      if (plain !== undefined) found.set(key, plain);
    }
  }
  return Object.fromEntries(found);
}

function* entriesOf(object: unknown): Generator<[string, unknown]> {
  if (!(object instanceof Map)) return;
  for (const [key, value] of object) if (typeof key === "string") yield [key, value];
}

class SettingsReading {
  private values = 0;
  private characters = 0;
  /** Objects that the present one lies in: one of them again would go round. */
  private readonly around = new Set<unknown>();

  private readonly mostValues: number;
  private readonly mostCharacters: number;

  constructor(fileBytes: number) {
    this.mostValues = withinBytes(limits.settings, fileBytes);
    this.mostCharacters = withinBytes(limits.settingsText, fileBytes);
  }

  /** A value as JSON could state it; undefined for what is none, or is beyond the limits. */
  plain(value: unknown, depth: number): unknown {
    if (++this.values > this.mostValues || depth > depthLimit) return undefined;
    if (value === null || typeof value === "boolean" || typeof value === "number") return value;
    if (typeof value === "bigint") return value.toString();
    if (typeof value === "string") return this.counted(value);
    if (value instanceof Global) return this.counted(value.toString());
    if (
      typeof value !== "object" ||
      value instanceof Uint8Array ||
      value instanceof TensorReference
    ) {
      return undefined;
    }
    if (this.around.has(value)) return undefined;
    this.around.add(value);
    try {
      return this.plainObject(value, depth + 1);
    } finally {
      this.around.delete(value);
    }
  }

  private plainObject(value: object, depth: number): unknown {
    if (Array.isArray(value)) return this.plainList(value, depth);
    if (value instanceof Map) return this.plainEntries(value, depth);
    if (!(value instanceof Inert)) return undefined;
    const { attributes, entries, items, args } = value;
    if (entries !== undefined) return this.plainEntries(entries, depth);
    // OmegaConf keeps what it wraps in these two.
    if (attributes.has("_content")) return this.plain(attributes.get("_content"), depth);
    if (attributes.has("_val")) return this.plain(attributes.get("_val"), depth);
    if (attributes.size > 0) return this.plainEntries(attributes, depth);
    if (items !== undefined) return this.plainList(items, depth);
    // An enumeration's member is made of its value.
    return args.length === 1 ? this.plain(args[0], depth) : undefined;
  }

  /** All of a list, or nothing: with gaps it would say something else. */
  private plainList(values: readonly unknown[], depth: number): unknown[] | undefined {
    const list: unknown[] = [];
    for (const value of values) {
      const plain = this.plain(value, depth);
      if (plain === undefined) return undefined;
      list.push(plain);
    }
    return list;
  }

  private plainEntries(
    entries: ReadonlyMap<unknown, unknown>,
    depth: number,
  ): Record<string, unknown> | undefined {
    const found = new Map<string, unknown>();
    for (const [key, value] of entries) {
      if (this.values > this.mostValues) return undefined;
      if (typeof key !== "string" && typeof key !== "number") continue;
      const name = this.counted(String(key));
      const plain = this.plain(value, depth);
      if (name !== undefined && plain !== undefined) found.set(name, plain);
    }
    return found.size > 0 || entries.size === 0 ? Object.fromEntries(found) : undefined;
  }

  private counted(text: string): string | undefined {
    if (this.characters + text.length > this.mostCharacters) return undefined;
    this.characters += text.length;
    return text;
  }

  /** Attributes of a module and of those in it, each with the way to it. */
  *attributesOf(module: Inert, name = "", depth = 0): Generator<[string, unknown]> {
    if (depth > limits.pickleDepth || this.around.has(module)) return;
    this.around.add(module);
    yield [`${name}__class__`, module.type];
    for (const [key, value] of module.attributes) {
      if (this.values > this.mostValues) break;
      if (typeof key === "string" && !key.startsWith("_") && key !== "training") {
        yield [`${name}${key}`, value];
      }
    }
    const modules = module.attributes.get("_modules");
    for (const [key, inner] of entriesOf(modules)) {
      // Each way to a module counts: there may be more ways than modules.
      if (++this.values > this.mostValues) break;
      if (inner instanceof Inert) yield* this.attributesOf(inner, `${name}${key}.`, depth + 1);
    }
    this.around.delete(module);
  }
}
