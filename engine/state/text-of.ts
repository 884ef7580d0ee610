/** Arguments of one call at most. */
const TEXT_CHUNK = 4096;

/** A character a byte: bytes as the key of a map. */
export function textOf(bytes: Uint8Array): string {
  if (bytes.length <= TEXT_CHUNK) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let text = '';
  for (let from = 0; from < bytes.length; from += TEXT_CHUNK)
    text += textOf(bytes.subarray(from, from + TEXT_CHUNK));
  return text;
}
