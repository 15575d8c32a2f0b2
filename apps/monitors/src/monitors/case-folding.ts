/**
 * What a text is compared by where neither case nor the form of its letters matters, in all of Unicode: `ß` is `ss`, the
 * two small sigmas are one, composed and decomposed letters are the same, and so are the four letters i of Turkish (a
 * search that finds too much is better than one that depends on a language nobody has named).
 */
export function fold(text: string): string {
  // Down, up and down again: only so do ẞ and ß, and the letters of old, come to the same.
  const folded = text.normalize('NFD').toLowerCase().toUpperCase().toLowerCase();
  return folded.replaceAll('ς', 'σ').replaceAll('i\u0307', 'i').normalize('NFC');
}
