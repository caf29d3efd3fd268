import { expect } from "vitest";

/** The message that a promise is rejected with; fails unless the error is of the class. */
export async function failureOf(
  promise: Promise<unknown>,
  errorClass: new (...args: never[]) => Error,
): Promise<string> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(errorClass);
  return (outcome as Error).message;
}
