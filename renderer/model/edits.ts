/** Edits are kept one a line, as a link carries them. */
export function editsOf(text: string): string[] {
  return text.split('\n').filter((edit) => edit.trim() !== '');
}
