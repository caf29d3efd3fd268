/** What passes between the extension and the thread that reads Python. */
import type { ScaledModel, ScalingRequest } from "./scaleModel";

/** What the thread answers. Each call brings the news that it has to know for the answer. */
export interface PythonMethods {
  /** The norm sites of an open document; undefined where it has been edited since. */
  sitesOf(news: readonly News[], at: DocumentAt): Promise<SitePlace[] | undefined>;
  /** Whether a document makes a checkpoint's norms; undefined where it has been edited since. */
  fitOf(news: readonly News[], question: FitQuestion): Promise<Fit | undefined>;
  /** LayerNorm Scaling of the model that a file is part of; holds up other calls for up to seconds. */
  scale(news: readonly News[], request: ScalingRequest): Promise<ScaledModel>;
}

/** What the thread was started with. */
export interface PythonThreadData {
  /** Where the WebAssembly of the parser lies. */
  readonly folder: string;
}

/** What has become of a document or of the files since the last call. Paths have slashes. */
export type News =
  | { kind: "opened"; path: string; version: number; text: string }
  | { kind: "edited"; path: string; version: number; edits: readonly TextEdit[] }
  | { kind: "closed"; path: string }
  /** On disk. */
  | { kind: "changed"; path: string }
  /** Files or folders were made or deleted. */
  | { kind: "listed" };

/** One of several, each of the text that those before it have left. Counts UTF-16 code units. */
export interface TextEdit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** An open document as it was when something was asked of it. */
export interface DocumentAt {
  readonly path: string;
  readonly version: number;
}

/** Offsets in a document, in UTF-16 code units. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** Where a norm is made. */
export interface SitePlace extends Extent {
  /** The class whose code it is in. */
  readonly owner: Extent | undefined;
}

export interface FitQuestion {
  readonly at: DocumentAt;
  /** Where the code is looked for, the nearest folder first. */
  readonly folders: readonly string[];
  /** True where each change in the folders is told. */
  readonly isWatched: boolean;
  readonly checkpoint: string;
  readonly family: string;
  /** Module paths of the checkpoint's norms. */
  readonly normPaths: readonly string[];
  /** The checkpoints that a person said that files make, by the files' paths. */
  readonly chosen: ReadonlyMap<string, string>;
  /**
   * Whether other code that makes the norms counts: it does; it does, and classes of other families
   * may make them, for a person chose the checkpoint; or it does not.
   */
  readonly among: "all" | "allFamilies" | "itself";
}

/** What a checkpoint has to do with a document. */
export type Fit = {
  /** Folders that hold more files than are read, and how many are. */
  readonly cut: ReadonlyMap<string, number>;
} & (
  | { readonly kind: "own"; readonly found: readonly FoundSite[] }
  /** The document makes its norms, and so does other code that has nothing to do with this. */
  | { readonly kind: "undecided" }
  | { readonly kind: "other" }
);

/** A norm of the checkpoint and where it is made. */
export interface FoundSite {
  readonly normPath: string;
  readonly place: SitePlace;
}
