/**
 * TypeScript source with comments, text and regular expressions blanked out, so that a rule written as a pattern
 * sees code alone. Offsets and lines stay as they were. JSX is not understood; the engine has none.
 */

/** After these, `/` starts a regular expression; after a name, a number or a closing bracket it divides. */
const beforeRegExp = /(?:^|[([{,;:=!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|yield|throw|else|do))\s*$/;

/** The end (exclusive) of what starts at `start` and ends with `close`, backslashes escaping; classes hide `/`. */
function endOfQuoted(source: string, start: number, close: string): number {
  let inClass = false;
  for (let i = start + 1; i < source.length; i += 1) {
    const c = source[i];
    if (c === '\\') i += 1;
    else if (close === '/' && c === '[') inClass = true;
    else if (close === '/' && c === ']') inClass = false;
    else if (c === close && !inClass) return i + 1;
    else if (c === '\n') return i;
  }
  return source.length;
}

export function codeOnly(source: string): string {
  let code = '';
  /** For every `${` we are in: how many braces are open inside it. */
  const templateDepths: number[] = [];
  const blank = (to: number): void => {
    code += source.slice(code.length, to).replace(/[^\n]/g, ' ');
  };
  /** From offset `at` inside a template literal: blanks its text up to the closing backquote or the next `${`. */
  const blankTemplateText = (at: number): void => {
    let end = at;
    while (end < source.length && source[end] !== '`' && source.slice(end, end + 2) !== '${')
      end += source[end] === '\\' ? 2 : 1;
    if (source[end] === '$') templateDepths.push(0);
    blank(Math.min(source.length, source[end] === '$' ? end + 2 : end + 1));
  };

  while (code.length < source.length) {
    const at = code.length;
    const c = source[at] ?? '';
    const pair = source.slice(at, at + 2);
    const depth = templateDepths.at(-1);
    if (pair === '//') {
      const end = source.indexOf('\n', at);
      blank(end === -1 ? source.length : end);
    } else if (pair === '/*') {
      const end = source.indexOf('*/', at + 2);
      blank(end === -1 ? source.length : end + 2);
    } else if (c === "'" || c === '"') blank(endOfQuoted(source, at, c));
    else if (c === '`') blankTemplateText(at + 1);
    else if (c === '/' && beforeRegExp.test(code.slice(-40))) blank(endOfQuoted(source, at, '/'));
    else if (c === '}' && depth === 0) {
      templateDepths.pop();
      blankTemplateText(at + 1);
    } else {
      if (depth !== undefined && c === '{') templateDepths[templateDepths.length - 1] = depth + 1;
      if (depth !== undefined && c === '}') templateDepths[templateDepths.length - 1] = depth - 1;
      code += c;
    }
  }
  return code;
}
