import { useModel } from '../model/model.ts';

/** A position as a button that puts the cursor there. */
export function Position({ at, label }: { readonly at: string; readonly label?: string }) {
  const model = useModel();
  return (
    <button
      type="button"
      class="position"
      data-copy={at}
      aria-label={label ?? `go to ${at}`}
      title={label ?? `go to ${at}`}
      onClick={(event) => {
        event.stopPropagation();
        model.jump(at);
      }}
    >
      {at}
    </button>
  );
}
