import type { Piece } from "./pieces.ts";
import type { Word } from "./words.ts";

export interface Hit {
  piece: Piece;
  word: string;
  form: string;
  /** Where in the piece: its topic or payload, or "packet" for what is none of its places. */
  place: string;
}

function placeOf({ bytes, places }: Piece, at: number): string {
  for (const [name, content] of places) {
    const start = content.length === 0 ? -1 : bytes.indexOf(content);
    if (start >= 0 && at >= start && at < start + content.length) return name;
  }
  return "packet";
}

/** Every place of a form in the stream, and the piece that it begins in. */
function* find(pieces: Piece[], stream: Buffer, form: Buffer): Generator<[Piece, number]> {
  let index = 0;
  let start = 0;
  for (let at = stream.indexOf(form); at >= 0; at = stream.indexOf(form, at + 1)) {
    for (; at >= start + (pieces[index] as Piece).bytes.length; index++)
      start += (pieces[index] as Piece).bytes.length;
    yield [pieces[index] as Piece, at - start];
  }
}

/** All that is found of the words, also across the bounds of pieces: they are taken as one stream. */
export function scan(pieces: Piece[], words: Word[]): Hit[] {
  const stream = Buffer.concat(pieces.map(({ bytes }) => bytes));
  return words.flatMap(({ name, forms }) =>
    forms.flatMap((form) =>
      [...find(pieces, stream, form.bytes)].map(([piece, at]) => ({
        piece,
        word: name,
        form: form.name,
        place: placeOf(piece, at),
      })),
    ),
  );
}
