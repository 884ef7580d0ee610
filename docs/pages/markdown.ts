/** A table; cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** Paragraphs, headings and tables with an empty line between them. */
export function page(...parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** `0x` and at least `digits` digits. */
export function hex(value: number | bigint, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** Bits or bytes as `5` or `0..7`. */
export function range(first: number, count: number): string {
  return count === 1 ? `${first}` : `${first}..${first + count - 1}`;
}

/** Said on every page. */
export const GENERATED = 'Written by `npm run docs` from engine/abi; do not edit.';
