import { ENROLLING, type Life, NETWORK, OPENING, SAFE, SETUP, STREAMING } from "./life.ts";

/** A start that is under way is lit, and looked at again this often. */
const LIT_MS = 500;

/** The state on the LED. Each call puts it on or off; the result is when to call next, in ms. */
export function createLed(life: Life, light: (on: boolean) => void): () => number {
  let dark = 0;

  return function step(): number {
    const state = life.state();
    const pause = dark;
    light(pause === 0);
    dark = 0;
    if (pause > 0) return pause;
    let lit = LIT_MS;
    if (state === SAFE) dark = lit = 100;
    else if (state === NETWORK) dark = lit = 1000;
    else if (state === ENROLLING) dark = lit = 300;
    else if (state === OPENING) {
      lit = 100;
      dark = 900;
    } else if (state === SETUP) {
      lit = 900;
      dark = 100;
    } else if (state === STREAMING) {
      lit = 30;
      dark = 4970;
    }
    return lit;
  };
}
