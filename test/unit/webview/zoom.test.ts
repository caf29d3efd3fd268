import { describe, expect, it } from "vitest";
import { followed, zoomed } from "../../../webview/shared/zoom";

describe("the part of the layer axis that is looked at", () => {
  it("holds what was dragged over, at least three places", () => {
    expect(zoomed({ min: 4, max: 9 }, 16)).toEqual({ min: 3.5, max: 9.5 });
    expect(zoomed({ min: 4, max: 4 }, 16)).toEqual({ min: 3.5, max: 6.5 });
    expect(zoomed({ min: 15, max: 18 }, 16)).toEqual({ min: 12.5, max: 15.5 });
  });

  it("is all of it where all was dragged over, or nothing", () => {
    expect(zoomed({ min: -1, max: 20 }, 16)).toBeUndefined();
    expect(zoomed(undefined, 16)).toBeUndefined();
  });

  it("follows a place out of sight, and stays for one in sight", () => {
    const range = { min: 3.5, max: 9.5 };
    expect(followed(range, 5)).toBeUndefined();
    expect(followed(range, 11)).toEqual({ min: 5.5, max: 11.5 });
    expect(followed(range, 2)).toEqual({ min: 1.5, max: 7.5 });
    expect(followed(undefined, 2)).toBeUndefined();
    expect(followed(range, undefined)).toBeUndefined();
  });
});
