import type { LoaderEvent } from "./loader.ts";

/** What the loader does, for a person; undefined for what only a bar shows. */
export function inWords(event: LoaderEvent): string | undefined {
  switch (event.kind) {
    case "chip":
      return `chip: ${event.chip}`;
    case "slower":
      return `${event.reason}: once more, slower`;
    case "erase":
      return "erasing the whole chip: this takes up to a minute";
    case "unchanged":
      return `${event.part.name}: is there already`;
    case "written":
      return `${event.part.name}: checked`;
    case "write":
      return undefined;
  }
}

export const registerCommand = (publicKey: string) => `coseflow device register --key ${publicKey}`;

export const LOCKED =
  "the board tells no key: its bundle locks the console, or it waits for a network (coseflow wifi)";
