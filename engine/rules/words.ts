/** `SIEFP, SIMP and SCONTROL` */
export function list(words: Iterable<string>): string {
  const all = [...words];
  const last = all.pop();
  if (last === undefined) return '';
  return all.length === 0 ? last : `${all.join(', ')} and ${last}`;
}
