const last = new Map<unknown, Promise<void>>();

/** Waits until all who came before to this name or thing have left, and answers how to leave; within this process. */
export async function takeTurn(name: string | object): Promise<() => void> {
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
