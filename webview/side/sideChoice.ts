/** How a person chose to see the side panel; kept when it is hidden. The figures are sent anew. */
import type { ScaleChoice } from "./compactModels";

export interface SideChoice extends ScaleChoice {
  isTable: boolean;
}

/** Takes what an older page may have saved, field by field. */
export function readChoice(saved: unknown): SideChoice {
  const fields: Readonly<Record<string, unknown>> =
    typeof saved === "object" && saved !== null ? { ...saved } : {};
  return {
    isTable: fields["isTable"] === true,
    // As in the panel: the first layer is often a hundred times the rest.
    isJacobianLog: fields["isJacobianLog"] !== false,
    isPruningLog: fields["isPruningLog"] !== false,
  };
}
