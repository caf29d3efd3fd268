/** What a person chose to look at; kept when the page is hidden. The directory is sent anew. */
export interface Navigation {
  filter: string;
  /** Keys of the parts that a person opened or closed. */
  turned: string[];
  /** Place of the active row among those that are to be seen. */
  active: number;
}

/** Takes what an older page may have saved, field by field. */
export function readNavigation(saved: unknown): Navigation {
  const { filter, turned, active } = fields(saved);
  return {
    filter: typeof filter === "string" ? filter : "",
    turned: Array.isArray(turned) ? turned.filter((key) => typeof key === "string") : [],
    active: typeof active === "number" && Number.isInteger(active) && active >= 0 ? active : 0,
  };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
