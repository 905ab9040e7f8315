/** The board's wall clock: a chip without a battery starts at 1970, and may be set. */
export interface BoardClock {
  milliseconds(): number;
  set(now: number): void;
}

export function createBoardClock(): BoardClock {
  let origin = performance.now();
  return {
    milliseconds: () => performance.now() - origin,
    set(now) {
      origin = performance.now() - now;
    },
  };
}
