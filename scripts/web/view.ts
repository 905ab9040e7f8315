import type { FlashFailure } from "../flash/failure.ts";
import type { Flashed } from "../flash/flash-board.ts";
import type { LoaderEvent } from "../flash/loader.ts";
import { inWords, LOCKED, registerCommand } from "../flash/words.ts";
import type { Entries } from "./entries.ts";
import type { Job } from "./job.ts";

/** What was chosen and typed when the button was pressed. */
export interface Choice {
  image: File | undefined;
  eraseAll: boolean;
  entries: Entries;
}

export interface View {
  show(job: Job): void;
  onStart(start: (choice: Choice) => void): void;
  begin(): void;
  event(event: LoaderEvent): void;
  progress(what: string, fraction: number): void;
  done(flashed: Flashed): void;
  failed(failure: FlashFailure): void;
}

const KEPT = "Empty: as the settings file says.";
const NO_FILE =
  "There is no settings file: the settings on the board stay. coseflow init writes one.";

/** The page's own elements, by their ids: one that is missing is a fault of the page. */
function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`page, expected #${id}, got none`);
  return found as T;
}

function write(id: string, text: string): void {
  element(id).textContent = text;
}

function reveal(id: string, isShown: boolean): void {
  element(id).hidden = !isShown;
}

function clear(name: string): void {
  const field = element<HTMLFormElement>("form").elements.namedItem(name);
  if (field instanceof HTMLInputElement) field.value = "";
}

/** A page that is closed half way leaves the board half way. */
const warn = (event: Event) => event.preventDefault();

function setBusy(isBusy: boolean): void {
  element<HTMLFieldSetElement>("fields").disabled = isBusy;
  if (isBusy) addEventListener("beforeunload", warn);
  else removeEventListener("beforeunload", warn);
}

function readChoice(form: HTMLFormElement): Choice {
  const fields = new FormData(form);
  const text = (name: keyof Entries) => String(fields.get(name) ?? "");
  const id = (name: keyof Entries) => text(name).trim();
  const image = fields.get("image");
  return {
    // A browser gives a nameless file where none was chosen.
    image: image instanceof File && image.name !== "" ? image : undefined,
    eraseAll: fields.has("erase"),
    entries: {
      ssid: text("ssid"),
      password: text("password"),
      deviceId: id("deviceId"),
      userId: id("userId"),
      claim: id("claim"),
    },
  };
}

export function createView(): View {
  let current = "";

  function tell(line: string): void {
    const item = document.createElement("li");
    item.textContent = line;
    element("log").append(item);
  }

  function progress(what: string, fraction: number): void {
    element<HTMLProgressElement>("bar").value = fraction;
    if (what === current) return;
    current = what;
    write("step", `Writing: ${what}`);
  }

  function end(): void {
    setBusy(false);
    reveal("bar", false);
  }

  return {
    progress,
    show(job) {
      write("board", job.board);
      write("about", `${job.chip}, ${job.flashMegabytes} MB of flash`);
      reveal("wifi", job.needsWifi);
      write("wifi-kept", job.settings === null ? NO_FILE : KEPT);
      write("enrolment-kept", job.settings === null ? NO_FILE : KEPT);
    },
    onStart(start) {
      const form = element<HTMLFormElement>("form");
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        start(readChoice(form));
      });
      element("copy").addEventListener("click", () => {
        void navigator.clipboard.writeText(element("register").textContent ?? "");
      });
    },
    begin() {
      current = "";
      setBusy(true);
      element("log").replaceChildren();
      element("bar").removeAttribute("value");
      write("step", "Connecting");
      for (const id of ["way", "bar"]) reveal(id, true);
      for (const id of ["failure", "done"]) reveal(id, false);
    },
    event(event) {
      if (event.kind === "write") progress(event.part.name, event.fraction);
      else tell(inWords(event) as string);
    },
    done({ device, ...outcome }) {
      end();
      write("step", "Written and checked");
      const told = Object.entries(outcome).map(([what, how]) => `${what} ${how}`);
      write("outcome", device === undefined ? `${told.join(", ")}; ${LOCKED}` : told.join(", "));
      reveal("device", device !== undefined);
      write("key-id", device?.keyId ?? "");
      write("public-key", device?.publicKey ?? "");
      write("register", device === undefined ? "" : registerCommand(device.publicKey));
      // The next board is another device, with a claim of its own.
      for (const name of ["deviceId", "claim"]) clear(name);
      reveal("done", true);
      element("done").scrollIntoView();
    },
    failed({ step, reason, next }) {
      end();
      reveal("way", element("log").hasChildNodes());
      write("step", "Ended");
      write("failed-step", step);
      write("reason", reason);
      write("next", next);
      reveal("failure", true);
      element("failure").scrollIntoView();
    },
  };
}
