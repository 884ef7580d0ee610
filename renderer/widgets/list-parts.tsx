import type { RowProps } from '../grid/rows.tsx';

interface HeadRowProps {
  readonly titles: readonly string[];
  /** A title that is there for those who listen alone. */
  readonly unseen?: string;
}

/** The row of titles above a list. */
export function HeadRow({ titles, unseen }: HeadRowProps) {
  return (
    <div class="row head" role="row" aria-rowindex={1}>
      {titles.map((title, i) => (
        <span key={title} role="columnheader" aria-colindex={i + 1} title={title}>
          {title === unseen ? <span class="hidden">{title}</span> : title}
        </span>
      ))}
    </div>
  );
}

/** A row of a list that has not arrived. */
export function WaitingRow({ props }: { readonly props: RowProps }) {
  return (
    <div {...props} class="row">
      <span role="gridcell" aria-colindex={1} class="dim">
        …
      </span>
    </div>
  );
}
