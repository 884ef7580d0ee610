/** Hashes of 32 bits by which events are told apart. */

export function mixed(hash: number, value: number): number {
  return Math.imul((hash ^ value) | 0, 0x0100_0193) ^ ((value >>> 15) | 0);
}

const hashes = new Map<string, number>();

/** FNV-1a; the words of events are few. */
export function textHash(text: string): number {
  let hash = hashes.get(text);
  if (hash !== undefined) return hash;
  hash = 0x811c_9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  if (hashes.size < 10_000) hashes.set(text, hash);
  return hash;
}
