/** Drawing no more often than the screen is drawn: what changes may come faster than frames. */

/** @returns what has `draw` called with the next frame, once however often it is called before */
export function onNextFrame(draw: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      draw();
    });
  };
}
