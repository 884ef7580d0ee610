import { glyphOf, kindOf } from '../theme/glyphs.ts';

/** The sign of a kind of event: its shape in its colour, with its letter. */
export function Glyph({ kind }: { readonly kind: string }) {
  const { letter, shape } = glyphOf(kind);
  return (
    <svg class="glyph" data-kind={kindOf(kind)} viewBox="0 0 16 16" role="img" aria-label={kind}>
      <title>{kind}</title>
      <path d={shape} />
      <text x="8" y="11.5" text-anchor="middle" aria-hidden="true">
        {letter}
      </text>
    </svg>
  );
}
