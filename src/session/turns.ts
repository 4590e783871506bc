const last = new Map<string, Promise<void>>();

/** Waits until all who came before have left, and answers how to leave; for callers within this process. */
export async function takeTurn(name: string): Promise<() => void> {
  const before = last.get(name);
  let leave = () => {};
  const mine = new Promise<void>((left) => {
    leave = left;
  });
  last.set(name, mine);
  await before;
  return () => {
    leave();
    if (last.get(name) === mine) last.delete(name);
  };
}
