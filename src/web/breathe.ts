/** Lets whatever else waits have its turn, in the midst of something long. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
