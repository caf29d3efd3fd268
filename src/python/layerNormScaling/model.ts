import { Constructions } from "./construction";
import { Copies } from "./copies";
import type { SourceFile } from "./outcome";
import { Program } from "./program";
import { Stacks } from "./stacks";

/** The code of a model, and what is made where in it. */
export class Model {
  readonly program: Program;
  readonly constructions: Constructions;
  readonly stacks: Stacks;
  readonly copies: Copies;

  constructor(files: readonly SourceFile[]) {
    this.program = new Program(files);
    this.constructions = new Constructions(this.program);
    this.stacks = new Stacks(this.program, this.constructions);
    this.copies = new Copies(this.program, this.constructions, this.stacks);
  }
}
