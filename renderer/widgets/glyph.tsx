import { glyphOf, kindOf } from '../theme/glyphs.ts';

interface GlyphProps {
  readonly kind: string;
  readonly provenance?: string;
}

/** The sign of a kind of event: its shape in its colour, with its letter; hollow where the engine derived the event. */
export function Glyph({ kind, provenance }: GlyphProps) {
  const { letter, shape } = glyphOf(kind);
  const derived = provenance === 'derived';
  const name = derived ? `${kind}, derived` : kind;
  return (
    <svg
      class="glyph"
      data-kind={kindOf(kind)}
      data-hollow={derived}
      viewBox="-1 -1 18 18"
      role="img"
      aria-label={name}
    >
      <title>{name}</title>
      <path d={shape} />
      <text x="8" y="11.5" text-anchor="middle">
        {letter}
      </text>
    </svg>
  );
}
